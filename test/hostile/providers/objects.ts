/** Providers that are objects of a program, and keep to nothing that their type says. */
import { PolyphonyError } from '../../../src/core/errors.ts';
import type { Attempt } from '../../../src/core/model/model.ts';
import type { ProviderContext } from '../../../src/core/model/provider.ts';
import { fakeCard, finish } from '../../../src/testing/fakes.ts';
import { each, type Family } from '../harness/report.ts';
import type { ObjectCase } from './provider-case.ts';

const text = { type: 'text-delta', text: 'x' };
const never = new Promise<never>(() => {});

/** Until the caller stops; what a provider should do when it waits. */
const stopped = ({ signal }: Attempt): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** A stream of these events, of which some are none. */
const yields = (...events: readonly unknown[]): ObjectCase => ({
  provider: {
    async *stream() {
      yield* events;
    },
  },
});

const throws = (thrown: unknown, before: readonly unknown[] = []): ObjectCase => ({
  ends: 'error',
  provider: {
    async *stream() {
      yield* before;
      throw thrown;
    },
  },
});

const withoutText = Object.defineProperty(new Error('x'), 'message', {
  get() {
    throw new Error('no message');
  },
});
const circular: { self?: unknown } = {};
circular.self = circular;

const THROWN: Readonly<Record<string, unknown>> = {
  'type-error': new TypeError('odd'),
  text: 'just text',
  nothing: undefined,
  null: null,
  number: 0,
  symbol: Symbol('s'),
  frozen: Object.freeze({}),
  proto: Object.create(null),
  circular,
  'without-text': withoutText,
  'text-that-throws': {
    toString() {
      throw new Error('no text');
    },
  },
  'of-another-class': Object.assign(new Error('x'), { name: 'PolyphonyError', code: '__proto__', retryable: true }),
  'waits-for-ever': new PolyphonyError('rate-limited', 'x', { retryAfterMs: 1e15 }),
  'waits-not-a-number': new PolyphonyError('rate-limited', 'x', { retryAfterMs: Number.NaN }),
  'waits-negative': new PolyphonyError('overloaded', 'x', { retryAfterMs: -1e9 }),
  'details-circular': new PolyphonyError('network', 'x', { details: { circular } }),
  'abort-of-nobody': new DOMException('stop', 'AbortError'),
  'of-megabytes': new Error('x'.repeat(20_000_000)),
};

const returns = (stream: (attempt: Attempt) => unknown): ObjectCase => ({ ends: 'error', provider: { stream } });

const RETURNED: Readonly<Record<string, (attempt: Attempt) => unknown>> = {
  'throws-at-once': () => {
    throw new TypeError('at once');
  },
  'throws-nothing-at-once': () => {
    throw undefined;
  },
  undefined: () => undefined,
  null: () => null,
  text: () => 'fine',
  promise: () => Promise.resolve([text, finish()]),
  'rejected-promise': () => Promise.reject(new Error('rejected')),
  empty: () => [],
  'promises-in-list': () => [Promise.resolve(text)],
  'no-next': () => ({ [Symbol.asyncIterator]: () => ({}) }),
  'next-undefined': () => ({ [Symbol.asyncIterator]: () => ({ next: () => undefined }) }),
  'next-throws': () => ({
    [Symbol.asyncIterator]: () => ({
      next() {
        throw new Error('next');
      },
    }),
  }),
  'next-never': () => ({ [Symbol.asyncIterator]: () => ({ next: () => never }) }),
  'next-never-return-never': () => ({ [Symbol.asyncIterator]: () => ({ next: () => never, return: () => never }) }),
  'return-throws': (attempt) => ({
    [Symbol.asyncIterator]: () => ({
      next: () => stopped(attempt).then(() => ({ done: false, value: text })),
      return() {
        throw new Error('return');
      },
    }),
  }),
  'return-rejects': () => ({
    [Symbol.asyncIterator]: () => ({ next: () => never, return: () => Promise.reject(new Error('return')) }),
  }),
  'iterator-throws': () => ({
    [Symbol.asyncIterator]() {
      throw new Error('iterator');
    },
  }),
};

