/** The real cost of an attempt: from the usage that the provider reported, else estimated from what was streamed. */
import type { PolyphonyError } from '../../core/errors.ts';
import type { FinishEvent, ModelEvent, ModelRequest, Usage } from '../../core/model/model.ts';
import type { ModelCard } from '../../core/model/provider.ts';
import type { NanoUsd } from '../../core/money/money.ts';
import { costOf, type PriceTerms } from '../../core/money/price.ts';
import { askedTier, termsOf } from '../routing/estimate.ts';
import { needsOf } from '../routing/requirements.ts';

export interface Charge {
  readonly usage: Usage | null;
  readonly costNanoUsd: NanoUsd | null;
  readonly estimated: boolean;
}

/** A request that was sent. */
export interface Sent {
  readonly card: ModelCard;
  readonly request: ModelRequest;
  /** Epoch milliseconds; selects the rate if the price depends on the hour. */
  readonly at: number;
}

const BYTES_PER_TOKEN = 4;
export const NO_CHARGE: Charge = { usage: null, costNanoUsd: 0, estimated: false };

/** The text of an event that the provider bills as output. */
export function billedText(event: ModelEvent): string {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
      return event.text;
    case 'tool-call-delta':
      return event.delta;
    default:
      return '';
  }
}

/** The charge by the finish event, or by what was streamed if the event reports no usage. */
export function chargeOfFinish(sent: Sent, event: FinishEvent, streamed: string): Charge {
  const { usage, serviceTier = askedTier(sent.request) } = event;
  const terms: PriceTerms = { at: sent.at, serviceTier };
  const reported = usage.input > 0 || usage.output > 0 || (usage.images ?? 0) > 0;
  if (reported) return { usage, costNanoUsd: costOf(sent.card, usage, terms), estimated: false };
  return estimated(sent, streamed, terms);
}

/** The charge of an attempt that ended without a finish event: the prompt, and the output that was streamed. */
export const chargeOfStream = (sent: Sent, streamed: string): Charge =>
  estimated(sent, streamed, termsOf(sent.request, sent.at));

function estimated({ card, request }: Sent, streamed: string, terms: PriceTerms): Charge {
  const { size } = needsOf(request);
  const output = Math.ceil(Buffer.byteLength(streamed) / BYTES_PER_TOKEN);
  const usage: Usage = { input: size.exactTokens(), output, ...(size.images > 0 ? { images: size.images } : {}) };
  return { usage, costNanoUsd: costOf(card, usage, terms), estimated: true };
}

/**
 * True when the provider does not bill for the error, because it refused the request or never received it. A timeout, a
 * truncation or a cancel after it accepted the request may be billed.
 */
export function isFree(error: PolyphonyError): boolean {
  switch (error.code) {
    case 'timeout':
      return error.unsent;
    case 'truncated':
    case 'cancelled':
      return false;
    default:
      return true;
  }
}
