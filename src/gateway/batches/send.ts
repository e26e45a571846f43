/**
 * What is done with one batch at its provider: it is sent once, looked for where nobody knows whether it was sent, polled, and its
 * answers are read when it has ended.
 */
import { asPolyphonyError, PolyphonyError } from '../../core/errors.ts';
import type { BatchContext, BatchEndpoint, NewBatch } from '../../core/model/batch.ts';
import type { ModelRequest, Target } from '../../core/model/model.ts';
import { joinedSignal } from '../../core/on-abort.ts';
import { nameOf } from '../calls/target.ts';
import { dropFinished, finishCall, type Outcome } from './finish.ts';
import type { BatchStore, KeptAnswer, KeptBatch, KeptCall } from './kept.ts';
import type { QueueParts } from './queue-parts.ts';
import { dropStep, isFormed, maySubmit } from './steps.ts';

export interface BatchParts {
  readonly parts: QueueParts;
  readonly store: BatchStore;
  /** Tells who waits in this process. */
  readonly deliver: (name: string, answer: KeptAnswer) => void;
  /** Aborts when the gateway closes. */
  readonly closing: AbortSignal;
}

/** What to do with the batch from now on; undefined: it is over. */
export type Step = KeptBatch | undefined;

/** The longest request to a provider about a batch, in milliseconds: it may upload or download much. */
export const REQUEST_MS = 300_000;
/** A provider that has said nothing useful of a batch for so long will not any more, in milliseconds. */
const GIVE_UP_MS = 3 * 86_400_000;
const POLL_MS = 30_000;
const MAX_POLL_MS = 600_000;

/** One step of the batch. Never rejects for what the provider does. */
export async function advance(given: BatchParts, batch: KeptBatch): Promise<Step> {
  const { parts, store } = given;
  const endpoint = parts.registry().providers.get(batch.target.provider)?.batch;
  if (endpoint === undefined) return orGivenUp(given, batch, noEndpoint(batch));
  try {
    const isCancelled = await store.isCancelled(batch.key);
    if (batch.given === undefined) return await sent(given, endpoint, batch, isCancelled);
    return await asked(given, endpoint, { ...batch, given: batch.given }, isCancelled);
  } catch (error) {
    if (given.closing.aborted) throw error;
    // It may have been sent just now.
    const { submits, submittingAt } = (await store.batch(batch.key)) ?? batch;
    const current = { ...batch, submits, ...(submittingAt === undefined ? {} : { submittingAt }) };
    return orGivenUp(given, current, asPolyphonyError(error));
  }
}

/** When it is looked at next. */
export function later(parts: QueueParts, batch: KeptBatch, atLeastMs = 0): KeptBatch {
  const { pollMs = POLL_MS, maxPollMs = MAX_POLL_MS } = parts.config().batches ?? {};
  const waitMs = Math.max(atLeastMs, Math.min(maxPollMs, pollMs * 1.5 ** Math.min(batch.polls, 50)));
  return { ...batch, polls: batch.polls + 1, nextAt: parts.clock.now() + Math.round(waitMs) };
}

/** Asks the provider to end a batch. Whoever drives it asks again while it goes on. */
export async function cancelSent(parts: QueueParts, closing: AbortSignal, batch: KeptBatch): Promise<void> {
  const { key, given, target } = batch;
  const endpoint = parts.registry().providers.get(target.provider)?.batch;
  if (given === undefined || endpoint === undefined) return;
  try {
    await within({ parts, closing }, target, (context) => endpoint.cancel(given, context));
  } catch (thrown) {
    const { code, message } = asPolyphonyError(thrown);
    parts.logger?.warn({ batch: key, code }, `A batch could not be cancelled yet: ${message}`);
  }
}

