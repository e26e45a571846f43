/** One log line for each request that was sent, whatever became of it; nothing is made for nobody, and no prompt or key is in it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { openai } from '../../plugins/providers/openai.ts';
import { guardedLogger } from '../../src/composition/boundary/guarded-logger.ts';
import type { Config } from '../../src/core/config.ts';
import type { CallOptions } from '../../src/core/gateway.ts';
import type { Attempt } from '../../src/core/model/model.ts';
import type { Logger } from '../../src/core/plugin.ts';
import { rememberSecret } from '../../src/core/scrub.ts';
import { createGateway } from '../../src/gateway/create-gateway.ts';
import { whyOf } from '../../src/gateway/lines/why.ts';
import { createTransport } from '../../src/gateway/transport/transport.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { systemRuntime } from '../../src/system/clock.ts';
import { createLogger } from '../../src/system/logger.ts';
import { fakeCard, fakeProvider, finish, type ScriptStep } from '../../src/testing/fakes.ts';
import { batchProvider, fakeServer } from '../gateway/batches/vendor.ts';
import { drain, errorOf, fault, harness, text, user } from '../gateway/harness.ts';

vi.mock(import('../../src/gateway/lines/why.ts'), async (original) => {
  const actual = await original();
  return { ...actual, whyOf: vi.fn(actual.whyOf) };
});

type Fields = Readonly<Record<string, unknown>>;

function recording(levels: readonly string[] = ['debug', 'info', 'warn', 'error']) {
  const lines: { readonly level: string; readonly fields: Fields; readonly message: string }[] = [];
  const log = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields: fields as Fields, message });
  const logger: Logger = {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    isLevelEnabled: (level) => levels.includes(level),
  };
  return { logger, lines, attempts: () => lines.filter(({ fields }) => 'attempt' in fields) };
}

type Script = (attempt: Attempt) => readonly ScriptStep[] | string;

const ROUTES: Config = { routes: { main: { chain: ['a/m', 'b/m'] } }, retry: { retries: 1, baseMs: 10 } };
const routed = { ...user('the words of a prompt'), model: { route: 'main' } };

function two(scripts: Readonly<Record<string, Script>>, config: Config = {}, levels?: readonly string[]) {
  const recorded = recording(levels);
  const made = harness({
    config: { ...ROUTES, ...config },
    logger: recorded.logger,
    providers: (runtime) =>
      ['a', 'b'].map((id) =>
        fakeProvider({ id, runtime, models: [fakeCard({ id: 'm' })], script: (given) => scripts[id]?.(given) ?? id }),
      ),
  });
  return { ...made, ...recorded };
}

const told = ({ attempts }: Pick<ReturnType<typeof recording>, 'attempts'>, ...names: readonly string[]) =>
  attempts().map(({ fields }) => names.map((name) => fields[name]));

describe('law: a line an attempt', () => {
  it('says what an attempt cost, where its time went, how it ended and why its target was asked', async () => {
    const made = two({
      a: () => [{ report: { requestId: 'req-7' } }, { waitMs: 30 }, text('hello'), { waitMs: 5 }, finish()],
    });
    const options: CallOptions = {
      id: 'call-1',
      requestId: 'order/4711',
      scopes: [
        { kind: 'run', id: 'run_1' },
        { kind: 'node', id: 'run_1/draft' },
      ],
    };
    const { events } = await made.run(drain(made.gateway.stream(routed, options)));
    const [row] = await made.rows();
    expect(row).toMatchObject({ requestId: 'req-7' });
    expect(events.at(-1)).toMatchObject({ type: 'finish', requestId: 'req-7' });
    expect(made.attempts()).toEqual([
      {
        level: 'debug',
        message: 'attempt answered',
        fields: {
          call: 'call-1',
          attempt: 1,
          operation: 'chat',
          purpose: 'answer',
          target: 'a/m',
          why: 'route',
          of: 2,
          outcome: 'ok',
          run: 'run_1',
          node: 'run_1/draft',
          requestId: 'order/4711',
          endpointRequestId: 'req-7',
          queueMs: 0,
          networkMs: null,
          firstTokenMs: 30,
          totalMs: 35,
          tokens: { input: 10, output: 5 },
          costNanoUsd: row?.costNanoUsd,
        },
      },
    ]);
  });

  it('is one for a retry, a fallback, a loser, a cancel, a stream that is left, and one that is cut', async () => {
    const failing = two({ a: () => [fault('overloaded')] });
    await failing.run(failing.gateway.generate(routed));
    expect(told(failing, 'target', 'why', 'after', 'instead', 'outcome', 'code')).toEqual([
      ['a/m', 'route', undefined, undefined, 'error', 'overloaded'],
      ['a/m', 'retry', 'overloaded', undefined, 'error', 'overloaded'],
      ['b/m', 'fallback', 'overloaded', 'a/m', 'ok', undefined],
    ]);
    const hedged = two({ a: () => [{ waitMs: 900 }, text('a'), finish()] }, { hedge: { afterMs: 100, share: 1 } });
    await hedged.run(hedged.gateway.generate(routed));
    const lines = hedged.attempts().map(({ fields, message }) => [fields.target, fields.why, message]);
    expect(lines.sort()).toEqual([
      ['a/m', 'route', 'attempt cancelled: another target spoke first'],
      ['b/m', 'hedge', 'attempt answered'],
    ]);
    const cancelled = two({ a: () => [{ hang: true }] });
    const controller = new AbortController();
    const waiting = errorOf(cancelled.gateway.generate(routed, { signal: controller.signal }));
    await cancelled.runtime.clock.advance(1);
    controller.abort();
    expect((await cancelled.run(waiting)).code).toBe('cancelled');
    expect(told(cancelled, 'outcome', 'code')).toEqual([['cancelled', 'cancelled']]);
    const left = two({ a: () => [text('one'), text('two'), finish()] });
    for await (const event of left.gateway.stream(routed)) if (event.type === 'text-delta') break;
    expect(left.attempts().map(({ message }) => message)).toEqual(['attempt left by its reader']);
    const cut = two({ a: () => [text('half')] });
    expect((await cut.run(drain(cut.gateway.stream(routed)))).error?.code).toBe('truncated');
    expect(told(cut, 'outcome', 'code')).toEqual([['error', 'truncated']]);
  });

  it('stands for each row of the ledger, whatever happens', async () => {
    const step = fc.constantFrom<readonly ScriptStep[]>(
      [text('x'), finish()],
      [fault('overloaded')],
      [fault('rate-limited', { retryAfterMs: 5 })],
      [fault('invalid-credential')],
      [fault('content-policy')],
      [text('half')],
      [{ waitMs: 300 }, text('x'), finish()],
      [{ waitMs: 300 }, fault('network')],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 8 }), fc.boolean(), async (steps, streaming) => {
        let at = 0;
        const next = (): readonly ScriptStep[] => steps[at++ % steps.length] ?? [];
        const made = two({ a: next, b: next }, { hedge: { afterMs: 100, share: 1 } });
        for (let call = 0; call < 3; call += 1) {
          if (streaming) await made.run(drain(made.gateway.stream(routed)));
          else await made.run(made.gateway.generate(routed).catch(() => undefined));
        }
        const rows = await made.rows();
        expect(
          told(made, 'call', 'attempt')
            .map(([call, number]) => `${call}/${number}`)
            .sort(),
        ).toEqual(rows.map(({ key }) => key).sort());
        for (const { fields } of made.attempts()) {
          const row = rows.find(({ key }) => key === `${fields.call}/${fields.attempt}`);
          expect(fields).toMatchObject({ outcome: row?.outcome, costNanoUsd: row?.costNanoUsd, tokens: row?.usage });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('says why the first target was asked', async () => {
    const recorded = recording();
    const made = harness({
      logger: recorded.logger,
      providers: [
        fakeProvider({ id: 'a', models: [fakeCard({ id: 'm' })] }),
        fakeProvider({ id: 'b', models: [fakeCard({ id: 'n', capabilities: ['text', 'streaming', 'logprobs'] })] }),
      ],
    });
    const { gateway } = made;
    const target = { provider: 'b', model: 'n' };
    await gateway.generate(user());
    await gateway.generate({ ...user(), model: { can: ['logprobs'] } });
    await gateway.generate({ ...user(), model: 'b/n' });
    await gateway.generate(user(), { order: [target] });
    await gateway.generate({ ...user(), model: 'b/n' }, { session: 's' });
    await gateway.generate(user(), { session: 's' });
    expect(told(recorded, 'why').flat()).toEqual(['best', 'only', 'model', 'order', 'model', 'session']);
  });

  it('is not made where nobody listens', async () => {
    for (const [config, levels] of [
      [{}, ['info', 'warn', 'error']],
      [{ log: { attempts: 'off' } }, undefined],
      [{ log: { attempts: 'info' } }, ['warn', 'error']],
    ] as const) {
      vi.mocked(whyOf).mockClear();
      const made = two({}, config, levels);
      await made.run(made.gateway.generate(routed));
      expect(made.attempts()).toEqual([]);
      expect(whyOf).not.toHaveBeenCalled();
    }
    const raised = two({}, { log: { attempts: 'info' } }, ['info']);
    await raised.run(raised.gateway.generate(routed));
    expect(raised.attempts().map(({ level }) => level)).toEqual(['info']);
    const written: string[] = [];
    const quiet = await createLogger('info', (line) => void written.push(line));
    expect([quiet.isLevelEnabled?.('debug'), quiet.isLevelEnabled?.('info')]).toEqual([false, true]);
    const broken = guardedLogger({
      ...quiet,
      isLevelEnabled() {
        throw new Error('broken');
      },
    });
    expect(broken.isLevelEnabled?.('info')).toBe(false);
  });

  it('holds no prompt, no answer, no text of an error and no key', async () => {
    const key = 'sk-live-0123456789abcdefghij';
    rememberSecret(key);
    const made = two({
      a: () => [{ report: { requestId: `id of ${key}` } }, { fail: new Error('upstream said: the words of a prompt') }],
      b: () => [text('the words of an answer'), finish()],
    });
    await made.run(made.gateway.generate(routed, { requestId: key }));
    expect(made.attempts()).toHaveLength(2);
    const all = JSON.stringify(made.attempts());
    expect(all).not.toContain('the words');
    expect(all).not.toContain(key);
  });
});

describe('law: lines of batches', () => {
  it('are one for each call of a batch, with its own request id', async () => {
    const recorded = recording();
    const server = fakeServer();
    const { gateway, runtime, rows } = harness({
      logger: recorded.logger,
      providers: (made) => [batchProvider(server, made)],
      config: { batches: { flushMs: 1000, pollMs: 60_000 } },
    });
    const answers = ['a', 'b'].map((id) =>
      gateway.generate(user(id), { urgency: 'batch', id, requestId: `mine-${id}` }),
    );
    await runtime.clock.advance(7_200_000);
    await Promise.all(answers);
    expect(told(recorded, 'call', 'requestId', 'why', 'outcome').sort()).toEqual([
      ['a', 'mine-a', 'given', 'ok'],
      ['b', 'mine-b', 'given', 'ok'],
    ]);
    expect(await rows()).toHaveLength(2);
  });
});

describe('law: ids of requests', () => {
  const served = async (answer: (request: IncomingMessage, response: ServerResponse) => void) => {
    const seen: IncomingMessage['headers'][] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers);
      request.resume().on('end', () => answer(request, response));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const recorded = recording();
    const stores = memoryStores();
    const gateway = createGateway({
      providers: [openai({ apiKey: 'k', baseURL: `http://127.0.0.1:${port}/v1`, models: ['m'] })],
      runtime: systemRuntime,
      keyValue: stores.keyValue,
      ledger: stores.ledger,
      transport: createTransport(),
      config: { retry: { retries: 0 } },
      logger: recorded.logger,
    });
    const close = async (): Promise<void> => {
      await gateway.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
    return { gateway, seen, close, ...recorded };
  };
  const asked = { ...user(), model: 'openai/m' };
  const BODY = JSON.stringify({
    choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1 },
  });

  it('passes the caller’s on, and the endpoint’s back, with an answer and with an error', async () => {
    let status = 200;
    const { gateway, seen, close, attempts } = await served((_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': `req-${status}` });
      response.end(status === 200 ? BODY : JSON.stringify({ error: { message: 'broken' } }));
    });
    try {
      const response = await gateway.generate(asked, { requestId: 'mine-1' });
      expect(response.requestId).toBe('req-200');
      expect(response.attempts[0]?.requestId).toBe('req-200');
      status = 500;
      const error = await errorOf(gateway.generate(asked, { requestId: 'mine-2' }));
      expect(error.details).toMatchObject({ requestId: 'req-500', attempts: [{ requestId: 'req-500' }] });
      await errorOf(gateway.generate(asked));
      expect(seen.map((headers) => headers['x-client-request-id'])).toEqual(['mine-1', 'mine-2', undefined]);
      expect(attempts().map(({ fields }) => [fields.requestId, fields.endpointRequestId])).toEqual([
        ['mine-1', 'req-200'],
        ['mine-2', 'req-500'],
        [undefined, 'req-500'],
      ]);
      for (const { fields } of attempts()) {
        expect(fields.networkMs).toBeGreaterThanOrEqual(0);
        expect(fields.networkMs).toBeLessThanOrEqual(fields.totalMs as number);
      }
    } finally {
      await close();
    }
  });

  it('stands in the line of an attempt whose stream is cut', async () => {
    const { gateway, close, attempts } = await served((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'req-cut' });
      response.write('data: {"choices":[{"index":0,"delta":{"content":"half"}}]}\n\n', () => response.destroy());
    });
    try {
      expect((await drain(gateway.stream(asked))).error?.details).toMatchObject({ requestId: 'req-cut' });
      expect(attempts().map(({ fields }) => [fields.outcome, fields.endpointRequestId])).toEqual([
        ['error', 'req-cut'],
      ]);
    } finally {
      await close();
    }
  });

  it('refuses one that is no header', async () => {
    const { gateway } = harness({ providers: [fakeProvider({})] });
    for (const requestId of ['', 'two words', 'line\nbreak', 'ü', 'x'.repeat(513), 7 as unknown as string])
      expect(await errorOf(gateway.generate(user(), { requestId }))).toMatchObject({ code: 'invalid-request' });
    expect(await gateway.generate(user(), { requestId: 'x'.repeat(512) })).toBeDefined();
  });
});
