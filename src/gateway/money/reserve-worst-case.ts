/** Reserves the worst case of an attempt, or as long an answer as the caps allow, or refuses the attempt. */
import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import { asPolyphonyError } from '../../core/errors.ts';
import type { Attempt, ModelEvent, ModelRequest } from '../../core/model/model.ts';
import { formatUsd, type NanoUsd, usdToNano } from '../../core/money/money.ts';
import { BATCH_TIER } from '../../core/money/price.ts';
import type { Logger } from '../../core/plugin.ts';
import type { AttemptBook, KeyValueStore, LedgerRow } from '../../core/stores.ts';
import { longestAttempt } from '../attempt-ring/timeouts.ts';
import { callStateOf, type RequestBudget } from '../calls/call-state.ts';
import type { GatewayEvents } from '../gateway-events.ts';
import {
  countedInput,
  expectedOutput,
  outputCeiling,
  type WorstTerms,
  worstCost,
  worstTerms,
} from '../routing/estimate.ts';
import type { Deployment } from '../routing/registry.ts';
import { type CappedScope, cappedScopes } from './caps.ts';
import { expectedRow } from './record.ts';
import { type BudgetRefusal, exceeded, unboundedSearches, unpriced } from './refusals.ts';
import {
  isPromise,
  openUncapped,
  type Purse,
  type Reservation,
  type ReservationResult,
  reserve,
} from './reservation.ts';

export interface ReservationParts {
  readonly clock: Clock;
  readonly keyValue: Pick<KeyValueStore, 'change'>;
  /** @default none: the counters alone hold the money */
  readonly attempts?: AttemptBook | undefined;
  readonly logger?: Logger | undefined;
  /** @default nobody is told what a budget that is tried out would refuse */
  readonly events?: GatewayEvents | undefined;
  readonly config: () => Config;
  /** The attempt is part of a batch, which costs the batch's price and takes so long at most. @default it is not */
  readonly batchMs?: number;
  /** No plugin comes between the reservation and the provider, so what is reserved is sent at once. @default true */
  readonly sendsAtOnce?: () => boolean;
}

/** Settles once; later calls do nothing. */
export interface Held extends Omit<Reservation, 'settle'> {
  /** null: what it cost is unknown, so what was held stays spent. */
  settle(actual: NanoUsd | null, row?: LedgerRow, when?: 'now' | 'soon'): Promise<void> | undefined;
}

export interface ReservedAttempt {
  readonly request: ModelRequest;
  /** Undefined when no scope of the call has a cap and the stores have no book of attempts. */
  readonly held: Held | undefined;
  readonly warnings: readonly ModelEvent[];
}

/** The capped scopes of one attempt, with the store of their counters. */
interface CappedScopes {
  readonly parts: ReservationParts;
  readonly purse: Purse;
  /** Caps that are tried out are lifted for this attempt once it does not fit them. */
  scopes: readonly CappedScope[];
  readonly budget: RequestBudget;
  readonly attempt: Attempt;
}

type Taken = { readonly ok: true; readonly held: Held } | Refusal;
interface Refusal extends BudgetRefusal {
  readonly ok: false;
}

/** The margin over the tokeniser's estimate, used if the bound by bytes does not fit; see docs/how-to/budgets.md. */
const MARGIN = 1.5;
const MAX_ROUNDS = 6;

/** Returns synchronously if the store does. @throws budget-exceeded */
export function reserveWorstCase(
  parts: ReservationParts,
  attempt: Attempt,
  deployment: Deployment,
): ReservedAttempt | Promise<ReservedAttempt> {
  const { clock } = parts;
  const { request } = attempt;
  const config = parts.config();
  const { budgets, allowUnpriced } = config;
  const nowMs = clock.now();
  const scopes = cappedScopes(attempt, budgets, nowMs);
  const budget = budgetOf(attempt);
  const free = () => uncapped(parts, attempt, deployment);
  if (scopes.length === 0 && budget.cap === undefined) return free();
  const { card } = deployment;
  const { batchMs } = parts;
  const needs = callStateOf(attempt).needs(request);
  const terms =
    batchMs === undefined
      ? worstTerms(deployment, request, needs, nowMs, longestAttempt(config))
      : worstTerms(deployment, request, needs, nowMs, batchMs, BATCH_TIER);
  const worst = worstCost(terms, needs.size.upperTokens, outputCeiling(request, card));
  if (worst === null) {
    if (allowUnpriced === true || (budget.cap === undefined && scopes.every(isOnlyCounted))) return free();
    const scope = scopes[0]?.kind ?? 'request';
    throw card.price !== null && terms.searches > 0
      ? unboundedSearches(deployment, scope)
      : unpriced(deployment, scope);
  }
  const purse = purseOf(parts, attempt, deployment);
  const capped: CappedScopes = { parts, purse, scopes, budget, attempt };
  const finish = (taken: Taken): ReservedAttempt | Promise<ReservedAttempt> =>
    taken.ok ? { request, held: taken.held, warnings: [] } : fitToBudget(capped, terms, deployment, attempt.isSecond);
  const taken = take(capped, worst);
  return isPromise(taken) ? taken.then(finish) : finish(taken);
}

