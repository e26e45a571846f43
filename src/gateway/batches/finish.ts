/**
 * The end of a batched call: its answer is checked and priced as any other, settled once, written to the ledger once, and kept. Each
 * step can be repeated by another process without a second effect.
 */
import { defined } from '../../core/defined.ts';
import { asPolyphonyError, errorRecord, type PolyphonyError } from '../../core/errors.ts';
import type { BatchAnswer } from '../../core/model/batch.ts';
import { readComplete } from '../../core/model/complete.ts';
import type { Attempt, FinishEvent, ModelEvent } from '../../core/model/model.ts';
import { BATCH_TIER } from '../../core/money/price.ts';
import type { StreamEnding } from '../../kit/streams/observe.ts';
import { checkedAnswer } from '../attempt-ring/provider.ts';
import { attemptStateOf, newTrace } from '../calls/call-state.ts';
import { type Charge, chargeOfEnding, chargeOfFinish, NO_CHARGE, type Sent } from '../money/charge.ts';
import { recordOf, rowOf } from '../money/record.ts';
import type { BatchStore, KeptAnswer, KeptBatch, KeptCall } from './kept.ts';
import type { QueueParts } from './queue-parts.ts';
import { forgetStep, settleOnce } from './steps.ts';

/** What the provider says of one call, or why it says nothing. `lost`: it may have answered, and nobody will learn it. */
export type Outcome =
  | Pick<Extract<BatchAnswer, { events: unknown }>, 'events'>
  | { readonly error: PolyphonyError; readonly lost?: boolean };

export async function finishCall(
  parts: QueueParts,
  store: BatchStore,
  call: KeptCall,
  batch: KeptBatch,
  outcome: Outcome,
): Promise<KeptAnswer> {
  const { keyValue, ledger, config } = parts;
  const attempt = attemptOf(call);
  const { events, charge, ending } = await readOutcome(parts, attempt, call, batch, outcome);
  const record = recordOf(attempt, attemptStateOf(attempt), charge, ending);
  await settleOnce(keyValue, call, charge.costNanoUsd);
  const isLost = 'error' in outcome && outcome.lost === true;
  await ledger?.append([{ ...rowOf(attempt, record), ...(isLost ? { uncertain: true } : {}) }]);
  parts.line?.(attempt, attemptStateOf(attempt), record, ending);
  const { id, digest, number } = call;
  const answer: KeptAnswer = {
    id,
    digest,
    number,
    record,
    ...(ending.kind === 'error' ? { error: errorRecord(ending.error) } : { events }),
  };
  const ttlMs = keptMs(config().batches);
  // Who cancelled it was told so already.
  const known = await store.answer(call.name);
  if (known === undefined) await store.keepAnswer(call.name, answer, ttlMs);
  await forgetStep(keyValue, call.name, ttlMs);
  return answer;
}

/** What the ledger may still hold back is written before nobody knows of the calls any more. */
export async function dropFinished(parts: QueueParts, store: BatchStore, names: readonly string[]): Promise<void> {
  await parts.ledger?.flush();
  for (const name of names) await store.dropCall(name);
}

const WEEK_MS = 604_800_000;
export const keptMs = (config: { readonly keepMs?: number } | undefined): number => config?.keepMs ?? WEEK_MS;

/** Payers without their caps: the money is held already. */
function attemptOf({ id, request, purpose, session, requestId, scopes, target, number }: KeptCall): Attempt {
  const { signal } = new AbortController();
  const call = { id, request, purpose, scopes, signal, trace: newTrace(), streaming: false };
  return { ...call, target, number, ...defined({ session, requestId }) };
}

interface ReadOutcome {
  readonly events: readonly ModelEvent[];
  readonly charge: Charge;
  readonly ending: StreamEnding;
}

async function readOutcome(
  parts: QueueParts,
  attempt: Attempt,
  call: KeptCall,
  batch: KeptBatch,
  outcome: Outcome,
): Promise<ReadOutcome> {
  const state = attemptStateOf(attempt);
  const sentAt = batch.submittingAt ?? batch.createdAt;
  state.dispatchedAt = sentAt;
  state.queueMs = Math.max(0, sentAt - call.queuedAt);
  state.totalMs = Math.max(0, parts.clock.now() - sentAt);
  const deployment = parts.registry().find(call.target);
  if (deployment?.counter !== undefined) state.received.texts = [];
  const sent: Sent | undefined = deployment && {
    deployment,
    request: call.request,
    at: sentAt,
    received: state.received,
    serviceTier: BATCH_TIER,
  };
  if ('error' in outcome) {
    const charge = outcome.lost !== true ? NO_CHARGE : sent === undefined ? UNKNOWN : chargeOfEnding(sent, true);
    return { events: [], charge, ending: { kind: 'error', error: outcome.error } };
  }
  const { events, failure } = await readComplete(checkedAnswer(parts, attempt, outcome.events));
  const finish = state.voided ?? events.findLast((event): event is FinishEvent => event.type === 'finish');
  const charge =
    sent === undefined ? UNKNOWN : finish === undefined ? chargeOfEnding(sent, true) : chargeOfFinish(sent, finish);
  if (failure !== undefined) {
    return { events: [], charge, ending: { kind: 'error', error: asPolyphonyError(failure.error) } };
  }
  const warnings = call.warnings.map((warning): ModelEvent => ({ type: 'warning', warning }));
  return { events: [...warnings, ...events.map((event) => priced(event, charge))], charge, ending: { kind: 'done' } };
}

/** No model of that name is known any more. */
const UNKNOWN: Charge = { usage: null, costNanoUsd: null, estimated: true };

function priced(event: ModelEvent, { usage, costNanoUsd }: Charge): ModelEvent {
  return event.type === 'finish' ? { ...event, usage: usage ?? event.usage, costNanoUsd } : event;
}
