/**
 * The canonical model: requests, parts, stream events and responses, the same for every provider. Every operation takes
 * the same path: a `Call` enters the gateway's request ring, becomes an `Attempt` at one target, and comes back as a
 * stream of `ModelEvent`s.
 */
import type { PolyphonyError } from '../errors.ts';
import type { NanoUsd } from '../money/money.ts';
import type {
  EscalationReport,
  FinishReason,
  ModelEvent,
  OperationOutput,
  SearchReport,
  Target,
  TokenLogprob,
  Usage,
  Warning,
} from './event.ts';
import type { Citation, Part } from './message.ts';
import type { ModelRequest, Priority } from './request.ts';

export type * from './event.ts';
export { FINISH_REASONS } from './event.ts';
export type * from './message.ts';
export type * from './request.ts';
export {
  CAPABILITIES,
  MOST_ALIASES,
  meantBy,
  nearestTier,
  PRIORITIES,
  SENSITIVITIES,
  STRENGTH_FIELDS,
  TIERS,
  tierStep,
} from './request.ts';

export const SCOPE_KINDS = ['request', 'node', 'run', 'session', 'user', 'team', 'tenant', 'tag'] as const;
export type ScopeKind = (typeof SCOPE_KINDS)[number];

/** Who pays: every scope may have a cap, and one attempt is charged to all of its scopes. */
export interface Scope {
  readonly kind: ScopeKind;
  readonly id: string;
  readonly capNanoUsd?: NanoUsd;
  /** Spent before this process knew the scope (a resumed run). @default 0 */
  readonly spentNanoUsd?: NanoUsd;
}

/** Why a call is made. The gateway evaluates, caches and escalates only `answer` and `planner`. */
export const PURPOSES = ['answer', 'planner', 'judge', 'moderation', 'embedding', 'probe'] as const;
export type Purpose = (typeof PURPOSES)[number];

export type AttemptOutcome = 'ok' | 'error' | 'cancelled';

/** One request that was sent, as response and ledger store it. Times in milliseconds. */
export interface AttemptRecord {
  /** Idempotency key: `<call id>/<number>`. */
  readonly key: string;
  readonly target: Target;
  readonly purpose: Purpose;
  readonly startedAt: number;
  readonly queueMs: number;
  /** Until the request was on its way: a connection was free or opened. @default nobody measured it, or nothing was sent */
  readonly networkMs?: number;
  readonly firstTokenMs: number | null;
  readonly totalMs: number;
  readonly outcome: AttemptOutcome;
  readonly error?: { readonly code: PolyphonyError['code']; readonly message: string };
  readonly usage: Usage | null;
  readonly costNanoUsd: NanoUsd | null;
  /** True if the provider reported no usage and the cost is an estimate of what was produced. */
  readonly estimated?: boolean;
  /** The endpoint's own id of the request, for its support. @default it stated none */
  readonly requestId?: string;
  /** Beside `usage.input` of a prompt of text: our own estimate of it in tokens, a quarter of its bytes. */
  readonly estimatedInput?: number;
}

/** The only mutable part of a call: every attempt made for it, including those of judges and moderators. */
export interface CallTrace {
  readonly attempts: AttemptRecord[];
}

/** A call in the request ring. Change it with `next({ ...call, … })`, never in place. */
export interface Call {
  readonly id: string;
  readonly request: ModelRequest;
  readonly signal: AbortSignal;
  readonly purpose: Purpose;
  readonly session?: string;
  /** The caller's own id of what this call is for. @default none */
  readonly requestId?: string;
  readonly scopes: readonly Scope[];
  readonly trace: CallTrace;
  /**
   * Someone reads the events as they arrive. False: only the complete answer matters, and a provider may send it unstreamed,
   * which costs much less than a stream. @default true
   */
  readonly streaming?: boolean;
  /** `batch`: the answer may come hours later, for less, where the config has `batches`. @default it is wanted at once */
  readonly urgency?: 'batch';
  /**
   * Epoch milliseconds after which the caller does not want the answer, by the clock as it was set when the call was made:
   * `timeLeftMs` of the kit says what is left, also where that was set since. @default the caller waits
   */
  readonly deadline?: number;
  /** What that clock was ahead of the monotonic one, in milliseconds. @default what it is now */
  readonly clockAheadMs?: number;
  /** @default 'normal' */
  readonly priority?: Priority;
  /**
   * Targets that must not be used, by the ids of `Target`. Without `region` it means the model in every region, without
   * `credential` the model with every credential. Overrides sessions, chains and pinned models. @default none
   */
  readonly exclude?: readonly Target[];
  /**
   * The only targets that may answer, tried in this order, as far as they satisfy the request. A session keeps its credential, but
   * does not change the order. @default the router's choice
   */
  readonly order?: readonly Target[];
  /** The task of the config that it was taken for. @default none, or it is not known yet */
  readonly task?: string;
  /** Whether something waits for this call: no second target is asked for one that nothing waits for. @default it does */
  readonly isAwaited?: () => boolean;
  /** It runs beside another attempt of the same call, and is sent only if its whole worst case can be held. @default false */
  readonly isSecond?: boolean;
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
  /** The cost of the whole call: every attempt, including judges and lower rungs; null if a price is unknown. */
  readonly costNanoUsd: NanoUsd | null;
  readonly attempts: readonly AttemptRecord[];
  readonly warnings: readonly Warning[];
  readonly model?: string;
  readonly fingerprint?: string;
  readonly id?: string;
  /** The endpoint's own id of the request that was answered: see `FinishEvent.requestId`. */
  readonly requestId?: string;
  readonly serviceTier?: string;
  readonly logprobs?: readonly TokenLogprob[];
  readonly confidence?: number;
  readonly citations?: readonly Citation[];
  readonly refusal?: string;
  readonly stopSequence?: string;
  readonly search?: SearchReport;
  readonly raw?: unknown;
  readonly cached?: boolean;
  readonly escalation?: EscalationReport;
}

/** The handler of a call, and what wraps it. A layer with nothing to do returns `next(call)` itself. */
export type Handler<C extends Call = Call> = (call: C) => AsyncIterable<ModelEvent>;
export type Middleware<C extends Call = Call> = (call: C, next: Handler<C>) => AsyncIterable<ModelEvent>;

/** The first layer is the outermost. */
export function compose<C extends Call>(layers: readonly Middleware<C>[], handler: Handler<C>): Handler<C> {
  return layers.reduceRight<Handler<C>>((next, layer) => (call) => layer(call, next), handler);
}
