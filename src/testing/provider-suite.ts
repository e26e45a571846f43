/** The conformance suite of Provider: over HTTP or in process, against recordings, a loopback server or the vendor. */
import assert from 'node:assert/strict';
import { PolyphonyError } from '../core/errors.ts';
import {
  type Attempt,
  CAPABILITIES,
  type FinishEvent,
  type ModelEvent,
  type ModelRequest,
  TIERS,
} from '../core/model/model.ts';
import type { EndpointReport, ModelCard, Provider, Transport, TransportResponse } from '../core/model/provider.ts';
import { providerContext } from './provider-context.ts';
import { gather, type TestFunction } from './suite.ts';
import { watchTransport } from './watched-transport.ts';

export interface ProviderFixture {
  readonly provider: Provider;
  /** The transport to a server that answers `request`. A provider in process does not use it. */
  readonly transport: Transport;
  /** A request that the first model answers. @default a chat of one word */
  readonly request?: ModelRequest;
  /** Keys that must not appear in an error. @default none */
  readonly secrets?: readonly string[];
  /**
   * Headers in which the server states limits, by lower-case names: the provider must report them, for an answer and for a
   * refusal. @default none
   */
  readonly rateLimitHeaders?: Readonly<Record<string, string>>;
  readonly close?: () => Promise<void>;
}

export interface ProviderSuiteOptions {
  readonly test: TestFunction;
  readonly make: () => ProviderFixture | Promise<ProviderFixture>;
}

type ProviderTest = (name: string, run: (fixture: ProviderFixture) => Promise<void>) => void;

const GREETING: ModelRequest = { operation: 'chat', messages: [{ role: 'user', content: 'Hello' }] };

/** Declares the tests that every provider passes. */
export function testProvider({ test, make }: ProviderSuiteOptions): void {
  const check: ProviderTest = (name, run) => {
    test(name, async () => {
      const fixture = await make();
      try {
        await run(fixture);
      } finally {
        await fixture.close?.();
        await fixture.provider.close?.();
      }
    });
  };
  check('has an id and cards that a router can use', async ({ provider }) => {
    assert.match(provider.id, /^[a-z][a-z0-9-]*$/);
    for (const card of provider.models) checkCard(card);
    const ids = provider.models.flatMap(({ id, aliases = [] }) => [id, ...aliases]);
    assert.equal(new Set(ids).size, ids.length, 'two cards have the same id or alias');
  });
  streamTests(check);
  cancelTests(check);
  errorTests(check);
  reportTests(check);
}

function checkCard(card: ModelCard): void {
  const { id, operations, tier, strengths, capabilities, contextTokens, maxOutputTokens, price } = card;
  assert.ok(
    id !== '' && operations.length > 0 && TIERS.includes(tier),
    `card ${id}: it needs an id, an operation and a known tier`,
  );
  for (const capability of capabilities)
    assert.ok(CAPABILITIES.includes(capability), `card ${id}: the capability "${capability}" is unknown`);
  for (const [field, strength] of Object.entries(strengths)) {
    assert.ok(strength >= 0 && strength <= 1, `card ${id}: strength ${field} is ${strength}, not a number from 0 to 1`);
  }
  assert.ok(
    Number.isInteger(contextTokens) && contextTokens > 0,
    `card ${id}: contextTokens is ${contextTokens}, not a whole number above 0`,
  );
  assert.ok(
    Number.isInteger(maxOutputTokens) && maxOutputTokens >= 0,
    `card ${id}: maxOutputTokens is ${maxOutputTokens}, not a whole number of 0 or more`,
  );
  for (const [kind, usd] of Object.entries(price ?? {})) {
    if (typeof usd === 'number')
      assert.ok(Number.isFinite(usd) && usd >= 0, `card ${id}: price ${kind} is ${usd}, not 0 or more`);
  }
}

function attemptOf({ provider, request = GREETING }: ProviderFixture, signal: AbortSignal): Attempt {
  const model = provider.models[0]?.id ?? provider.unlisted?.('model')?.id ?? 'model';
  const target = { provider: provider.id, model };
  const trace = { attempts: [] };
  return { id: 'call_1', request, signal, purpose: 'answer', scopes: [], trace, target, number: 1 };
}

function open(fixture: ProviderFixture, transport = fixture.transport, signal = new AbortController().signal) {
  return fixture.provider.stream(attemptOf(fixture, signal), providerContext(transport));
}

