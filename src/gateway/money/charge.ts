/** The real cost of an attempt: from the usage that the provider reported, else estimated from what was sent and what arrived. */
import type { Growing } from '../../core/defined.ts';
import type { PolyphonyError } from '../../core/errors.ts';
import type { FinishEvent, ModelRequest, Usage } from '../../core/model/model.ts';
import { MOST_NANO_USD, type NanoUsd } from '../../core/money/money.ts';
import { costOf, type PriceTerms } from '../../core/money/price.ts';
import { addUsage } from '../../core/money/usage.ts';
import type { SentInBatches } from '../calls/call-state.ts';
import { Received } from '../calls/received.ts';
import { askedTier, expectedOutput, outputCeiling, termsOf } from '../routing/estimate.ts';
import type { Deployment } from '../routing/registry.ts';
import { estimateOf, possibleCostOf, possibleUsageOf, tokensOf } from '../routing/usage-bounds.ts';

export interface Charge {
  readonly usage: Usage | null;
  readonly costNanoUsd: NanoUsd | null;
  readonly estimated: boolean;
}

/** A request that was sent. */
export interface Sent {
  readonly deployment: Deployment;
  readonly request: ModelRequest;
  /** Epoch milliseconds; selects the rate if the price depends on the hour. */
  readonly at: number;
  readonly received: Received;
  /** The service tier that answered for certain. @default what the answer states, else what the request asks for */
  readonly serviceTier?: string;
}

export const NO_CHARGE: Charge = { usage: null, costNanoUsd: 0, estimated: false };

/** The charge by the finish event, or by what arrived if the event reports no usage. */
export function chargeOfFinish(sent: Sent, event: FinishEvent): Charge {
  const { deployment, request, at, received } = sent;
  const serviceTier = sent.serviceTier ?? event.serviceTier ?? askedTier(request);
  const terms: PriceTerms = { at, serviceTier };
  // A plugin's layer may have changed what the provider layer checked.
  const { usage } = possibleUsageOf(event.usage, deployment, request, received);
  const reported = usage.input > 0 || usage.output > 0 || (usage.images ?? 0) > 0;
  const charge = reported
    ? { usage, costNanoUsd: costAt(sent, usage, terms), estimated: false }
    : estimated(sent, 0, terms, usage.searches);
  return event.statedCostNanoUsd === undefined ? charge : settledBy(sent, event.statedCostNanoUsd, charge);
}

/**
 * The charge by the cost that the provider states. It knows what it bills, fees and discounts included; but the operator may
 * say that the price decides, and 0 is not believed of what has a price.
 */
function settledBy({ deployment, request }: Sent, stated: NanoUsd, charge: Charge): Charge {
  const { card } = deployment;
  const cost = possibleCostOf(stated, deployment, request);
  if (cost === undefined || card.price?.overStated === true) return charge;
  if (cost === 0 && (charge.costNanoUsd ?? 0) > 0) return charge;
  return { ...charge, costNanoUsd: Math.min(MOST_NANO_USD, Math.ceil(cost * (card.price?.statedTimes ?? 1))) };
}

/**
 * The charge of an attempt that ended without a finish event: the prompt, and the output that arrived. `whole`: the answer
 * is sent only when it is complete, so more was generated than arrived; then it is at least the model's usual answer, and at least
 * what arrived of its document, up to the most that was asked for.
 */
export function chargeOfEnding(sent: Sent, whole: boolean, documentBytes = 0): Charge {
  const { request, deployment, at } = sent;
  const { serviceTier = askedTier(request) } = sent;
  return estimated(sent, whole ? wholeOutput(request, deployment, documentBytes) : 0, { at, serviceTier });
}

/** What a document holds beside the text of its answer, in bytes. */
const AROUND_TEXT = 1024;

function wholeOutput(request: ModelRequest, deployment: Deployment, documentBytes: number): number {
  const arrived = tokensOf(Math.max(0, documentBytes - AROUND_TEXT));
  return Math.max(expectedOutput(request, deployment), Math.min(arrived, outputCeiling(request, deployment.card)));
}

/** The charge of an attempt that ended between its first request and its last one: what was answered, and what may be billed. */
export function chargeOfBatches(
  sent: Sent,
  { usage, estimated: guessed, waiting }: SentInBatches,
  free: boolean,
): Charge {
  const terms = termsOf(sent.request, sent.at);
  if (free || waiting === undefined) return { usage, costNanoUsd: costAt(sent, usage, terms), estimated: guessed };
  const whole = addUsage(usage, { input: estimateOf(waiting, new Received(), sent.deployment).input, output: 0 });
  return { usage: whole, costNanoUsd: costAt(sent, whole, terms), estimated: true };
}

/** `searches`: those that were reported, though no tokens were. */
function estimated(sent: Sent, leastOutput: number, terms: PriceTerms, searches = 0): Charge {
  const { input, output, images } = estimateOf(sent.request, sent.received, sent.deployment);
  const usage: Growing<Usage> = { input, output: Math.max(output, leastOutput) };
  if (images > 0) usage.images = images;
  if (searches > 0) usage.searches = searches;
  return { usage, costNanoUsd: costAt(sent, usage, terms), estimated: true };
}

/** A whole number that every counter can add; null if the price is unknown, or is no number. */
function costAt({ deployment: { card } }: Sent, usage: Usage, terms: PriceTerms): NanoUsd | null {
  const cost = costOf(card, usage, terms);
  return cost === null || Number.isNaN(cost) ? null : Math.min(MOST_NANO_USD, Math.max(0, cost));
}

/** After these the other side may have accepted the request, and then it bills for it, whatever became of its answer. */
const MAY_BE_BILLED: ReadonlySet<PolyphonyError['code']> = new Set([
  'network',
  'timeout',
  'truncated',
  'cancelled',
  'invalid-output',
  'plugin-failed',
]);

/** True when the provider does not bill for the error, because it refused the request or never received it. */
export const isFree = ({ code, unsent }: PolyphonyError): boolean => unsent || !MAY_BE_BILLED.has(code);