async function sent(given: BatchParts, endpoint: BatchEndpoint, batch: KeptBatch, isCancelled: boolean): Promise<Step> {
  const { parts, store } = given;
  const { keyValue } = parts;
  // Its process died before it had taken the calls: they are still queued.
  if (!(await isFormed(keyValue, batch.key))) return void (await store.dropBatch(batch.key));
  const calls = await callsOf(store, batch);
  if (batch.submits === 0 && calls.length < batch.calls.length) await dropLeft(given, batch, calls);
  if (batch.submits === 0 && calls.length === 0) return void (await store.dropBatch(batch.key));
  const asNew: NewBatch = { key: batch.key, requests: calls.map(({ name, request }) => ({ id: name, request })) };
  if (batch.submits > 0) {
    const since = batch.submittingAt ?? batch.createdAt;
    const found = await within(given, batch.target, (context) => endpoint.find(asNew, since, context));
    if (found !== undefined) return accepted(given, batch, found);
  }
  if (isCancelled) return end(given, batch, 'cancelled', calls, cancelled(batch));
  const now = parts.clock.now();
  const submitting: KeptBatch = {
    ...batch,
    submittingAt: batch.submittingAt ?? now,
    submits: batch.submits + 1,
    nextAt: now + 2 * REQUEST_MS,
  };
  // Written before the counter, which so is never ahead of what the next process reads.
  await store.keepBatch(submitting);
  if (!(await maySubmit(keyValue, submitting))) return later(parts, submitting, 2 * REQUEST_MS);
  return submitted(given, endpoint, submitting, asNew, calls);
}

async function submitted(
  given: BatchParts,
  endpoint: BatchEndpoint,
  batch: KeptBatch,
  asNew: NewBatch,
  calls: readonly KeptCall[],
): Promise<Step> {
  try {
    return accepted(given, batch, await within(given, batch.target, (context) => endpoint.submit(asNew, context)));
  } catch (thrown) {
    if (given.closing.aborted) throw thrown;
    const error = asPolyphonyError(thrown);
    // A server that failed, or whose answer was lost, may have accepted it: then it is looked for first.
    const isRefusal = error.unsent || (error.status !== undefined && error.status < 500);
    if (error.retryable || !isRefusal) throw error;
    return end(given, batch, 'refused', calls, error);
  }
}

function accepted({ parts }: BatchParts, batch: KeptBatch, id: string): KeptBatch {
  const { key, target, calls } = batch;
  const what = nameOf(target);
  const message = `A batch of ${counted(calls.length)} was sent to ${what}.`;
  parts.events.tell({ type: 'batch-sent', level: 'info', message, batch: key, what, calls: calls.length });
  return later(parts, { ...batch, given: id, polls: 0 });
}

async function asked(
  given: BatchParts,
  endpoint: BatchEndpoint,
  batch: KeptBatch & { readonly given: string },
  isCancelled: boolean,
): Promise<Step> {
  const ask = <T>(work: (context: BatchContext) => Promise<T>): Promise<T> => within(given, batch.target, work);
  const { state, said } = await ask((context) => endpoint.poll(batch.given, context));
  if (state === 'running') {
    if (isCancelled || batch.left.length >= batch.calls.length) {
      await ask((context) => endpoint.cancel(batch.given, context));
    }
    return later(given.parts, batch);
  }
  const calls = await callsOf(given.store, batch);
  const open = new Map(calls.map((call) => [call.name, call]));
  const requests = new Map<string, ModelRequest>(calls.map(({ name, request }) => [name, request]));
  let answered = 0;
  await ask(async (context) => {
    for await (const answer of endpoint.results(batch.given, requests, context)) {
      const call = open.get(answer.id);
      // Unknown, or answered already: the first answer counts.
      if (call === undefined) continue;
      open.delete(answer.id);
      if ('events' in answer) answered += 1;
      await finished(given, batch, call, answer);
    }
  });
  const why = isCancelled ? cancelled(batch) : unanswered(batch, said);
  return end(given, batch, said, [...open.values()], why, answered, calls);
}

