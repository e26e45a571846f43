import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../../src/core/errors.ts';
import type { Attempt } from '../../src/core/model/model.ts';
import { fakeCard, fakeProvider, finish, type ScriptStep } from '../../src/testing/fakes.ts';
import { drain, errorOf, fault, harness, text, textOfEvents, user } from '../gateway/harness.ts';

const chain = { routes: { main: { chain: ['a/m', 'b/m', 'c/m'] } }, retry: { retries: 0 } };
const routed = { ...user(), model: { route: 'main' } };

/** Three providers that play what they are told, by name. */
function three(
  scripts: Readonly<Record<string, (attempt: Attempt) => readonly ScriptStep[] | string>>,
  config: object = {},
) {
  const seen: string[] = [];
  const made = harness({
    providers: (runtime) =>
      ['a', 'b', 'c'].map((id) =>
        fakeProvider({
          id,
          runtime,
          models: [fakeCard({ id: 'm' })],
          script(attempt) {
            seen.push(id);
            return scripts[id]?.(attempt) ?? id;
          },
        }),
      ),
    config: { ...chain, ...config },
  });
  return { ...made, seen };
}

const FALLS_OVER: readonly ErrorCode[] = [
  'rate-limited',
  'overloaded',
  'timeout',
  'network',
  'truncated',
  'invalid-credential',
  'unsupported',
  'model-not-found',
];