function checkUsage({ usage }: FinishEvent): void {
  for (const [kind, count] of Object.entries(usage)) {
    assert.ok(Number.isInteger(count) && count >= 0, `usage.${kind} is ${count}, not a whole number of 0 or more`);
  }
  const { input, output, cacheRead = 0, cacheWrite = 0, cacheWriteLong = 0, reasoning = 0 } = usage;
  const { audioInput = 0, imageInput = 0, audioOutput = 0, imageOutput = 0 } = usage;
  assert.ok(cacheRead + cacheWrite <= input, 'cached tokens are part of the input');
  assert.ok(
    cacheWriteLong <= cacheWrite,
    'tokens written to the cache for an hour are part of those written to the cache',
  );
  assert.ok(reasoning <= output, 'reasoning tokens are part of the output');
  assert.ok(audioInput + imageInput <= input, 'tokens of audio and pictures are part of the input');
  assert.ok(audioOutput + imageOutput <= output, 'tokens of audio and pictures are part of the output');
}

function streamTests(check: ProviderTest): void {
  check('streams to one finish event, which is the last, with whole numbers of tokens', async (fixture) => {
    const events = await gather(open(fixture));
    const finishes = events.filter((event) => event.type === 'finish');
    assert.equal(finishes.length, 1, `there are ${finishes.length} finish events instead of 1`);
    const last = events.at(-1);
    assert.ok(last?.type === 'finish', `the last event is ${last?.type}`);
    checkUsage(last);
    assert.ok(
      !events.some(({ type }) => type === 'route' || type === 'restart'),
      'only the gateway sends route and restart',
    );
    assert.ok(last.costNanoUsd === undefined, 'only the gateway sets costNanoUsd');
  });
  check('closes what it opened, read to the end or left early', async (fixture) => {
    const watched = watchTransport(fixture.transport);
    await gather(open(fixture, watched.transport));
    assert.equal(watched.open(), 0, 'a body stays open after the end');
    for await (const _event of open(fixture, watched.transport)) break;
    assert.equal(watched.open(), 0, 'a body stays open after the reader left');
  });
  check('answers several requests at the same time', async (fixture) => {
    const streams = await Promise.all([gather(open(fixture)), gather(open(fixture)), gather(open(fixture))]);
    for (const events of streams) assert.equal(events.at(-1)?.type, 'finish');
  });
}

/** The error of the stream; undefined if it ends without one. */
async function thrownBy(events: AsyncIterable<ModelEvent>): Promise<unknown> {
  try {
    await gather(events);
    return undefined;
  } catch (error) {
    return error;
  }
}

function checkCode(error: unknown, code: string): void {
  assert.ok(error instanceof PolyphonyError, `expected a PolyphonyError, got ${String(error)}`);
  assert.equal(error.code, code);
}

function cancelTests(check: ProviderTest): void {
  check('sends nothing for a call that is cancelled already', async (fixture) => {
    const watched = watchTransport(fixture.transport);
    const error = await thrownBy(open(fixture, watched.transport, AbortSignal.abort()));
    checkCode(error, 'cancelled');
    assert.equal(watched.sent(), 0, 'a request was sent');
  });
  check('stops when it is cancelled while it streams, and says so', async (fixture) => {
    const watched = watchTransport(fixture.transport);
    const controller = new AbortController();
    const seen: ModelEvent[] = [];
    const read = async (): Promise<void> => {
      for await (const event of open(fixture, watched.transport, controller.signal)) {
        seen.push(event);
        controller.abort();
      }
    };
    const error = await read().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (seen[0]?.type !== 'finish') checkCode(error, 'cancelled');
    assert.equal(watched.open(), 0, 'a body stays open');
  });
  check('passes on why it was cancelled', async (fixture) => {
    const reason = new PolyphonyError('timeout', 'The call took longer than 5 ms: raise the limit.');
    checkCode(await thrownBy(open(fixture, fixture.transport, AbortSignal.abort(reason))), 'timeout');
  });
}

const encoder = new TextEncoder();

/** Answers every request with one status and body. */
function answering(status: number, text: string, added: Readonly<Record<string, string>> = {}): Transport {
  const bytes = encoder.encode(text);
  const body = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
  };
  const headers = { 'content-type': 'application/json', ...added };
  const response = (): TransportResponse => ({ status, headers, body: body(), bytes: async () => bytes });
  return { request: async () => response(), close: async () => {} };
}

