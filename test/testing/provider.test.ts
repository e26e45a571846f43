/** The provider suite passes good providers, in process and over HTTP, and catches those that break a promise. */
import { describe, expect, test } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { ModelEvent } from '../../src/core/model/model.ts';
import type { EndpointReport, Provider, Transport, WireFormat } from '../../src/core/model/provider.ts';
import { httpProvider } from '../../src/kit/http/http-provider.ts';
import { fakeCard, fakeProvider, finish, type ProviderFixture, testProvider } from '../../src/testing/index.ts';
import { failuresOf } from './broken.ts';

const KEY = 'key-0123456789abcdef';
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A server that says three lines, one a chunk, and stops when it is told to. */
const threeLines: Transport = {
  async request({ signal }) {
    const body = async function* (): AsyncGenerator<Uint8Array> {
      for (const line of ['one\n', 'two\n', 'end\n']) {
        if (signal.aborted) throw new PolyphonyError('cancelled', 'The request was cancelled.');
        yield encoder.encode(line);
      }
    };
    return { status: 200, headers: {}, body: body(), bytes: async () => new Uint8Array() };
  },
  close: async () => {},
};

/** One line a delta; `end` is the end. */
const lines: WireFormat = {
  encode: () => ({ url: '/', headers: {}, body: '' }),
  async *decode({ body }) {
    for await (const chunk of body) {
      const line = decoder.decode(chunk).trim();
      if (line === 'end') yield finish();
      else if (/^\w+$/.test(line)) yield { type: 'text-delta', text: line };
      else throw new PolyphonyError('truncated', 'The server answered with no line: try again.');
    }
  },
  classify: (status) =>
    new PolyphonyError(
      status === 429 ? 'rate-limited' : 'overloaded',
      `The server answered ${status}: try again later.`,
    ),
  rateLimits: (headers) =>
    headers['x-left'] === undefined ? [] : [{ kind: 'requests', remaining: Number(headers['x-left']) }],
};

const overHttp = (): Provider =>
  httpProvider({
    id: 'lines',
    wire: lines,
    baseURL: 'http://localhost',
    models: [fakeCard({ id: 'one' })],
    apiKeys: [KEY],
  });

const fixtureOf = (provider: Provider): ProviderFixture => ({
  provider,
  transport: threeLines,
  secrets: [KEY],
  rateLimitHeaders: { 'x-left': '3' },
});

const inProcess = (script: readonly ModelEvent[]): Provider => fakeProvider({ script: () => script });
const delta: ModelEvent = { type: 'text-delta', text: 'a' };
const usage = (fields: object): ModelEvent => finish({ usage: { input: 1, output: 1, ...fields } });

/** The provider over HTTP with its stream replaced. */
const streaming = (stream: Provider['stream']): Provider => ({ ...overHttp(), stream });

const reporting = (...reports: readonly EndpointReport[]): Provider =>
  fakeProvider({ script: () => [...reports.map((report) => ({ report })), delta, finish()] });

/** Over HTTP, hiding the limits of some answers. */
const unreported = (hides: (response: { readonly status: number }) => boolean): Pick<Provider, 'stream'> => ({
  stream: (attempt, context) =>
    overHttp().stream(attempt, {
      ...context,
      transport: {
        async request(request) {
          const response = await context.transport.request(request);
          return hides(response) ? { ...response, headers: {} } : response;
        },
        close: () => context.transport.close(),
      },
    }),
});

const ONE_FINISH = 'streams to one finish event, which is the last, with whole numbers of tokens';
const CARDS = 'has an id and cards that a router can use';
const ALREADY = 'sends nothing for a call that is cancelled already';
const WHILE = 'stops when it is cancelled while it streams, and says so';
const WHY = 'passes on why it was cancelled';
const REPORTS = 'reports what its endpoint states, at most twice per attempt and in whole figures';
const LIMITS = 'reports the limits that headers state, of an answer and of a refusal';
const BAD_ANSWER = 'throws a PolyphonyError for every error response, and shows no key in it';