function purseOf(parts: ReservationParts, attempt: Attempt, deployment: Deployment): Purse {
  const { keyValue, attempts: book, clock, sendsAtOnce } = parts;
  return {
    keyValue,
    book,
    attempt: (heldNanoUsd, holds) => ({
      row: expectedRow(attempt, deployment, clock.now(), holds.length === 0 ? Number.POSITIVE_INFINITY : heldNanoUsd),
      holds,
      heldNanoUsd,
      isSent: sendsAtOnce?.() ?? true,
    }),
  };
}

function uncapped(
  parts: ReservationParts,
  attempt: Attempt,
  deployment: Deployment,
): ReservedAttempt | Promise<ReservedAttempt> {
  const free: ReservedAttempt = { request: attempt.request, held: undefined, warnings: [] };
  if (parts.attempts === undefined) return free;
  return writeDown(parts, parts.attempts, purseOf(parts, attempt, deployment)).then((reservation) =>
    reservation === undefined ? free : { ...free, held: heldBy(undefined, 0, reservation) },
  );
}

/**
 * A store that fails does not stop a call that no scope caps: its row then waits in the ledger, and only if the process dies
 * before that could be written, the call is counted nowhere.
 */
async function writeDown(
  { logger }: ReservationParts,
  book: AttemptBook,
  { attempt }: Purse,
): Promise<Reservation | undefined> {
  try {
    return await openUncapped(book, attempt);
  } catch (error) {
    const { code, message } = asPolyphonyError(error);
    logger?.warn({ code }, `An attempt could not be written down before it was sent: ${message}`);
    return undefined;
  }
}

/** The cap of a request covers every call made for it, including judges. */
function budgetOf(attempt: Attempt): RequestBudget {
  const { request, purpose } = attempt;
  const { budget } = callStateOf(attempt);
  const usd = purpose === 'answer' || purpose === 'planner' ? request.limits?.usd : undefined;
  if (usd !== undefined) budget.cap = usdToNano(usd);
  return budget;
}

/** Takes from the request's own budget and from every scope's counter, or from none. */
function take(capped: CappedScopes, amount: NanoUsd): Taken | Promise<Taken> {
  const { budget, parts, purse, scopes, attempt } = capped;
  if (budget.cap !== undefined && budget.taken + amount > budget.cap) {
    return {
      ok: false,
      scope: { kind: 'request', id: attempt.id, capNanoUsd: budget.cap },
      takenNanoUsd: budget.taken,
    };
  }
  budget.taken += amount;
  const undo = (error: unknown): never => {
    budget.taken -= amount;
    throw error;
  };
  if (scopes.length === 0) {
    const taken = (reservation?: Reservation): Taken => ({ ok: true, held: heldBy(budget, amount, reservation) });
    return purse.book === undefined ? taken() : writeDown(parts, purse.book, purse).then(taken);
  }
  const read = (result: ReservationResult): Taken | Promise<Taken> => {
    if (result.ok) return { ok: true, held: heldBy(budget, amount, result.reservation) };
    budget.taken -= amount;
    return isOfTrial(result.scope) ? liftTrial(capped, result.scope, result.takenNanoUsd, amount) : result;
  };
  try {
    const result = reserve(purse, scopes, amount);
    return isPromise(result) ? result.then(read, undo) : read(result);
  } catch (error) {
    return undo(error);
  }
}

const isOnlyCounted = ({ capNanoUsd }: CappedScope): boolean => capNanoUsd === Number.POSITIVE_INFINITY;

const isOfTrial = ({ capNanoUsd, trialNanoUsd }: CappedScope): boolean =>
  trialNanoUsd !== undefined && trialNanoUsd < capNanoUsd;

