/**
 * The canonical model: requests, parts, stream events and responses, whichever provider answers. Every operation takes
 * the same road: a `Call` enters the gateway's request ring, becomes an `Attempt` at one target, and comes back as a
 * stream of `ModelEvent`s.
 */
import type { PolyphonyError } from '../errors.ts';
import type { NanoUsd } from '../money/money.ts';
import type {
  EscalationReport,
  FinishReason,
  ModelEvent,
  OperationOutput,
  Target,
  TokenLogprob,
  Usage,
  Warning,
} from './event.ts';
import type { Citation, Part } from './message.ts';
import type { ModelRequest } from './request.ts';

export type * from './event.ts';
export { FINISH_REASONS } from './event.ts';
export type * from './message.ts';
export type * from './request.ts';
export { CAPABILITIES, SENSITIVITIES, TIERS } from './request.ts';

export const SCOPE_KINDS = ['request', 'node', 'run', 'session', 'user', 'team', 'tenant', 'tag'] as const;
export type ScopeKind = (typeof SCOPE_KINDS)[number];

/** Who pays: a cap may sit on every scope, and one attempt is charged to all of them at once. */
export interface Scope {
  readonly kind: ScopeKind;
  readonly id: string;
  readonly capNanoUsd?: NanoUsd;
  /** Spent before this process knew the scope (a resumed run). @default 0 */
  readonly spentNanoUsd?: NanoUsd;
}

/** Why a call is made. The gateway never evaluates, caches or escalates anything but `answer` and `plan`. */
export type Purpose = 'answer' | 'planner' | 'judge' | 'moderation' | 'embedding' | 'probe';

export type AttemptOutcome = 'ok' | 'error' | 'cancelled';

/** One dispatched request, as response and ledger keep it. Times in milliseconds. */
export interface AttemptRecord {
  /** Idempotency key: `<call id>/<number>`. */
  readonly key: string;
  readonly target: Target;
  readonly purpose: Purpose;
  readonly startedAt: number;
  readonly queueMs: number;
  readonly firstTokenMs: number | null;
  readonly totalMs: number;
  readonly outcome: AttemptOutcome;
  readonly error?: { readonly code: PolyphonyError['code']; readonly message: string };
  readonly usage: Usage | null;
  readonly costNanoUsd: NanoUsd | null;
  /** True when the provider told no usage and the cost is our estimate of what was produced. */
  readonly estimated?: boolean;
}

/** The one thing of a call that grows: every attempt made for it, those of judges and moderators included. */
export interface CallTrace {
  readonly attempts: AttemptRecord[];
}

/** What travels through the request ring. Change it with `next({ ...call, … })`, never in place. */
export interface Call {
  readonly id: string;
  readonly request: ModelRequest;
  readonly signal: AbortSignal;
  readonly purpose: Purpose;
  readonly session?: string;
  readonly scopes: readonly Scope[];
  readonly trace: CallTrace;
  /**
   * Someone reads the events as they come. False: only the whole answer matters, and a provider may send it whole, which
   * costs a fraction of a stream. @default true
   */
  readonly streaming?: boolean;
  /** Epoch milliseconds after which the caller does not want the answer. */
  readonly deadline?: number;
  /**
   * Targets that must not be asked, by the ids of `Target`. One without `region` means the model in every region, one
   * without `credential` at every credential. Overrules sessions, chains and pins. @default none
   */
  readonly exclude?: readonly Target[];
}

/** A call with its target chosen. `number` counts from 1 over all attempts of the call. */
export interface Attempt extends Call {
  readonly target: Target;
  readonly number: number;
}

export interface ModelResponse {
  readonly target: Target;
  readonly content: readonly Part[];
  readonly output?: OperationOutput;
  readonly finishReason: FinishReason;
  readonly usage: Usage;
  /** Of the whole call: every attempt, judges and lower rungs included; null when a price is unknown. */
  readonly costNanoUsd: NanoUsd | null;
  readonly attempts: readonly AttemptRecord[];
  readonly warnings: readonly Warning[];
  readonly model?: string;
  readonly id?: string;
  readonly serviceTier?: string;
  readonly logprobs?: readonly TokenLogprob[];
  readonly confidence?: number;
  readonly citations?: readonly Citation[];
  readonly refusal?: string;
  readonly raw?: unknown;
  readonly cached?: boolean;
  readonly escalation?: EscalationReport;
}

/** The one primitive of the gateway, and what wraps it. A layer with nothing to do returns `next(call)` itself. */
export type Handler<C extends Call = Call> = (call: C) => AsyncIterable<ModelEvent>;
export type Middleware<C extends Call = Call> = (call: C, next: Handler<C>) => AsyncIterable<ModelEvent>;

/** First middleware is outermost. */
export function compose<C extends Call>(layers: readonly Middleware<C>[], handler: Handler<C>): Handler<C> {
  return layers.reduceRight<Handler<C>>((next, layer) => (call) => layer(call, next), handler);
}
