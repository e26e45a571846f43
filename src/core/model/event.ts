/** The only stream format: what providers yield, layers pass on and responses are made from. */

import type { NanoUsd } from '../money/money.ts';
import type { Usage } from '../money/usage.ts';
import type { Citation, MediaPart, MediaSource, ReasoningPart, ToolCallPart } from './message.ts';

export type { Usage };

export const FINISH_REASONS = ['stop', 'length', 'tool-calls', 'content-filter', 'pause', 'error', 'other'] as const;
export type FinishReason = (typeof FINISH_REASONS)[number];

/** Something that the caller should know and that did not stop the call. `code` is stable, kebab-case. */
export interface Warning {
  readonly code: string;
  readonly message: string;
}

/** One deployment of one model, as the router returns them in order of preference. `credential` is a label, never a key. */
export interface Target {
  readonly provider: string;
  readonly model: string;
  readonly region?: string;
  readonly credential?: string;
}

export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly top?: readonly { readonly token: string; readonly logprob: number }[];
}

export interface ModerationResult {
  readonly flagged: boolean;
  readonly categories: Readonly<Record<string, boolean>>;
  readonly scores: Readonly<Record<string, number>>;
}

/** The result of an operation other than chat. */
export type OperationOutput =
  | { readonly operation: 'embed'; readonly vectors: readonly (readonly number[])[] }
  | { readonly operation: 'image'; readonly images: readonly MediaSource[]; readonly revisedPrompt?: string }
  | { readonly operation: 'moderate'; readonly results: readonly ModerationResult[] }
  | {
      readonly operation: 'rerank';
      readonly results: readonly { readonly index: number; readonly score: number }[];
    };

/** What the provider's own search did for an answer, besides the citations. */
export interface SearchReport {
  readonly queries?: readonly string[];
  /** HTML of the provider that has to be shown beside the answer. It is not trusted: show it in a frame of its own. */
  readonly suggestions?: string;
  /** Pages that were read, with the provider's word for what came of it. */
  readonly pages?: readonly { readonly url: string; readonly status?: string }[];
}

export interface FinishEvent {
  readonly type: 'finish';
  readonly reason: FinishReason;
  readonly usage: Usage;
  /** Set by the gateway's budget layer; null if no price is known. Providers leave it out. */
  readonly costNanoUsd?: NanoUsd | null;
  /**
   * What the answer costs as the provider states it, where its file declares that the statement is complete. It settles the
   * attempt as far as it is possible; see docs/decisions/prices.md.
   */
  readonly statedCostNanoUsd?: NanoUsd;
  /** The model as the provider reported it, which may be more exact than the one asked for. */
  readonly model?: string;
  /** What else tells the version that answered from another, such as `system_fingerprint`. */
  readonly fingerprint?: string;
  /** The provider's own id of the response. */
  readonly id?: string;
  /** The endpoint's own id of the request, from the headers of its answer. Set by the gateway; providers report it. */
  readonly requestId?: string;
  /** The service tier that the provider says it served, which may not be the one asked for. */
  readonly serviceTier?: string;
  readonly logprobs?: readonly TokenLogprob[];
  /** The confidence that the answering engine states, 0 to 1, if it states one. */
  readonly confidence?: number;
  readonly citations?: readonly Citation[];
  readonly refusal?: string;
  /** The stop sequence that ended the answer, if the provider states it. */
  readonly stopSequence?: string;
  readonly search?: SearchReport;
  /** The provider's own body, if the request asked for it. */
  readonly raw?: unknown;
  /** Set by the layers above the attempt: see the fields of the same names on ModelResponse. */
  readonly cached?: boolean;
  readonly escalation?: EscalationReport;
}

/** Noun-verb names. `route` comes first in every attempt that yields events, `finish` is last; an error is thrown, never an event. */
export type ModelEvent =
  | { readonly type: 'route'; readonly target: Target }
  /** What was shown so far is invalid: a new stream follows. */
  | { readonly type: 'restart'; readonly notice: string }
  | { readonly type: 'text-delta'; readonly text: string }
  | { readonly type: 'reasoning-delta'; readonly text: string }
  /** A whole reasoning block, signature included, after its deltas. */
  | { readonly type: 'reasoning'; readonly part: ReasoningPart }
  | {
      readonly type: 'tool-call-delta';
      readonly index: number;
      readonly id: string;
      readonly name: string;
      readonly delta: string;
    }
  | { readonly type: 'tool-call'; readonly call: ToolCallPart }
  /** An image, sound, video or file of the answer, in its place between the texts. */
  | { readonly type: 'media'; readonly part: MediaPart }
  | { readonly type: 'output'; readonly output: OperationOutput }
  | { readonly type: 'warning'; readonly warning: Warning }
  | FinishEvent;

/** Which rung of the escalation answered, and why. */
export interface EscalationReport {
  readonly rung: number;
  readonly evaluator: string;
  /** The score of the answer that was kept; null if it was not evaluated. */
  readonly score: number | null;
  readonly reason: string;
  readonly rungs: readonly {
    readonly target: Target;
    readonly score: number | null;
    readonly reasons: readonly string[];
    readonly costNanoUsd: NanoUsd | null;
  }[];
}