/** Tells that a cap that is tried out would not have held, and takes the money without it. */
function liftTrial(
  capped: CappedScopes,
  scope: CappedScope,
  takenNanoUsd: NanoUsd,
  neededNanoUsd: NanoUsd,
): Taken | Promise<Taken> {
  const { kind, id, period, trialNanoUsd: capNanoUsd = 0 } = scope;
  capped.parts.events?.tell({
    type: 'budget-dry-run',
    level: 'info',
    message: `The budget of ${kind} "${id}" that is tried out would not have covered a call: ${formatUsd(takenNanoUsd)} of ${formatUsd(capNanoUsd)} is spent or held, and it may cost ${formatUsd(neededNanoUsd)}.`,
    scope: { kind, id },
    ...(period === undefined ? {} : { period }),
    ...{ capNanoUsd, takenNanoUsd, neededNanoUsd },
  });
  capped.scopes = capped.scopes.map((one) => (one === scope ? { ...one, trialNanoUsd: undefined } : one));
  return take(capped, neededNanoUsd);
}

/** `budget` is the request's own; undefined: it has no cap. */
function heldBy(budget: RequestBudget | undefined, amount: NanoUsd, reservation: Reservation | undefined): Held {
  let settled = false;
  return {
    keepsRow: reservation?.keepsRow === true,
    send: reservation?.send,
    settle(cost, row, when) {
      if (settled) return undefined;
      settled = true;
      const actual = cost ?? amount;
      if (budget !== undefined) budget.taken += actual - amount;
      return reservation?.settle(actual, row, when);
    },
  };
}

/** The worst case by bytes does not fit, so this tries the tighter bound on the prompt, then a shorter answer. */
async function fitToBudget(
  capped: CappedScopes,
  terms: WorstTerms,
  deployment: Deployment,
  isSecond = false,
): Promise<ReservedAttempt> {
  const { card, request, needs } = terms;
  const { size } = needs;
  const own = countedInput(size, deployment.counter) ?? size.exactTokens();
  const learned = size.roughTokens * deployment.statistics.tokenRatio.of(capped.parts.clock.now());
  const input = Math.min(size.upperTokens, Math.ceil(Math.max(own, learned) * MARGIN));
  const ceiling = outputCeiling(request, card);
  // An answer that is cut short would win against a whole one.
  const least = isSecond ? ceiling : leastOutput(request, deployment, ceiling);
  let output = ceiling;
  let refusal: Refusal | undefined;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const taken = await take(capped, worstCost(terms, input, output) ?? 0);
    if (taken.ok) return limited(request, taken.held, output, ceiling);
    refusal = taken;
    output = longestAnswer(terms, input, output, taken);
    if (output < least || output <= 0) break;
  }
  const needed = worstCost(terms, input, least) ?? 0;
  const error = exceeded(refusal, needed);
  // Another provider may have money left.
  if (refusal?.scope.kind === 'provider') callStateOf(capped.attempt).blame(error, 'request-here');
  throw error;
}

function leastOutput(request: ModelRequest, deployment: Deployment, ceiling: number): number {
  const thinking = request.operation === 'chat' ? (request.reasoning?.budgetTokens ?? 0) : 0;
  return Math.min(ceiling, expectedOutput(request, deployment) + thinking);
}

/** The tokens of answer that the remaining money pays for, at most `output` − 1. */
function longestAnswer(terms: WorstTerms, input: number, output: number, refusal: Refusal): number {
  const left = refusal.scope.capNanoUsd - refusal.takenNanoUsd;
  const prompt = worstCost(terms, input, 0) ?? 0;
  const full = worstCost(terms, input, output) ?? 0;
  if (left < prompt || output === 0 || full === prompt) return -1;
  const estimate = Math.floor(((left - prompt) * output) / (full - prompt));
  const tokens = Math.min(output - 1, estimate);
  return (worstCost(terms, input, tokens) ?? 0) <= left ? tokens : tokens - 1;
}

function limited(request: ModelRequest, held: Held, output: number, ceiling: number): ReservedAttempt {
  if (request.operation !== 'chat' || output === ceiling) return { request, held, warnings: [] };
  const message = `The answer is limited to ${output} tokens instead of ${ceiling}, because the budget does not cover more.`;
  return {
    request: { ...request, maxOutputTokens: output },
    held,
    warnings: [{ type: 'warning', warning: { code: 'output-limited-by-budget', message } }],
  };
}
