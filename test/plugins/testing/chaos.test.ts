import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import type { Attempt, PluginContext, Transport, TransportRequest, TransportResponse } from 'polyphony/kit';
import { type FakeRuntime, fakeRuntime } from 'polyphony/testing';
import { describe, expect, test } from 'vitest';
import { type ChaosFault, type ChaosOptions, type ChaosRule, chaos } from '../../../plugins/testing/chaos.ts';
import { silentLogger } from '../../../src/system/logger.ts';
import { partsOf } from '../plugin-ring.ts';

const STREAM = 'data: {"text":"one","count":1}\n\ndata: {"text":"two","ok":true}\n\ndata: [DONE]\n\n';

interface Inner {
  readonly transport: Transport;
  readonly asked: TransportRequest[];
  /** Bodies that were closed before their end. */
  closed: number;
}

/** A network whose answer comes in these chunks. */
function networkOf(chunks: readonly Uint8Array[], contentType = 'text/event-stream'): Inner {
  const inner: Inner = { asked: [], closed: 0, transport: { request, close: async () => undefined } };
  async function request(given: TransportRequest): Promise<TransportResponse> {
    inner.asked.push(given);
    let at = 0;
    const body: AsyncIterableIterator<Uint8Array> = {
      [Symbol.asyncIterator]: () => body,
      async next() {
        const value = chunks[at++];
        return value === undefined ? { done: true, value: undefined } : { done: false, value };
      },
      async return() {
        inner.closed += 1;
        return { done: true, value: undefined };
      },
    };
    return { status: 200, headers: { 'content-type': contentType }, body, bytes: async () => Buffer.concat(chunks) };
  }
  return inner;
}

const attempt = (fields: Partial<Attempt> = {}): Attempt => ({
  id: 'call',
  number: 1,
  request: { operation: 'chat', messages: [] },
  signal: new AbortController().signal,
  purpose: 'answer',
  scopes: [],
  trace: { attempts: [] },
  target: { provider: 'here', model: 'm' },
  ...fields,
});

async function wrapping(options: ChaosOptions, runtime: FakeRuntime = fakeRuntime()) {
  const context = { ...runtime, logger: silentLogger } as unknown as PluginContext;
  const { transport } = await partsOf(chaos(options), context);
  if (transport === undefined) throw new Error('the plugin wraps no network');
  return transport;
}

interface Asking {
  readonly contentType?: string;
  readonly chunks?: readonly Uint8Array[];
}

async function asked(fault: ChaosFault, { contentType, chunks = [Buffer.from(STREAM)] }: Asking = {}) {
  const runtime = fakeRuntime();
  const inner = networkOf(chunks, contentType);
  const controller = new AbortController();
  const network = (await wrapping({ rules: [{ fault }] }, runtime))(inner.transport, attempt());
  const { signal } = controller;
  const pending = network.request({ method: 'POST', url: 'http://here/v1', headers: {}, body: '{}', signal });
  pending.catch(() => undefined);
  return { runtime, inner, controller, pending };
}

/** What arrived, and the code of the error that ended it. */
async function read(response: TransportResponse): Promise<{ readonly text: string; readonly error?: unknown }> {
  const chunks: Uint8Array[] = [];
  const textOf = (): string => Buffer.concat(chunks).toString('latin1');
  try {
    for await (const chunk of response.body) chunks.push(chunk);
    return { text: textOf() };
  } catch (error) {
    return { text: textOf(), error: (error as { readonly code?: unknown }).code };
  }
}

