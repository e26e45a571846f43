/** A required tool that is not called is told; a text that only repeats itself is stopped. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatRequest, ModelEvent } from '../../../src/core/model/model.ts';
import { repetitionOf } from '../../../src/kit/streams/repetition.ts';
import { fakeCard, fakeProvider, finish, type ScriptStep } from '../../../src/testing/fakes.ts';
import { drain, errorOf, harness, text, user } from '../harness.ts';

const tool = { name: 'weather', inputSchema: { type: 'object', properties: {} } };
const call: ModelEvent = {
  type: 'tool-call',
  call: { type: 'tool-call', id: 'c1', name: 'weather', arguments: {} },
};
const offering = (script: readonly ScriptStep[] | string) =>
  harness({ providers: [fakeProvider({ id: 'p', models: [fakeCard({ id: 'm' })], script: () => script })] });

const CHOICES: readonly NonNullable<ChatRequest['toolChoice']>[] = ['required', { name: 'weather' }];

describe.each(CHOICES)('a required tool (%j)', (toolChoice) => {
  const request = { ...user(), tools: [tool], toolChoice };

  it('that is answered with text is a warning, streamed and whole', async () => {
    const made = offering('It is sunny.');
    const whole = await made.run(made.gateway.generate(request));
    expect(whole.warnings).toMatchObject([{ code: 'tool-not-called' }]);
    const { events } = await made.run(drain(made.gateway.stream(request)));
    expect(events.map(({ type }) => type).slice(-2)).toEqual(['warning', 'finish']);
  });

  it('that is called is none, and neither is an answer that was cut', async () => {
    for (const script of [
      [call, finish({ reason: 'tool-calls' })],
      [text('I would'), finish({ reason: 'length' })],
    ]) {
      const made = offering(script);
      expect((await made.run(made.gateway.generate(request))).warnings).toEqual([]);
    }
  });
});

it('another tool than the required one is a warning, and no tool is required by "auto"', async () => {
  const other: ModelEvent = { ...call, call: { ...call.call, name: 'other' } };
  const made = offering([other, finish({ reason: 'tool-calls' })]);
  const asked = (toolChoice: NonNullable<ChatRequest['toolChoice']>) =>
    made.run(made.gateway.generate({ ...user(), tools: [tool], toolChoice }));
  const codes = async (toolChoice: NonNullable<ChatRequest['toolChoice']>) =>
    (await asked(toolChoice)).warnings.map(({ code }) => code);
  expect(await codes({ name: 'weather' })).toContain('tool-not-called');
  expect(await codes('auto')).not.toContain('tool-not-called');
});

describe('a text that only repeats itself', () => {
  it.each<[string, (piece: string) => ModelEvent]>([
    ['text', text],
    ['reasoning', (piece) => ({ type: 'reasoning-delta', text: piece })],
    ['arguments', (delta) => ({ type: 'tool-call-delta', index: 0, id: 'c', name: 'weather', delta })],
  ])('is stopped in its %s', async (_what, event) => {
    const made = offering([...Array.from({ length: 500 }, () => event('again and ')), text('Done.'), finish()]);
    const request = { ...user(), tools: [tool], repeatedCharacters: 400 };
    const { events, error } = await made.run(drain(made.gateway.stream(request)));
    expect(error).toMatchObject({ code: 'invalid-output', retryable: false });
    expect(error?.message).toContain('only repeat themselves');
    expect(events.length).toBeLessThan(80);
    // Without the limit nobody watches.
    expect((await made.run(drain(made.gateway.stream({ ...user(), tools: [tool] })))).error).toBeUndefined();
  });

  it('is asked of the next target where nothing was shown', async () => {
    const loops = fakeProvider({ id: 'a', models: [fakeCard({ id: 'loops' })], script: () => 'ha '.repeat(900) });
    const sane = fakeProvider({ id: 'b', models: [fakeCard({ id: 'sane' })], script: () => 'An answer.' });
    const made = harness({ providers: [loops, sane], config: { routes: { r: { chain: ['loops', 'sane'] } } } });
    const response = await made.run(
      made.gateway.generate({ ...user(), model: { route: 'r' }, repeatedCharacters: 400 }),
    );
    expect(response.target.model).toBe('sane');
    expect(response.attempts.map(({ outcome }) => outcome)).toEqual(['error', 'ok']);
  });

  it('is charged for what arrived', async () => {
    const made = offering([...Array.from({ length: 200 }, () => text('and so on ')), finish()]);
    const trace = { attempts: [] as { readonly costNanoUsd: number | null }[] };
    await errorOf(made.run(made.gateway.generate({ ...user(), repeatedCharacters: 400 }, { trace: trace as never })));
    expect(trace.attempts).toHaveLength(1);
    expect(trace.attempts[0]?.costNanoUsd).toBeGreaterThan(0);
  });
});

describe('repetition', () => {
  it('is found in any cut, whatever the passage, and within a quarter of the window after it is full', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 60 }),
        fc.string({ maxLength: 300 }),
        fc.integer({ min: 1, max: 40 }),
        (passage, before, cut) => {
          const watch = repetitionOf(256);
          const whole = before + passage.repeat(Math.ceil(700 / passage.length));
          let at = 0;
          let found = false;
          while (!found && at < whole.length) {
            found = watch.add(whole.slice(at, at + cut));
            at += cut;
          }
          expect(found).toBe(true);
        },
      ),
    );
  });

  it('is not a list that counts, a table of figures, an indented program or four hundred words', () => {
    const count = Array.from({ length: 400 }, (_, index) => `${index}. The same line with another number.\n`).join('');
    const table = Array.from({ length: 300 }, (_, index) => `| ${index * 37} | ${(index * 7919) % 100} |\n`).join('');
    const program = Array.from({ length: 100 }, (_, index) => `        const value${index} = read(${index});\n`).join(
      '',
    );
    const words = Array.from({ length: 400 }, (_, index) => `word${(index * index) % 97}`).join(' ');
    for (const harmless of [count, table, program, words]) {
      const watch = repetitionOf(512);
      for (let at = 0; at < harmless.length; at += 11) expect(watch.add(harmless.slice(at, at + 11))).toBe(false);
    }
  });
});
