/**
 * One request for embeddings with more texts than its endpoint takes is sent in several, one after the other, and answered as
 * one. It stays one attempt, which holds one slot and one reservation.
 *
 * B1. Vectors are in the order of the texts. Every answer is compared with the texts of its own request.
 * B2. The usage is the sum of all answers. What an answer does not report is estimated, once another one has reported any.
 * B3. A request that fails fails the attempt, which is charged for the answers before it (money/charge.ts). Their vectors are
 *     kept, and the next attempt of the same call at the same model begins behind them, so that none is paid for twice.
 */

import { defined } from '../../core/defined.ts';
import { abortError, PolyphonyError } from '../../core/errors.ts';
import { append } from '../../core/lists.ts';
import { type CompleteStream, readComplete } from '../../core/model/complete.ts';
import type {
  Attempt,
  EmbeddingRequest,
  FinishEvent,
  ModelEvent,
  OperationOutput,
  Warning,
} from '../../core/model/model.ts';
import type { EmbeddingBatch } from '../../core/model/provider.ts';
import { addUsage, NO_USAGE } from '../../core/money/usage.ts';
import { estimateTokens } from '../../kit/models/tokens.ts';
import { attemptStateOf, callStateOf, type SentInBatches } from '../calls/call-state.ts';
import { Received } from '../calls/received.ts';
import { needsOf } from '../calls/requirements.ts';
import { nameOf } from '../calls/target.ts';
import type { Deployment } from '../routing/registry.ts';
import { estimateOf, possibleUsageOf, usageCorrected } from '../routing/usage-bounds.ts';
import { asAsked, isWithoutDimensions } from './checked-output.ts';

/** Our count of tokens may be below that of the endpoint by this share. */
const SAFE_SHARE = 0.75;

/** The indices at which the requests end; undefined if one request takes all texts. */
export function batchesOf(request: EmbeddingRequest, limit: EmbeddingBatch | undefined): readonly number[] | undefined {
  if (limit === undefined) return undefined;
  const { input } = request;
  const most = atLeastOne(limit.texts);
  const tokens = limit.tokens;
  // A text has at most as many tokens as bytes, which are counted already.
  const fits = tokens === undefined || needsOf(request).size.upperTokens <= tokens;
  if (input.length <= most && fits) return undefined;
  const room = fits ? Number.POSITIVE_INFINITY : atLeastOne(tokens) * SAFE_SHARE;
  const ends: number[] = [];
  let held = 0;
  let used = 0;
  for (let index = 0; index < input.length; index += 1) {
    const needed = fits ? 0 : estimateTokens(input[index] ?? '');
    if (held > 0 && (held >= most || used + needed > room)) {
      ends.push(index);
      held = 0;
      used = 0;
    }
    held += 1;
    used += needed;
  }
  ends.push(input.length);
  return ends.length > 1 ? ends : undefined;
}

/** Cards are written by users: what is no number from 1 is no limit. */
const atLeastOne = (limit: number | undefined): number =>
  limit !== undefined && limit >= 1 ? Math.floor(limit) : Number.POSITIVE_INFINITY;

interface Splitting {
  readonly attempt: Attempt;
  readonly deployment: Pick<Deployment, 'card' | 'counter' | 'provider'>;
  readonly request: EmbeddingRequest;
  readonly batches: readonly number[];
}

type Send = (part: EmbeddingRequest) => AsyncIterable<ModelEvent>;

interface Joined {
  readonly vectors: (readonly number[])[];
  readonly warnings: Map<string, Warning>;
  readonly raw: unknown[];
  readonly state: SentInBatches;
  /** At least one answer reported its usage. */
  reported: boolean;
  last: FinishEvent | undefined;
}