const broken: Readonly<Record<string, readonly [() => Provider, string]>> = {
  'ends without a finish': [() => inProcess([delta]), ONE_FINISH],
  'goes on after its finish': [() => inProcess([finish(), delta]), ONE_FINISH],
  'finishes twice': [() => inProcess([finish(), finish()]), ONE_FINISH],
  'counts half tokens': [() => inProcess([delta, usage({ output: 0.5 })]), ONE_FINISH],
  'counts fewer than none': [() => inProcess([delta, usage({ reasoning: -1 })]), ONE_FINISH],
  'caches more than it read': [() => inProcess([delta, usage({ cacheRead: 2 })]), ONE_FINISH],
  'prices itself': [() => inProcess([delta, finish({ costNanoUsd: 1 })]), ONE_FINISH],
  'routes itself': [() => inProcess([{ type: 'route', target: { provider: 'a', model: 'b' } }, finish()]), ONE_FINISH],
  'has a malformed id': [() => ({ ...overHttp(), id: 'No Id' }), CARDS],
  'has a card without context': [() => fakeProvider({ models: [fakeCard({ id: 'one', contextTokens: 0 })] }), CARDS],
  'has a negative price': [
    () => fakeProvider({ models: [fakeCard({ id: 'one', price: { input: -1, output: 0 } })] }),
    CARDS,
  ],
  'has two cards of one name': [
    () => fakeProvider({ models: [fakeCard({ id: 'a' }), fakeCard({ id: 'b', aliases: ['a'] })] }),
    CARDS,
  ],
  'never looks at the signal': [
    () =>
      streaming(async function* () {
        yield delta;
        yield finish();
      }),
    WHILE,
  ],
  'sends before it looks at the signal': [
    () =>
      streaming(async function* (attempt, { transport }) {
        await transport.request({ method: 'GET', url: '', headers: {}, signal: new AbortController().signal });
        if (attempt.signal.aborted) throw new PolyphonyError('cancelled', 'The call was cancelled.');
        yield finish();
      }),
    ALREADY,
  ],
  'hides why it was cancelled': [
    () =>
      streaming(async function* ({ signal }) {
        if (signal.aborted) throw new PolyphonyError('cancelled', 'The call was cancelled.');
        yield finish();
      }),
    WHY,
  ],
  'leaves bodies open': [
    () =>
      streaming(async function* (_attempt, { transport }) {
        await transport.request({ method: 'GET', url: '', headers: {}, signal: new AbortController().signal });
        yield finish();
      }),
    'closes what it opened, read to the end or left early',
  ],
  'throws errors of its own': [
    () =>
      streaming(async function* (attempt, { transport }) {
        const { signal } = attempt;
        const { status } = await transport.request({ method: 'GET', url: '', headers: {}, signal });
        if (status !== 200) throw new Error('bad');
        yield finish();
      }),
    BAD_ANSWER,
  ],
  'takes anything for an answer': [
    () =>
      streaming(async function* (attempt, { transport }) {
        const { signal } = attempt;
        await (await transport.request({ method: 'GET', url: '', headers: {}, signal })).bytes();
        yield finish();
      }),
    'throws a PolyphonyError for a malformed answer',
  ],
  'calls every fault overload': [
    () =>
      streaming(async function* (attempt, { transport }) {
        const { signal } = attempt;
        await transport.request({ method: 'GET', url: '', headers: {}, signal }).catch(() => {
          throw new PolyphonyError('overloaded', 'Something went wrong.');
        });
        yield finish();
      }),
    'passes on an error of the network',
  ],
  'reports a price in parts of nano-dollars': [() => reporting({ costNanoUsd: 0.5 }), REPORTS],
  'reports a limit that is no number': [
    () => reporting({ rateLimits: [{ kind: 'tokens', remaining: Number.NaN }] }),
    REPORTS,
  ],
  'reports an id that is empty': [() => reporting({ requestId: '' }), REPORTS],
  'reports again and again': [() => reporting({}, {}, {}), REPORTS],
  'keeps limits to itself': [() => ({ ...overHttp(), ...unreported(({ status }) => status > 0) }), LIMITS],
  'keeps the limits of refusals to itself': [
    () => ({ ...overHttp(), ...unreported(({ status }) => status === 429) }),
    LIMITS,
  ],
  'answers one at a time': [
    () => {
      let busy = false;
      return streaming(async function* () {
        if (busy) throw new PolyphonyError('overloaded', 'One at a time.');
        busy = true;
        await new Promise((resolve) => setImmediate(resolve));
        busy = false;
        yield finish();
      });
    },
    'answers several requests at the same time',
  ],
};

describe('testProvider', () => {
  test('passes a provider over HTTP', async () => {
    expect(await failuresOf((run) => testProvider({ test: run, make: () => fixtureOf(overHttp()) }))).toEqual([]);
  });
  test('passes a provider in process', async () => {
    const make = (): ProviderFixture => ({ provider: inProcess([delta, delta, finish()]), transport: threeLines });
    expect(await failuresOf((run) => testProvider({ test: run, make }))).toEqual([]);
  });
  test.each(Object.entries(broken))('catches one that %s', async (_, [make, caught]) => {
    expect(await failuresOf((run) => testProvider({ test: run, make: () => fixtureOf(make()) }))).toContain(caught);
  });
});