const ORDERS: Readonly<Record<string, readonly unknown[]>> = {
  'no-finish': [text, text],
  nothing: [],
  'only-finish': [finish()],
  'two-finishes': [text, finish(), finish({ usage: { input: 9, output: 9 } })],
  'text-after-finish': [text, finish(), text, text],
  'undefined-event': [undefined, text, finish()],
  'null-event': [null, finish()],
  'event-of-text': ['fine', finish()],
  'unknown-event': [{ type: 'explode' }, { type: '__proto__' }, finish()],
  'text-of-number': [{ type: 'text-delta', text: 5 }, finish()],
  'text-missing': [{ type: 'text-delta' }, finish()],
  'route-of-its-own': [{ type: 'route', target: null }, text, finish()],
  'restarts-by-the-thousand': [
    ...Array.from({ length: 20_000 }, () => ({ type: 'restart', notice: 'again' })),
    text,
    finish(),
  ],
  'warnings-by-the-thousand': [
    ...Array.from({ length: 100_000 }, (_, index) => ({
      type: 'warning',
      warning: { code: `w${index}`, message: 'x' },
    })),
    text,
    finish(),
  ],
  'warning-of-nothing': [{ type: 'warning' }, text, finish()],
  'call-without-fields': [{ type: 'tool-call' }, finish({ reason: 'tool-calls' })],
  'call-circular': [{ type: 'tool-call', call: { type: 'tool-call', id: 'a', name: 't', input: circular } }, finish()],
  'call-of-big-numbers': [
    { type: 'tool-call', call: { type: 'tool-call', id: 'a', name: 't', input: { n: 10n } } },
    finish(),
  ],
  'call-delta-strange': [{ type: 'tool-call-delta', index: -1, id: null, name: {}, delta: 5 }, finish()],
  'output-of-another': [{ type: 'output', output: { operation: 'embed', vectors: [[Number.NaN]] } }, finish()],
  'finish-bare': [text, { type: 'finish' }],
  'finish-reason-unknown': [text, { ...finish(), reason: '__proto__' }],
  'finish-strange': [
    text,
    { ...finish(), model: 5, confidence: Number.NaN, citations: 'many', logprobs: {}, raw: circular },
  ],
  'text-of-megabytes': [{ type: 'text-delta', text: 'a'.repeat(80_000_000) }, finish()],
  'half-emojis': [...Array.from({ length: 1000 }, () => ({ type: 'text-delta', text: '\ud83d' })), finish()],
};

const COUNTS: Readonly<Record<string, unknown>> = {
  negative: -1e9,
  'not-a-number': Number.NaN,
  infinite: Number.POSITIVE_INFINITY,
  huge: 1e308,
  fraction: 0.1,
  text: '12',
  undefined,
  'big-integer': 10n,
  symbol: Symbol('n'),
};

const REPORTS: Readonly<Record<string, unknown>> = {
  nothing: undefined,
  'negative-cost': { costNanoUsd: -1e9 },
  'cost-not-a-number': { costNanoUsd: Number.NaN },
  'huge-cost': { costNanoUsd: 1e300 },
  'limits-strange': { rateLimits: [{ kind: 'requests', limit: Number.NaN, remaining: -5, resetMs: 1e300 }, null, 'x'] },
  'limits-no-list': { rateLimits: { kind: 'tokens' } },
  'nothing-remaining-for-ages': { rateLimits: [{ kind: 'requests', limit: 1, remaining: 0, resetMs: 1e15 }] },
};

const card = (fields: object): ObjectCase => ({
  mayBeRefused: true,
  provider: { models: [{ ...fakeCard({ id: 'm' }), ...fields }] },
});