/** Those without an answer fail with the reason; then nothing is left of the batch. */
async function end(
  given: BatchParts,
  batch: KeptBatch,
  outcome: string,
  open: readonly KeptCall[],
  error: PolyphonyError,
  answered = 0,
  all = open,
): Promise<undefined> {
  const { parts, store } = given;
  for (const call of open) await finished(given, batch, call, { error });
  await dropFinished(
    parts,
    store,
    all.map(({ name }) => name),
  );
  await store.dropBatch(batch.key);
  const what = nameOf(batch.target);
  const calls = batch.calls.length;
  const message = `A batch of ${counted(calls)} to ${what} has ended as ${outcome}: ${answered} of them answered.`;
  const level = open.length === 0 ? 'info' : 'warn';
  parts.events.tell({ type: 'batch-ended', level, message, batch: batch.key, what, calls, answered, outcome });
}

async function finished(given: BatchParts, batch: KeptBatch, call: KeptCall, outcome: Outcome): Promise<void> {
  given.deliver(call.name, await finishCall(given.parts, given.store, call, batch, outcome));
}

/** A failure of the provider is tried again, until nothing can be expected of it any more. */
async function orGivenUp(given: BatchParts, batch: KeptBatch, error: PolyphonyError): Promise<Step> {
  const { parts, store } = given;
  parts.logger?.warn({ batch: batch.key, code: error.code }, `A batch could not be looked after: ${error.message}`);
  if (parts.clock.now() - (batch.submittingAt ?? batch.createdAt) < GIVE_UP_MS) {
    return later(parts, batch, error.retryAfterMs);
  }
  const calls = await callsOf(store, batch);
  for (const call of calls) await finished(given, batch, call, { error, lost: batch.submits > 0 });
  return end(given, batch, 'lost', [], error, 0, calls);
}

/** Calls that another process gave back while this one took them are nobody's: their ids may be used again. */
async function dropLeft({ parts }: BatchParts, { calls }: KeptBatch, open: readonly KeptCall[]): Promise<void> {
  const names = new Set(open.map(({ name }) => name));
  for (const name of calls) if (!names.has(name)) await dropStep(parts.keyValue, name);
}

/** Those that are not finished yet. */
async function callsOf(store: BatchStore, batch: KeptBatch): Promise<readonly KeptCall[]> {
  const calls: KeptCall[] = [];
  for (const name of batch.calls) {
    const call = await store.call(name);
    if (call !== undefined) calls.push(call);
  }
  return calls;
}

/** A request of the provider, which ends in any case. */
async function within<T>(
  { parts, closing }: Pick<BatchParts, 'parts' | 'closing'>,
  target: Target,
  work: (context: BatchContext) => Promise<T>,
): Promise<T> {
  const { clock, transport, endpointReports } = parts;
  const limit = new AbortController();
  const late = (): PolyphonyError =>
    new PolyphonyError('timeout', `${nameOf(target)} did not answer a question about a batch within ${REQUEST_MS} ms.`);
  const stop = clock.schedule(REQUEST_MS, () => limit.abort(late()), { background: true });
  const { signal, release } = joinedSignal([limit.signal, closing]);
  try {
    return await work({
      target,
      signal,
      transport,
      clock,
      report: (report) => endpointReports.record(target, report, () => 0),
    });
  } finally {
    stop();
    release();
  }
}

const counted = (calls: number): string => `${calls} ${calls === 1 ? 'call' : 'calls'}`;

const cancelled = ({ key }: KeptBatch): PolyphonyError =>
  new PolyphonyError('cancelled', `The batch "${key}" was cancelled before this call was answered.`);

const unanswered = ({ key, target }: KeptBatch, said: string): PolyphonyError =>
  new PolyphonyError(
    'timeout',
    `${nameOf(target)} ended the batch "${key}" as "${said}" without an answer to this call. Ask it again.`,
  );

const noEndpoint = ({ target }: KeptBatch): PolyphonyError =>
  new PolyphonyError(
    'invalid-config',
    `No provider "${target.provider}" that answers batches is registered: register it, so that its answers are fetched.`,
  );