export async function* streamInBatches(splitting: Splitting, send: Send): AsyncGenerator<ModelEvent> {
  const { attempt, request, batches } = splitting;
  const call = callStateOf(attempt);
  const state: SentInBatches = { usage: NO_USAGE, estimated: false, waiting: undefined };
  attemptStateOf(attempt).batches = state;
  const vectors = begunBefore(splitting);
  call.keepBegun(attempt.id, { request, target: attempt.target, vectors });
  const joined: Joined = { vectors, warnings: new Map(), raw: [], state, reported: false, last: undefined };
  let from = vectors.length;
  for (const end of batches) {
    if (end <= from) continue;
    if (attempt.signal.aborted) throw abortError(attempt.signal);
    const part = { ...request, input: request.input.slice(from, end) };
    state.waiting = part;
    take(joined, splitting, part, await readComplete(send(part)));
    from = end;
  }
  call.keepBegun(attempt.id, undefined);
  for (const warning of joined.warnings.values()) yield { type: 'warning', warning };
  yield { type: 'output', output: { operation: 'embed', vectors } };
  yield finishOf(joined, request);
}

/** The vectors of an earlier attempt at the same model, to which this one adds the rest. */
function begunBefore({ attempt, request, batches }: Splitting): (readonly number[])[] {
  const begun = callStateOf(attempt).begun(attempt.id);
  if (begun === undefined) return [];
  const { target, request: before, vectors } = begun;
  const same =
    target.provider === attempt.target.provider &&
    target.model === attempt.target.model &&
    before.input === request.input &&
    before.dimensions === request.dimensions &&
    before.purpose === request.purpose &&
    before.providerOptions === request.providerOptions;
  return same && batches.includes(vectors.length) ? vectors : [];
}

/** Adds one answer. Its vectors count only once they are known to be those of its texts. */
function take(joined: Joined, splitting: Splitting, part: EmbeddingRequest, { events, failure }: CompleteStream): void {
  const { attempt } = splitting;
  let output: OperationOutput | undefined;
  let anyLength = false;
  for (const event of events) {
    if (event.type === 'output') output = event.output;
    else if (event.type === 'finish') addFinish(joined, splitting, part, event);
    else if (event.type === 'warning') {
      joined.warnings.set(`${event.warning.code} ${event.warning.message}`, event.warning);
      anyLength ||= isWithoutDimensions(event.warning);
    }
  }
  // An attempt that was given up must not add to the vectors that the next one goes on with.
  if (attempt.signal.aborted) throw abortError(attempt.signal);
  if (failure !== undefined) throw failure.error;
  if (output === undefined || joined.state.waiting !== undefined) throw cutShort(attempt);
  const checked = asAsked(attempt, part, output, anyLength);
  if (checked.operation === 'embed') append(joined.vectors, checked.vectors);
}

function addFinish(
  joined: Joined,
  { attempt, deployment }: Splitting,
  part: EmbeddingRequest,
  event: FinishEvent,
): void {
  const { state, warnings } = joined;
  const { usage, changes } = possibleUsageOf(event.usage, deployment, part, new Received());
  const reported = usage.input > 0 || usage.output > 0;
  if (changes.length > 0) {
    const warning = usageCorrected(nameOf(attempt.target), changes);
    warnings.set(warning.message, warning);
  }
  const { input } = reported ? usage : estimateOf(part, new Received(), deployment);
  state.usage = addUsage(state.usage, reported ? usage : { input, output: 0 });
  state.estimated ||= !reported;
  state.waiting = undefined;
  joined.reported ||= reported;
  joined.last = event;
  if (event.raw !== undefined) joined.raw.push(event.raw);
}

/** Without any reported usage the counts stay 0, so that the budget estimates the whole. */
function finishOf({ state, reported, last, raw }: Joined, { includeRaw }: EmbeddingRequest): FinishEvent {
  const { model, id } = last ?? {};
  return {
    type: 'finish',
    reason: 'stop',
    usage: reported ? state.usage : NO_USAGE,
    ...defined({ model, id, raw: includeRaw === true ? raw : undefined }),
  };
}

const cutShort = ({ target }: Attempt): PolyphonyError =>
  new PolyphonyError('truncated', `${nameOf(target)} finished without an answer. Try again, or try another model.`);