const CARDS: Readonly<Record<string, object>> = {
  'context-negative': { contextTokens: -1 },
  'context-not-a-number': { contextTokens: Number.NaN },
  'output-infinite': { maxOutputTokens: Number.POSITIVE_INFINITY },
  'output-negative': { maxOutputTokens: -5 },
  'price-negative': { price: { input: -5, output: -5 } },
  'price-not-a-number': { price: { input: Number.NaN, output: Number.NaN } },
  'price-huge': { price: { input: 1e300, output: 1e300 } },
  'price-of-text': { price: { input: '1', output: '2' } },
  'capabilities-none': { capabilities: [] },
  'capabilities-lie': { capabilities: ['text', 'everything', '__proto__'] },
  'strengths-strange': { strengths: { general: Number.NaN, __proto__: 5 } },
  'operations-none': { operations: [] },
  'tier-unknown': { tier: 'gods' },
  'expected-negative': { expectedMs: -1e9 },
};

const floods: Family<ObjectCase> = {
  'object-flood-of-events': {
    provider: {
      async *stream() {
        for (let count = 0; count < 2_000_000; count += 1) yield text;
        yield finish();
      },
    },
  },
  'object-never-stops': {
    ends: 'error',
    provider: {
      async *stream() {
        for (;;) yield text;
      },
    },
  },
  'object-nobody-reads': {
    readerWaitsMs: 2000,
    provider: {
      async *stream() {
        for (;;) yield text;
      },
    },
  },
  'object-ignores-the-signal': {
    ends: 'error',
    provider: {
      async *stream() {
        yield text;
        await never;
      },
    },
  },
};

const lateEffects: Family<ObjectCase> = {
  'object-rejects-beside': {
    provider: {
      async *stream({ signal }: Attempt) {
        yield text;
        signal.throwIfAborted();
        yield finish();
      },
      probe: () => Promise.reject(undefined),
      countTokens: () => never,
    },
  },
  'object-reports-late': {
    ends: 'answer',
    provider: {
      async *stream(_attempt: Attempt, { report }: ProviderContext) {
        yield text;
        yield finish();
        queueMicrotask(() => report({ requestId: 'late', costNanoUsd: -1 }));
      },
    },
  },
  'object-no-slots': { mayBeRefused: true, provider: { concurrency: 0 } },
  'object-slots-not-a-number': { mayBeRefused: true, provider: { concurrency: Number.NaN } },
  'object-close-throws': {
    provider: {
      close() {
        throw new Error('close');
      },
    },
  },
  'object-close-rejects': { provider: { close: () => Promise.reject(new Error('close')) } },
  'object-close-never': { provider: { close: () => never } },
  'object-name-proto': { mayBeRefused: true, provider: { id: '__proto__' } },
  'object-no-models': { mayBeRefused: true, provider: { models: [] } },
  'object-models-null': { mayBeRefused: true, provider: { models: null } },
};

export const objects: readonly Family<ObjectCase>[] = [
  each('throws', THROWN, (thrown) => throws(thrown)),
  each('throws-late', THROWN, (thrown) => throws(thrown, [text])),
  each('returns', RETURNED, returns),
  each('events', ORDERS, (events) => yields(...events)),
  each(
    'counts',
    COUNTS,
    (count): ObjectCase => ({
      ...yields(text, { ...finish(), usage: { input: count, output: count, cacheRead: count, reasoning: count } }),
      ends: 'answer',
    }),
  ),
  each(
    'reports',
    REPORTS,
    (told): ObjectCase => ({
      // Nothing left for ages is believed, for a day: the next call is refused at once instead of waiting.
      ...(told === REPORTS['nothing-remaining-for-ages'] ? {} : { ends: 'answer' as const }),
      provider: {
        async *stream(_attempt: Attempt, { report }: { readonly report: (value: unknown) => void }) {
          report(told);
          yield text;
          yield finish();
        },
      },
    }),
  ),
  each('card', CARDS, card),
  floods,
  lateEffects,
];
