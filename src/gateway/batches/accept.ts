/** A call becomes one that waits for a batch: its money is reserved at the batch's price, and it is kept. */
import { PolyphonyError } from '../../core/errors.ts';
import type { Attempt, Call, ModelEvent, Warning } from '../../core/model/model.ts';
import type { CounterChange, CounterResult, KeyValueStore } from '../../core/stores.ts';
import { adapted } from '../attempt-ring/adapt.ts';
import { callStateOf } from '../calls/call-state.ts';
import { withSession } from '../money/caps.ts';
import { type Held, type ReservedAttempt, reserveWorstCase } from '../money/reserve-worst-case.ts';
import type { Deployment } from '../routing/registry.ts';
import { type BatchStore, digestOfRequest, type KeptCall, LONGEST_BATCH_MS, nameOfCall } from './kept.ts';
import type { QueueParts } from './queue-parts.ts';
import { dropStep, holdStep, takeOut } from './steps.ts';

export interface Accepted {
  readonly call: KeptCall;
  /** The part of the money that only this process counts: the request's own cap. */
  readonly held: Held | undefined;
}

/** @throws budget-exceeded; invalid-request when the id is taken */
export async function acceptCall(
  parts: QueueParts,
  store: BatchStore,
  call: Call,
  deployment: Deployment,
): Promise<Accepted> {
  const { keyValue } = parts;
  const number = callStateOf(call).nextNumber(call.id);
  const draft = draftOf(call, deployment, number, parts.clock.now());
  const counters = new HoldingCounters(keyValue, store, draft);
  const attempt: Attempt = { ...call, target: deployment.target, number };
  try {
    const batchParts = { ...parts, keyValue: counters, attempts: undefined, batchMs: LONGEST_BATCH_MS };
    const reserved = await reserveWorstCase(batchParts, attempt, deployment);
    await counters.hold();
    const accepted: KeptCall = { ...counters.call, ...sentForm(reserved, deployment) };
    await store.keepCall(accepted);
    await store.dropDraft(accepted.name);
    return { call: accepted, held: reserved.held };
  } catch (error) {
    if (!counters.isTaken) await giveBack(keyValue, store, counters.call);
    throw error;
  }
}

/** What was never told to anybody, or never sent, is as if it had not been. */
export async function giveBack(keyValue: KeyValueStore, store: BatchStore, call: KeptCall): Promise<boolean> {
  if (!(await takeOut(keyValue, call))) return false;
  await store.dropCall(call.name);
  await store.dropDraft(call.name);
  await dropStep(keyValue, call.name);
  return true;
}

function draftOf(call: Call, { target }: Deployment, number: number, nowMs: number): KeptCall {
  const { id, request, purpose, session, requestId, deadline } = call;
  return {
    name: nameOfCall(id),
    id,
    digest: digestOfRequest(request),
    purpose,
    ...(session === undefined ? {} : { session }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(deadline === undefined ? {} : { deadline }),
    scopes: withSession(call.scopes, session).map((scope) => ({ kind: scope.kind, id: scope.id })),
    target,
    request,
    warnings: [],
    number,
    bytes: Buffer.byteLength(JSON.stringify(request)),
    queuedAt: nowMs,
    holds: [],
    heldNanoUsd: 0,
  };
}

function sentForm(
  { request, warnings }: ReservedAttempt,
  deployment: Deployment,
): Pick<KeptCall, 'request' | 'warnings'> {
  const limits = warnings.flatMap((event: ModelEvent): Warning[] => (event.type === 'warning' ? [event.warning] : []));
  if (request.operation !== 'chat') return { request, warnings: limits };
  const form = adapted(request, deployment);
  return { request: form.request, warnings: [...limits, ...form.warnings] };
}

/**
 * Reserves in one change with the call's first step, and keeps before which counters that concerns: whenever the process dies, what
 * is held can be given back.
 */
class HoldingCounters implements Pick<KeyValueStore, 'change'> {
  readonly #keyValue: KeyValueStore;
  readonly #store: BatchStore;
  call: KeptCall;
  /** Another call has this id. */
  isTaken = false;
  #isHeld = false;

  constructor(keyValue: KeyValueStore, store: BatchStore, call: KeptCall) {
    this.#keyValue = keyValue;
    this.#store = store;
    this.call = call;
  }

  async change(changes: readonly CounterChange[]): Promise<CounterResult> {
    // What was held is settled from the kept call, by whichever process learns the cost.
    if (this.#isHeld) return { ok: true, values: [] };
    const heldNanoUsd = changes[0]?.by ?? 0;
    this.call = { ...this.call, holds: changes.map(({ key }) => key), heldNanoUsd };
    await this.#store.keepDraft(this.call);
    const result = await this.#keyValue.change([holdStep(this.call.name), ...changes]);
    if (result.ok) {
      this.#isHeld = true;
      return { ok: true, values: result.values.slice(1) };
    }
    if (result.refused > 0) return { ...result, refused: result.refused - 1 };
    this.isTaken = true;
    throw new PolyphonyError(
      'invalid-request',
      `A batched call with the id "${this.call.id}" is being taken already: give each call its own id.`,
    );
  }

  /** The first step of a call that no cap concerns. */
  async hold(): Promise<void> {
    if (!this.#isHeld) await this.change([]);
  }
}