function errorTests(check: ProviderTest): void {
  check('throws a PolyphonyError for every error response, and shows no key in it', async (fixture) => {
    const secrets = fixture.secrets ?? [];
    const echo = JSON.stringify({ error: { message: `Incorrect key provided: ${secrets.join(' ')}` } });
    for (const status of [400, 401, 403, 404, 429, 500, 503]) {
      const watched = watchTransport(answering(status, echo));
      checkError(await thrownBy(open(fixture, watched.transport)), watched.sent() > 0, secrets, `status ${status}`);
    }
  });
  check('throws a PolyphonyError for a malformed answer', async (fixture) => {
    for (const text of ['', 'not json', '{"unexpected":', '[]']) {
      const watched = watchTransport(answering(200, text));
      checkError(await thrownBy(open(fixture, watched.transport)), watched.sent() > 0, [], JSON.stringify(text));
    }
  });
  check('passes on an error of the network', async (fixture) => {
    const error = new PolyphonyError('network', 'The connection was reset: try again.');
    const watched = watchTransport({ request: () => Promise.reject(error), close: async () => {} });
    const thrown = await thrownBy(open(fixture, watched.transport));
    if (watched.sent() > 0) checkCode(thrown, 'network');
  });
}

/** A provider in process sends no request, so it gets no error response. */
function checkError(error: unknown, asked: boolean, secrets: readonly string[], what: string): void {
  if (!asked) return;
  assert.ok(error instanceof PolyphonyError, `${what}: expected a PolyphonyError, got ${String(error)}`);
  const shown = `${error.message} ${JSON.stringify(error.details ?? {})} ${error.stack} ${String(error.cause)}`;
  for (const secret of secrets) assert.ok(!shown.includes(secret), `${what}: the error shows a key`);
}

function reportTests(check: ProviderTest): void {
  check('reports what its endpoint states, at most twice per attempt and in whole figures', async (fixture) => {
    const { reports } = await reportsOf(fixture, fixture.transport);
    assert.ok(reports.length <= 2, `there are ${reports.length} reports of one attempt, but at most 2 are allowed`);
    for (const report of reports) checkReport(report);
  });
  check('reports the limits that headers state, of an answer and of a refusal', async (fixture) => {
    const { rateLimitHeaders } = fixture;
    if (rateLimitHeaders === undefined) return;
    const answered = await reportsOf(fixture, withHeaders(fixture.transport, rateLimitHeaders));
    assert.ok(answered.error === undefined, `limits in headers broke the answer: ${String(answered.error)}`);
    checkLimits(answered.reports, 'an answer');
    const body = JSON.stringify({ error: { message: 'Too many requests' } });
    const refused = await reportsOf(fixture, answering(429, body, rateLimitHeaders));
    checkCode(refused.error, 'rate-limited');
    checkLimits(refused.reports, 'a refusal');
  });
}

async function reportsOf(
  fixture: ProviderFixture,
  transport: Transport,
): Promise<{ readonly reports: readonly EndpointReport[]; readonly error: unknown }> {
  const context = providerContext(transport);
  const attempt = attemptOf(fixture, new AbortController().signal);
  const error = await thrownBy(fixture.provider.stream(attempt, context));
  return { reports: context.reports, error };
}

function withHeaders(inner: Transport, headers: Readonly<Record<string, string>>): Transport {
  return {
    async request(request) {
      const response = await inner.request(request);
      return {
        status: response.status,
        headers: { ...response.headers, ...headers },
        body: response.body,
        bytes: (limitBytes) => response.bytes(limitBytes),
      };
    },
    close: () => inner.close(),
  };
}

function checkLimits(reports: readonly EndpointReport[], what: string): void {
  for (const report of reports) checkReport(report);
  const limits = reports.flatMap(({ rateLimits = [] }) => rateLimits);
  assert.ok(limits.length > 0, `the limits in the headers of ${what} were not reported`);
}

function checkReport({ rateLimits = [], costNanoUsd = 0, ...texts }: EndpointReport): void {
  for (const { kind, limit = 0, remaining = 0, resetMs = 0 } of rateLimits) {
    assert.ok(kind === 'requests' || kind === 'tokens', `a limit has the kind "${kind}", not "requests" or "tokens"`);
    for (const figure of [limit, remaining, resetMs]) {
      assert.ok(Number.isFinite(figure) && figure >= 0, `a limit has the figure ${figure}, not a number of 0 or more`);
    }
  }
  assert.ok(
    Number.isInteger(costNanoUsd) && costNanoUsd >= 0,
    `costNanoUsd is ${costNanoUsd}, not a whole number of 0 or more`,
  );
  for (const [name, text] of Object.entries(texts)) {
    assert.ok(
      typeof text === 'string' && text !== '',
      `${name} is ${JSON.stringify(text)}: leave out what is not stated`,
    );
  }
}