describe('law: failover', () => {
  it('tries targets in order, each once, until one speaks; the caller sees only that one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...FALLS_OVER), { minLength: 0, maxLength: 3 }), async (codes) => {
        const names = ['a', 'b', 'c'];
        const scripts = Object.fromEntries(
          codes.map((code, index) => [
            names[index] ?? '',
            () => [{ type: 'warning', warning: { code: 'lost', message: 'lost' } } as const, fault(code)],
          ]),
        );
        const { gateway, run, seen } = three(scripts);
        const { events, error } = await run(drain(gateway.stream(routed)));
        const expected = names.slice(0, Math.min(3, codes.length + 1));
        expect(seen).toEqual(expected);
        if (codes.length === 3) {
          expect(error?.details?.attempts).toHaveLength(3);
          expect(codes).toContain(error?.code);
        } else {
          expect(events.filter(({ type }) => type === 'route')).toHaveLength(1);
          expect(events.some(({ type }) => type === 'warning')).toBe(false);
          expect(textOfEvents(events)).toBe(expected.at(-1));
        }
      }),
      { numRuns: 60 },
    );
  });

  it.each(
    (Object.keys(ERROR_CODES) as ErrorCode[]).filter((code) => !FALLS_OVER.includes(code) && code !== 'context-window'),
  )('asks nobody else after %s', async (code) => {
    const { gateway, run, seen } = three({ a: () => [fault(code, { retryable: false })] });
    expect((await errorOf(run(gateway.generate(routed)))).code).toBe(code);
    expect(seen).toEqual(['a']);
  });

  it('goes on after a provider that throws something of its own, and names it when nobody is left', async () => {
    const thrower = () => [{ fail: new TypeError('x is undefined') }];
    const saved = three({ a: thrower });
    expect((await saved.run(saved.gateway.generate(routed))).target.provider).toBe('b');
    const lost = three({ a: thrower, b: thrower, c: thrower });
    const error = await errorOf(lost.run(lost.gateway.generate(routed)));
    expect(error.code).toBe('plugin-failed');
    expect(error.message).toContain('The provider "a" failed: x is undefined');
  });

  it('never swaps a stream silently after its commit point', async () => {
    const { gateway, run, seen } = three({ a: () => [text('one '), fault('network')] });
    const { events, error } = await run(drain(gateway.stream(routed)));
    expect(textOfEvents(events)).toBe('one ');
    expect(error?.code).toBe('network');
    expect(seen).toEqual(['a']);
  });

  it('restarts with the notice where the request asks for it, and returns the whole of the second answer', async () => {
    const { gateway, run } = three({ a: () => [text('one '), fault('network')] });
    const { events } = await run(drain(gateway.stream({ ...routed, onStreamFailure: 'restart' })));
    const notice = events.findIndex(({ type }) => type === 'restart');
    expect(events[notice]).toEqual({ type: 'restart', notice: 'Regenerating response due to a connection error.' });
    expect(textOfEvents(events.slice(notice))).toBe('b');
    expect(events.at(-1)?.type).toBe('finish');
  });

  it('hands the text so far to the next target where the request asks to continue', async () => {
    const { gateway, run } = three({
      a: () => [text('one '), text('two '), fault('network')],
      b: ({ request }) => {
        const last = request.operation === 'chat' ? request.messages.slice(-2) : [];
        return last[0]?.role === 'assistant' && last[0].content === 'one two ' ? 'three' : 'lost the prefix';
      },
    });
    const { events } = await run(drain(gateway.stream({ ...routed, onStreamFailure: 'continue' })));
    expect(textOfEvents(events)).toBe('one two three');
    expect(events.some((event) => event.type === 'warning' && event.warning.code === 'stream-continued')).toBe(true);
  });

  it('does not continue what no other model can go on from', async () => {
    const call = { type: 'tool-call-delta' as const, index: 0, id: '1', name: 'f', delta: '{' };
    const { gateway, run, seen } = three({ a: () => [call, fault('network')] });
    const { error } = await run(drain(gateway.stream({ ...routed, onStreamFailure: 'continue' })));
    expect(error?.code).toBe('network');
    expect(seen).toEqual(['a']);
  });

  it('begins a collected answer anew by itself, at the same target when no other is left', async () => {
    let tries = 0;
    const provider = fakeProvider({
      script: () => {
        tries += 1;
        return tries === 1 ? [text('half'), fault('network')] : 'whole';
      },
    });
    const { gateway, run } = harness({ providers: [provider] });
    const response = await run(gateway.generate(user()));
    expect(response.content).toEqual([{ type: 'text', text: 'whole' }]);
    expect(response.attempts.map(({ outcome }) => outcome)).toEqual(['error', 'ok']);
  });

  it('sends a context window to a larger window only', async () => {
    const seen: string[] = [];
    const provider = (id: string, contextTokens: number) =>
      fakeProvider({
        id,
        models: [fakeCard({ id: 'm', contextTokens })],
        script: () => {
          seen.push(id);
          return id === 'large' ? id : [fault('context-window')];
        },
      });
    const { gateway, run } = harness({
      providers: [provider('small', 8000), provider('smaller', 4000), provider('large', 16_000)],
      config: { routes: { main: { chain: ['small/m', 'smaller/m', 'large/m'] } } },
    });
    expect((await run(gateway.generate(routed))).target.provider).toBe('large');
    expect(seen).toEqual(['small', 'large']);
  });

  it('takes the chains of the config for a context window and a content policy', async () => {
    const config = { fallbacks: { contextWindow: ['c/m'], contentPolicy: ['b/m'] } };
    const policy = three({ a: () => [fault('content-policy')] }, config);
    expect((await policy.run(policy.gateway.generate({ ...user(), model: 'a/m' }))).target.provider).toBe('b');
    // c is no larger than a: its window is checked, whoever named it.
    const window = three({ a: () => [fault('context-window')] }, config);
    expect((await errorOf(window.run(window.gateway.generate({ ...user(), model: 'a/m' })))).code).toBe(
      'context-window',
    );
  });

  it('buffers no more than 64 events before the commit point', async () => {
    const warnings = Array.from({ length: 100 }, (_, index) => ({
      type: 'warning' as const,
      warning: { code: `w${index}`, message: 'w' },
    }));
    const { gateway, run, seen } = three({ a: () => [...warnings, fault('network')] });
    const { events, error } = await run(drain(gateway.stream(routed)));
    expect(error?.code).toBe('network');
    expect(events.filter(({ type }) => type === 'warning')).toHaveLength(100);
    expect(seen).toEqual(['a']);
  });

  it('asks nobody after the caller cancelled or the deadline came', async () => {
    const controller = new AbortController();
    const cancelled = three({ a: () => [{ wait: 10 }, fault('network')] });
    cancelled.runtime.clock.schedule(5, () => controller.abort());
    expect((await errorOf(cancelled.run(cancelled.gateway.generate(routed, { signal: controller.signal })))).code).toBe(
      'cancelled',
    );
    expect(cancelled.seen).toEqual(['a']);
    const late = three({ a: () => [{ hang: true }] });
    const error = await errorOf(late.run(late.gateway.generate({ ...routed, limits: { ms: 50 } })));
    expect(error).toMatchObject({ code: 'timeout', details: { timeout: 'deadline' } });
    expect(late.seen).toEqual(['a']);
  });

  it('throws what the caller can act on, with the least wait that was told', async () => {
    const { gateway, run } = three({
      a: () => [fault('invalid-credential')],
      b: () => [fault('rate-limited', { retryAfterMs: 9000 })],
      c: () => [fault('overloaded', { retryAfterMs: 4000 })],
    });
    const error = await errorOf(run(gateway.generate(routed)));
    expect(error).toMatchObject({ code: 'rate-limited', retryable: true, retryAfterMs: 4000 });
    expect(error.details?.attempts).toMatchObject([
      { target: { provider: 'a' } },
      { target: { provider: 'b' } },
      { target: { provider: 'c' } },
    ]);
  });

  it('counts an answer that its provider calls empty as a failure, and one that it refused as an answer', async () => {
    const nothing = { usage: { input: 10, output: 0 } };
    const empty = three({ a: () => [finish(nothing)], b: () => [] });
    expect((await empty.run(empty.gateway.generate(routed))).target.provider).toBe('c');
    const refused = three({ a: () => [finish({ ...nothing, reason: 'content-filter' })] });
    expect((await refused.run(refused.gateway.generate(routed))).finishReason).toBe('content-filter');
  });

  const nothings: Readonly<Record<string, readonly ScriptStep[]>> = {
    'an error': [finish({ reason: 'error' })],
    'an error after words': [text('one '), finish({ reason: 'error' })],
    'nothing but blanks': [text(' \n'), finish()],
    'nothing but thoughts': [{ type: 'reasoning-delta', text: 'hm' }, finish()],
    'nothing, for an unknown reason': [finish({ reason: 'other' })],
  };
  it.each(Object.entries(nothings))('takes %s for a failure, and charges what it reports', async (_, steps) => {
    const { gateway, run } = three({ a: () => steps });
    const response = await run(gateway.generate(routed));
    expect(response.target.provider).toBe('b');
    const [first] = response.attempts;
    expect(first?.estimated ?? false).toBe(false);
    expect(response.attempts).toMatchObject([
      { target: { provider: 'a' }, outcome: 'error', usage: { input: 10, output: 5 } },
      { target: { provider: 'b' }, outcome: 'ok' },
    ]);
    const streamed = three({ a: () => steps });
    const { events, error } = await streamed.run(drain(streamed.gateway.stream(routed)));
    expect(error?.code ?? textOfEvents(events)).toBe(error === undefined ? 'b' : 'truncated');
    expect(events.some(({ type }) => type === 'finish')).toBe(error === undefined);
  });

  it('warns of silence where a model may be silent', async () => {
    const result = { type: 'tool-result', id: 'c', content: 'paid' } as const;
    const asked = [
      { ...routed, messages: [...user().messages, { role: 'tool', content: [result] } as const] },
      { ...routed, stop: ['END'] },
    ];
    for (const request of asked) {
      const { gateway, run } = three({ a: () => [finish()] });
      const response = await run(gateway.generate(request));
      expect(response).toMatchObject({ target: { provider: 'a' }, warnings: [{ code: 'empty-answer' }] });
    }
  });

  it('warns when a model calls no tool, or another one, where it had to', async () => {
    const tools = ['w', 'x'].map((name) => ({ name, inputSchema: { type: 'object' } }));
    const call = (name: string): ScriptStep => ({
      type: 'tool-call',
      call: { type: 'tool-call', id: 'c', name, arguments: {} },
    });
    const table = [
      ['required', [text('Sunny.'), finish()], ['tool-not-called']],
      ['required', [call('x'), finish({ reason: 'tool-calls' })], []],
      [{ name: 'w' }, [text('Sunny.'), finish()], ['tool-not-called']],
      [{ name: 'w' }, [call('x'), finish({ reason: 'tool-calls' })], ['tool-not-called']],
      [{ name: 'w' }, [call('x'), call('w'), finish({ reason: 'tool-calls' })], []],
      ['auto', [text('Sunny.'), finish()], []],
    ] as const;
    for (const [toolChoice, steps, codes] of table) {
      const { gateway, run } = three({ a: () => steps });
      const { warnings } = await run(gateway.generate({ ...routed, tools, toolChoice }));
      expect(warnings.map(({ code }) => code)).toEqual(codes);
    }
  });
});
