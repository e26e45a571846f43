/**
 * A whole answer is what its stream would have been.
 *
 * Calls that nobody reads along go up in one piece where every layer can (core/model/complete.ts), event by event where a plugin's
 * generator stands in the way. Whatever the providers do, both give the same answer or error, the same ledger rows at the
 * same times, and leave nothing open.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asPolyphonyError } from '../../src/core/errors.ts';
import { COMPLETE, type CompletableStream, readComplete } from '../../src/core/model/complete.ts';
import type { ChatRequest, ModelEvent } from '../../src/core/model/model.ts';
import type { Provider } from '../../src/core/model/provider.ts';
import type { GatewayPlugin } from '../../src/gateway/gateway-plugin.ts';
import { type FakeProvider, fakeCard, fakeProvider, finish, type ScriptStep } from '../../src/testing/fakes.ts';
import { fault, harness, text, user } from '../gateway/harness.ts';

async function* eventByEvent(stream: AsyncIterable<ModelEvent>): AsyncGenerator<ModelEvent> {
  yield* stream;
}

/** Makes every layer below it hand its events on one by one. */
const reader: GatewayPlugin = {
  name: 'reader',
  request: { place: { before: 'telemetry' }, handle: (call, next) => eventByEvent(next(call)) },
};

/** The provider's answers in one piece, for whoever wants them so. */
function inOnePiece(provider: FakeProvider): Provider {
  return {
    ...provider,
    stream(attempt, context): CompletableStream {
      const stream = provider.stream(attempt, context);
      return { [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](), [COMPLETE]: () => readComplete(stream) };
    },
  };
}

const brisk: readonly ScriptStep[] = [
  text('a'),
  text(''),
  { type: 'warning', warning: { code: 'odd', message: 'told by the provider' } },
  { type: 'tool-call', call: { type: 'tool-call', id: 'c', name: 'look', arguments: {} } },
  fault('overloaded'),
  fault('rate-limited', { retryAfterMs: 70 }),
  fault('invalid-request'),
  fault('context-window'),
  finish(),
  finish({ usage: { input: 0, output: 0 } }),
];
/** What only a reader of events can tell apart from an answer that takes its time. */
const slow: readonly ScriptStep[] = [{ wait: 40 }, { wait: 90_000 }, { hang: true }];

const scriptsOf = (steps: readonly ScriptStep[]): fc.Arbitrary<ScriptStep[][]> =>
  fc.array(fc.array(fc.constantFrom(...steps), { maxLength: 5 }), { minLength: 1, maxLength: 3 });
const modes = fc.constantFrom<ChatRequest['onStreamFailure'][]>('restart', 'continue', 'error', undefined);

interface Play {
  readonly scripts: readonly (readonly ScriptStep[])[];
  readonly onStreamFailure: ChatRequest['onStreamFailure'];
  readonly plugins?: readonly GatewayPlugin[];
  readonly wrap?: (provider: FakeProvider) => Provider;
}

async function outcome({ scripts, onStreamFailure, plugins = [], wrap = (same) => same }: Play): Promise<unknown> {
  let fakes: readonly FakeProvider[] = [];
  const { gateway, run, rows, runtime } = harness({
    plugins,
    providers(made) {
      fakes = scripts.map((steps, index) =>
        fakeProvider({ id: `p${index}`, runtime: made, models: [fakeCard({ id: 'one' })], script: () => steps }),
      );
      return fakes.map(wrap);
    },
    config: { budgets: [{ scope: 'session', usd: 10 }] },
  });
  const request = onStreamFailure === undefined ? user() : { ...user(), onStreamFailure };
  const told = await run(
    gateway.generate(request, { id: 'call', session: 's' }).catch((thrown: unknown) => {
      const { code, message, retryAfterMs } = asPolyphonyError(thrown);
      return { code, message, retryAfterMs };
    }),
  );
  expect(runtime.clock.pending()).toBe(0);
  expect(fakes.map((fake) => fake.open())).toEqual(fakes.map(() => 0));
  return { told, rows: await rows(), at: runtime.clock.monotonic() };
}

describe('law: whole answers', () => {
  it('are what their streams would have been', async () => {
    await fc.assert(
      fc.asyncProperty(scriptsOf([...brisk, ...slow]), modes, async (scripts, onStreamFailure) => {
        const whole = await outcome({ scripts, onStreamFailure });
        expect(whole).toEqual(await outcome({ scripts, onStreamFailure, plugins: [reader] }));
      }),
      { numRuns: 100 },
    );
  });

  it('are so where the provider itself answers in one piece', async () => {
    await fc.assert(
      fc.asyncProperty(scriptsOf(brisk), modes, async (scripts, onStreamFailure) => {
        const whole = await outcome({ scripts, onStreamFailure, wrap: inOnePiece });
        expect(whole).toEqual(await outcome({ scripts, onStreamFailure, plugins: [reader] }));
      }),
      { numRuns: 100 },
    );
  });

  it('that stall are left for the next target when their time is over', async () => {
    const { told, at } = (await outcome({ scripts: [[{ hang: true }]], onStreamFailure: undefined })) as {
      told: { code: string; message: string };
      at: number;
    };
    expect(told.code).toBe('timeout');
    expect(told.message).toContain('timeouts.answerMs');
    expect(at).toBeGreaterThanOrEqual(300_000);
  });
});
