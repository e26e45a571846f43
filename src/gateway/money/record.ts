/** The record of a dispatched attempt, and its row in the ledger. */
import type { Growing } from '../../core/defined.ts';
import { asPolyphonyError } from '../../core/errors.ts';
import type { Attempt, AttemptOutcome, AttemptRecord } from '../../core/model/model.ts';
import type { NanoUsd } from '../../core/money/money.ts';
import type { LedgerRow } from '../../core/stores.ts';
import type { StreamEnding } from '../../kit/streams/observe.ts';
import { type AttemptState, attemptStateOf, callStateOf } from '../calls/call-state.ts';
import { maskOf } from '../calls/requirements.ts';
import { expectedCost, expectedInput, expectedOutput, termsOf } from '../routing/estimate.ts';
import type { Deployment } from '../routing/registry.ts';
import { withSession } from './caps.ts';
import type { Charge } from './charge.ts';

export function recordOf(attempt: Attempt, timings: AttemptState, charge: Charge, ending: StreamEnding): AttemptRecord {
  const { networkMs, requestId } = timings;
  const failed = ending.kind === 'error' ? asPolyphonyError(ending.error) : undefined;
  const record: Growing<AttemptRecord> = {
    key: `${attempt.id}/${attempt.number}`,
    target: attempt.target,
    purpose: attempt.purpose,
    startedAt: timings.dispatchedAt ?? 0,
    queueMs: timings.queueMs,
    firstTokenMs: timings.firstTokenMs,
    totalMs: timings.totalMs,
    outcome: outcomeOf(ending, failed?.code),
    usage: charge.usage,
    costNanoUsd: charge.costNanoUsd,
  };
  if (failed !== undefined) record.error = { code: failed.code, message: failed.message };
  if (charge.estimated) record.estimated = true;
  if (networkMs !== undefined) record.networkMs = networkMs;
  if (requestId !== undefined) record.requestId = requestId;
  const estimatedInput = ownCount(attempt, charge);
  if (estimatedInput !== undefined) record.estimatedInput = estimatedInput;
  return record;
}

/** Media are estimated as constants, which say nothing of how a provider counts. */
const MEDIA = maskOf(['image-in', 'audio-in', 'video-in', 'file-in']);

function ownCount(attempt: Attempt, { usage, estimated }: Charge): number | undefined {
  const { request } = attempt;
  if (request.operation !== 'chat' || estimated || usage === null || usage.input === 0) return undefined;
  const { mask, size } = callStateOf(attempt).needs(request);
  return (mask & MEDIA) === 0 ? size.roughTokens : undefined;
}

function outcomeOf(ending: StreamEnding, code: string | undefined): AttemptOutcome {
  if (ending.kind === 'done') return 'ok';
  return ending.kind === 'left' || code === 'cancelled' ? 'cancelled' : 'error';
}

/** The row of an attempt that is about to be sent, for the case that nobody learns how it ended. */
export function expectedRow(
  attempt: Attempt,
  deployment: Deployment,
  nowMs: number,
  mostNanoUsd: NanoUsd,
): LedgerRow & { readonly uncertain: true } {
  const { request } = attempt;
  const { size } = callStateOf(attempt).needs(request);
  const cost = expectedCost(request, size, deployment, termsOf(request, nowMs));
  return {
    callId: attempt.id,
    ...(attempt.session === undefined ? {} : { session: attempt.session }),
    scopes: payersOf(attempt),
    key: `${attempt.id}/${attempt.number}`,
    target: attempt.target,
    purpose: attempt.purpose,
    startedAt: nowMs,
    queueMs: attemptStateOf(attempt).queueMs,
    firstTokenMs: null,
    totalMs: 0,
    outcome: 'cancelled',
    usage: { input: expectedInput(size, deployment, nowMs), output: expectedOutput(request, deployment) },
    costNanoUsd: cost === null ? null : Math.min(cost, mostNanoUsd),
    estimated: true,
    uncertain: true,
  };
}

type Payers = LedgerRow['scopes'];
let latestPayers: Payers = [];

/** Rows one after the other with the same payers share their list: a ledger in memory keeps a hundred thousand of them. */
function payersOf({ scopes, session }: Attempt): Payers {
  const payers = withSession(scopes, session);
  const isSame = (latest: Payers[number], index: number): boolean =>
    latest.kind === payers[index]?.kind && latest.id === payers[index]?.id;
  if (latestPayers.length !== payers.length || !latestPayers.every(isSame))
    latestPayers = payers.map(({ kind, id }) => ({ kind, id }));
  return latestPayers;
}

/** Each field is named: a copy of the record costs twenty times as much (docs/decisions/objects-of-a-call.md). */
export function rowOf(attempt: Attempt, record: AttemptRecord): LedgerRow {
  const { session } = attempt;
  const row: Growing<LedgerRow> = {
    callId: attempt.id,
    scopes: payersOf(attempt),
    key: record.key,
    target: record.target,
    purpose: record.purpose,
    startedAt: record.startedAt,
    queueMs: record.queueMs,
    firstTokenMs: record.firstTokenMs,
    totalMs: record.totalMs,
    outcome: record.outcome,
    usage: record.usage,
    costNanoUsd: record.costNanoUsd,
  };
  const { error, estimated, networkMs, requestId, estimatedInput } = record;
  if (session !== undefined) row.session = session;
  if (error !== undefined) row.error = error;
  if (estimated !== undefined) row.estimated = estimated;
  if (networkMs !== undefined) row.networkMs = networkMs;
  if (requestId !== undefined) row.requestId = requestId;
  if (estimatedInput !== undefined) row.estimatedInput = estimatedInput;
  return row;
}