const settled = async (): Promise<void> => {
  for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe('a fault before the answer', () => {
  test('latency: the request is sent when its time has come', async () => {
    const { runtime, inner, pending } = await asked({ type: 'latency', ms: 500 });
    await runtime.clock.advance(499);
    expect(inner.asked).toHaveLength(0);
    await runtime.clock.advance(1);
    expect(await read(await pending)).toEqual({ text: STREAM });
    expect(runtime.clock.pending()).toBe(0);
  });

  test.each(['latency', 'stall'] as const)('%s: an abort ends it at once, and nothing was sent', async (type) => {
    const { runtime, inner, controller, pending } = await asked(type === 'latency' ? { type, ms: 500 } : { type });
    await settled();
    controller.abort();
    await expect(pending).rejects.toMatchObject({ code: 'cancelled' });
    expect(inner.asked).toHaveLength(0);
    expect(runtime.clock.pending()).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  test('status: refused without a request, with the delay in both headers', async () => {
    const { inner, pending } = await asked({ type: 'status', status: 429, retryAfterMs: 1500 });
    const response = await pending;
    expect(response.status).toBe(429);
    expect(response.headers).toMatchObject({ 'retry-after': '2', 'retry-after-ms': '1500' });
    expect(JSON.parse((await read(response)).text)).toMatchObject({ error: { type: 'chaos' } });
    expect(inner.asked).toHaveLength(0);
  });

  test('status: no header says when to try again unless the rule does', async () => {
    const { pending } = await asked({ type: 'status', status: 529 });
    expect(Object.keys((await pending).headers)).toEqual(['content-type']);
  });

  test('reset: a connection that is lost', async () => {
    const { inner, pending } = await asked({ type: 'reset' });
    await expect(pending).rejects.toMatchObject({ code: 'network', retryable: true });
    expect(inner.asked).toHaveLength(0);
  });
});

describe('a fault in the answer', () => {
  const split = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 }).map((sizes) => {
    const bytes = Buffer.from(STREAM);
    const chunks: Uint8Array[] = [];
    for (let at = 0, size = 0; at < bytes.length; at += sizes[size++ % sizes.length] ?? 1) {
      chunks.push(bytes.subarray(at, at + (sizes[size % sizes.length] ?? 1)));
    }
    return chunks;
  });

  test('after n bytes comes exactly after n bytes, however the body is cut into chunks', async () => {
    const bytes = fc.integer({ min: 0, max: STREAM.length + 5 });
    await fc.assert(
      fc.asyncProperty(split, bytes, fc.constantFrom('reset', 'cut'), async (chunks, at, type) => {
        const { pending, inner } = await asked({ type, at: { bytes: at } }, { chunks });
        const whole = at > STREAM.length;
        const expected = { text: STREAM.slice(0, at) };
        expect(await read(await pending)).toEqual(
          type === 'reset' && !whole ? { ...expected, error: 'network' } : expected,
        );
        if (!whole) expect(inner.closed).toBeGreaterThan(0);
      }),
    );
  });

  test.each([
    [0, ''],
    [1, STREAM.slice(0, STREAM.indexOf('\n\n') + 2)],
    [9, STREAM],
  ])('after %i events', async (events, text) => {
    await fc.assert(
      fc.asyncProperty(split, async (chunks) => {
        const { pending } = await asked({ type: 'cut', at: { events } }, { chunks });
        expect(await read(await pending)).toEqual({ text });
      }),
      { numRuns: 30 },
    );
  });

  test('events of JSON lines are lines', async () => {
    const lines = '{"text":"one"}\n{"text":"two"}\n';
    const given = { chunks: [Buffer.from(lines)], contentType: 'application/x-ndjson' };
    const { pending } = await asked({ type: 'cut', at: { events: 1 } }, given);
    expect(await read(await pending)).toEqual({ text: '{"text":"one"}\n' });
  });

  test.each(['abort', 'close'] as const)('a stall ends with the %s, and closes the body below', async (how) => {
    const { pending, inner, controller, runtime } = await asked({ type: 'stall', at: { bytes: 10 } });
    const body = (await pending).body[Symbol.asyncIterator]();
    expect(Buffer.from((await body.next()).value ?? []).toString()).toBe(STREAM.slice(0, 10));
    const silent = body.next();
    silent.catch(() => undefined);
    await settled();
    if (how === 'abort') controller.abort();
    else await body.return?.();
    await expect(silent).rejects.toMatchObject({ code: 'cancelled' });
    expect(inner.closed).toBeGreaterThan(0);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    expect(runtime.clock.pending()).toBe(0);
  });

  test('malformed: the JSON of one event is cut in half, the others are as they were', async () => {
    const { pending } = await asked({ type: 'malformed', event: 2 });
    const events = (await read(await pending)).text.split('\n\n');
    expect(events[0]).toBe('data: {"text":"one","count":1}');
    expect(events[1]).toBe('data: {"text":"two');
    expect(events[2]).toBe('data: [DONE]');
  });

  test('wrong-types: every value of one event, or those of the named fields', async () => {
    const every = await read(await (await asked({ type: 'wrong-types' })).pending);
    expect(every.text.split('\n\n')[0]).toBe('data: {"text":3,"count":"1"}');
    const named = await read(await (await asked({ type: 'wrong-types', fields: ['count'] })).pending);
    expect(named.text.split('\n\n')[0]).toBe('data: {"text":"one","count":"1"}');
    expect(named.text.split('\n\n')[1]).toBe('data: {"text":"two","ok":true}');
  });

  test('a document is one event, also where it is read as a whole', async () => {
    const given = { chunks: [Buffer.from('{"a":'), Buffer.from('[1,null]}')], contentType: 'application/json' };
    const { pending } = await asked({ type: 'wrong-types' }, given);
    expect(Buffer.from(await (await pending).bytes()).toString()).toBe('{"a":["1",[]]}');
  });

  test('drip: every piece after its pause, and no timer is left where the reader leaves', async () => {
    const { pending, runtime, inner } = await asked({ type: 'drip', bytes: 4, everyMs: 10 });
    const response = await pending;
    const body = response.body[Symbol.asyncIterator]();
    for (let piece = 0; piece < 3; piece += 1) {
      const next = body.next();
      await runtime.clock.advance(10);
      expect(Buffer.from((await next).value ?? []).toString()).toBe(STREAM.slice(4 * piece, 4 * piece + 4));
    }
    const last = body.next();
    last.catch(() => undefined);
    await settled();
    await body.return?.();
    await expect(last).rejects.toMatchObject({ code: 'cancelled' });
    expect(runtime.clock.pending()).toBe(0);
    expect(inner.closed).toBeGreaterThan(0);
  });
});

describe('rules', () => {
  const fault = { type: 'reset' } as const;
  const node = (id: string): Partial<Attempt> => ({ scopes: [{ kind: 'node', id: `run_1/${id}` }] });

  test.each<[string, Omit<ChaosRule, 'fault'>, Partial<Attempt>, boolean]>([
    ['no condition', {}, {}, true],
    ['the provider', { provider: 'he*' }, {}, true],
    ['another provider', { provider: 'there' }, {}, false],
    ['the model', { model: 'm' }, {}, true],
    ['another model', { provider: 'here', model: 'n' }, {}, false],
    ['a model with slashes', { model: 'org/*' }, { target: { provider: 'here', model: 'org/a/b' } }, true],
    ['the node', { node: 'summar*' }, node('summarise'), true],
    ['another node', { node: 'translate' }, node('summarise'), false],
    ['a node, but no run', { node: '*' }, {}, false],
    ['the purpose', { purpose: 'judge' }, { purpose: 'judge' }, true],
    ['another purpose', { purpose: 'judge' }, {}, false],
    ['no share', { share: 0 }, {}, false],
    ['none at most', { most: 0 }, {}, false],
  ])('%s', async (_, rule, fields, isHit) => {
    const { transport } = networkOf([]);
    const network = (await wrapping({ rules: [{ ...rule, fault }] }))(transport, attempt(fields));
    expect(network !== transport).toBe(isHit);
  });

  async function hits(rules: readonly ChaosRule[], seed: number, count = 400): Promise<string> {
    const told: number[] = [];
    const wrap = await wrapping({
      rules,
      seed,
      onFault: ({ rule, attemptKey }) => rule === 0 && told.push(Number(attemptKey.split('/')[1])),
    });
    for (let number = 1; number <= count; number += 1) wrap(networkOf([]).transport, attempt({ number }));
    return told.join(' ');
  }

  test('a share is hit by the seed alone, whatever other rules do', async () => {
    const rule = { share: 0.25, fault };
    const one = await hits([rule], 7);
    expect(await hits([rule, { share: 0.5, fault }], 7)).toBe(one);
    expect(await hits([rule], 8)).not.toBe(one);
    const count = one.split(' ').length;
    expect(count).toBeGreaterThan(70);
    expect(count).toBeLessThan(130);
  });

  test('the first attempts, at most as many as the rule says', async () => {
    expect(await hits([{ most: 3, fault }], 1, 10)).toBe('1 2 3');
  });

  test('several that hit an attempt all act on it', async () => {
    const runtime = fakeRuntime();
    const rules: readonly ChaosRule[] = [
      { fault: { type: 'cut', at: { bytes: 20 } } },
      { fault: { type: 'latency', ms: 50 } },
    ];
    const { signal } = new AbortController();
    const network = (await wrapping({ rules }, runtime))(networkOf([Buffer.from(STREAM)]).transport, attempt());
    const pending = network.request({ method: 'POST', url: 'http://here/v1', headers: {}, signal });
    await runtime.clock.advance(50);
    expect(await read(await pending)).toEqual({ text: STREAM.slice(0, 20) });
  });

  test.each<[string, unknown]>([
    ['rules is empty', []],
    ['rules[0].providr is no field', [{ providr: 'mine', fault }]],
    ['rules[0].fault.at is {"bytes":1,"events":1}', [{ fault: { type: 'cut', at: { bytes: 1, events: 1 } } }]],
    ['rules[0].share is 2', [{ share: 2, fault }]],
    ['rules[0].most is 1.5', [{ most: 1.5, fault }]],
    ['rules[0].fault.type is "flood"', [{ fault: { type: 'flood' } }]],
    ['rules[0].fault.type is undefined', [{}]],
    ['rules[1].fault.status is 200', [{ fault }, { fault: { type: 'status', status: 200 } }]],
    ['rules[0].fault.ms is null', [{ fault: { type: 'latency', ms: Number.NaN } }]],
    ['rules[0].fault.at is undefined', [{ fault: { type: 'cut' } }]],
    ['rules[0].fault.at.bytes is -1', [{ fault: { type: 'stall', at: { bytes: -1 } } }]],
    ['rules[0].fault.event is 0', [{ fault: { type: 'malformed', event: 0 } }]],
    ['rules[0].purpose is "judg"; give one of answer, planner, judge', [{ purpose: 'judg', fault }]],
    ['rules[0].model is 5; give a text', [{ model: 5, fault }]],
    ['rules[0].fault.after is no field; give some of type, at', [{ fault: { type: 'reset', after: 5 } }]],
    ['rules[0].fault.fields is "a"; give a list of names', [{ fault: { type: 'wrong-types', fields: 'a' } }]],
    ['rules[0] is null; give a rule', [null]],
    ['rules[0].fault.bytes is 0', [{ fault: { type: 'drip', bytes: 0, everyMs: 1 } }]],
  ])('are refused: %s', (message, rules) => {
    expect(() => chaos({ rules: rules as readonly ChaosRule[] })).toThrow(message);
  });

  test('and so is a callback that is none, and an option that does not exist', () => {
    const rules = [{ fault }];
    expect(() => chaos({ rules, onFault: 'x' as never })).toThrow('chaos: onFault is "x"; give a function.');
    expect(() => chaos({ rules, sed: 3 } as never)).toThrow(
      'chaos: sed is no field; give some of rules, seed, onFault.',
    );
  });
});
