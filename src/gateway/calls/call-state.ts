/**
 * The internal state of a running call: the numbers of its attempts, the money of its own cap, the endpoints where it holds
 * a slot, the target that its session prefers, the times of each attempt, and whose fault an error was.
 *
 * C1. It is created with the call: it IS the call's trace, whose only public field is `attempts`. Its own fields are
 *     private, so no spread, log or comparison sees them.
 * C2. It is found from any `Call` or `Attempt` by the fields that identify it: `trace`, `id` and `number`. A plugin may
 *     change or omit every other field.
 * C3. Calls that layers make for another call (judges, moderators) pass its trace on and so share its state: numbers and
 *     preferences are kept per call id, while the cap and the slots are common to all of them.
 * C4. It lives as long as the trace. The times of an attempt are dropped once it is over and a later one begins.
 * C5. The gateway decides by this state and by an error's code, never by an error's `details`, which are for people.
 */
import type { ErrorCode, PolyphonyError } from '../../core/errors.ts';
import type {
  Attempt,
  AttemptRecord,
  Call,
  CallTrace,
  EmbeddingRequest,
  FinishEvent,
  ModelRequest,
  Target,
  Usage,
} from '../../core/model/model.ts';
import type { EndpointReport } from '../../core/model/provider.ts';
import type { NanoUsd } from '../../core/money/money.ts';
import { Received } from './received.ts';
import { Needs, needsOf } from './requirements.ts';

/** Whose fault an error is; see faults.ts. */
export type Fault =
  /** The target itself: counted in statistics and breakers, retried, then another target is tried. */
  | 'target'
  /** Too many requests: counted separately from the other faults of the target. */
  | 'rate-limit'
  | 'credential'
  /** This request at this target: another target may accept it. */
  | 'request-here'
  /** The provider threw an unknown error: another provider may succeed. */
  | 'provider'
  /** An open breaker refused the attempt: nothing was sent. */
  | 'open-breaker'
  /** The announced limits have no room for it before its deadline: nothing was sent. */
  | 'no-room'
  /** Nobody's: another target of the same call spoke first. */
  | 'lost-hedge'
  /** The caller, the budget, a plugin, or the call's own deadline: no other target is tried. */
  | 'caller';

/** The request's own cap (`limits.usd`) over all its attempts. A call lives in one process, and so does its counter. */
export interface RequestBudget {
  /** Money spent and held. */
  taken: NanoUsd;
  cap: NanoUsd | undefined;
}

/** The targets that a call takes while it may ask two of them at the same time: neither takes one that the other has. */
export interface Lanes {
  has(target: Target): boolean;
  take(target: Target): void;
  /** Undefined until one of the two has spoken. */
  readonly winner: 'first' | 'second' | undefined;
}

/** An attempt that is sent in several requests. */
export interface SentInBatches {
  /** Of the requests that were answered. */
  usage: Usage;
  /** A part of the usage is an estimate. */
  estimated: boolean;
  /** The one that is being answered. */
  waiting: EmbeddingRequest | undefined;
}

/** The vectors that a model has made for the first texts of a request, for an attempt that goes on after a failure. */
export interface BegunEmbedding {
  readonly request: EmbeddingRequest;
  readonly target: Target;
  /** The running attempt adds to it. */
  readonly vectors: (readonly number[])[];
}

/** The decision that chose the target of an attempt. */
export interface Decision {
  /** The targets that it left. */
  readonly count: number;
  /** In a word; made only where somebody asks. */
  why(attempt: Attempt): string;
}

/** What failed before an attempt, so that there was another one. */
export interface AttemptCause {
  /** `retry`: at the same target. */
  readonly kind: 'retry' | 'fallback';
  readonly code: ErrorCode;
  readonly target: Target;
}

/**
 * One attempt: created by failover or retry, filled by the layers that it passes, read by the record of the attempt. A class:
 * see docs/decisions/objects-of-a-call.md.
 */
export class AttemptState {
  readonly callId: string;
  readonly number: number;
  /** True when no other target is left: an open breaker admits the attempt. */
  readonly lastResort: boolean;
  /** Undefined: a layer or a batch chose its target. */
  decision: Decision | undefined = undefined;
  /** Undefined for the first attempt of a call. */
  cause: AttemptCause | undefined = undefined;
  /** True once retry has seen it: passing the same attempt on again starts a new one. */
  taken = false;
  over = false;
  /** Milliseconds in the limiter's queue. */
  queueMs = 0;
  /** Epoch milliseconds; null while nothing has been sent to the provider. */
  dispatchedAt: number | null = null;
  /** Milliseconds until its requests were on their way; undefined where the transport does not say. */
  networkMs: number | undefined = undefined;
  /** The endpoint's own id of the request, clean and bounded. */
  requestId: string | undefined = undefined;
  /** Writes down that it is sent now, where plugins may have kept it from being sent since its reservation. */
  announce: (() => Promise<void>) | undefined = undefined;
  /** Takes the limits that the endpoint states with its answer. */
  pacing: { stated(report: EndpointReport): void } | undefined = undefined;
  firstTokenMs: number | null = null;
  /** From dispatch to end. */
  totalMs = 0;
  /** What has arrived of the answer. */
  readonly received = new Received();
  /** Undefined for an attempt that is one request. */
  batches: SentInBatches | undefined = undefined;
  /** The end of an answer that counts as a failure: it is charged by what it reports. */
  voided: FinishEvent | undefined = undefined;
  previous: AttemptState | undefined;

  constructor(callId: string, number: number, lastResort: boolean, previous: AttemptState | undefined) {
    this.callId = callId;
    this.number = number;
    this.lastResort = lastResort;
    this.previous = previous;
  }
}

/** What was found out of a call before it is routed. */
export interface Routed {
  /** The route of the config whose limits it keeps. */
  readonly route: string | undefined;
  /** The language of its text, where it was told from the text. */
  readonly language: string | undefined;
}

/** One of the calls that share a trace. */
class CallEntry {
  readonly id: string;
  /** The number of its latest attempt. */
  number = 0;
  preferred: Target | undefined = undefined;
  begun: BegunEmbedding | undefined = undefined;
  lanes: Lanes | undefined = undefined;
  routed: Routed | undefined = undefined;

  constructor(id: string) {
    this.id = id;
  }
}

type AttemptKey = Pick<Call, 'trace' | 'id'> & { readonly number: number };

/** A class, because private fields cannot be copied, lost or seen. */
export class CallState implements CallTrace {
  readonly attempts: AttemptRecord[];
  #first: CallEntry | undefined = undefined;
  #others: Map<string, CallEntry> | undefined = undefined;
  #latest: AttemptState | undefined = undefined;
  #budget: RequestBudget | undefined = undefined;
  /** One entry per held slot: its endpoint. */
  #held: object[] | undefined = undefined;
  #faults: Map<PolyphonyError, Fault> | undefined = undefined;
  #request: ModelRequest | undefined = undefined;
  #needs: Needs | undefined = undefined;

  constructor(attempts: AttemptRecord[]) {
    this.attempts = attempts;
  }

  get budget(): RequestBudget {
    this.#budget ??= { taken: 0, cap: undefined };
    return this.#budget;
  }

  /** `needsOf` for a request of the call: that of the first one is kept here, because finding it by the request costs as much as a layer. */
  needs(request: ModelRequest): Needs {
    if (this.#needs === undefined) {
      this.#needs = new Needs(request);
      this.#request = request;
    }
    return this.#request === request ? this.#needs : needsOf(request);
  }

  holds(endpoint: object): boolean {
    return this.#held?.includes(endpoint) === true;
  }

  hold(endpoint: object): void {
    if (this.#held === undefined) this.#held = [endpoint];
    else this.#held.push(endpoint);
  }

  release(endpoint: object): void {
    const held = this.#held;
    const at = held?.indexOf(endpoint) ?? -1;
    const last = at === -1 ? undefined : held?.pop();
    // Their order says nothing, and cutting one out makes a list of what was cut.
    if (held !== undefined && last !== undefined && at < held.length) held[at] = last;
  }

  /** The target that served the call's session before. */
  preferred(callId: string): Target | undefined {
    return this.#entry(callId).preferred;
  }

  prefer(callId: string, target: Target | undefined): void {
    this.#entry(callId).preferred = target;
  }

  routed(callId: string): Routed | undefined {
    return this.#entry(callId).routed;
  }

  keepRouted(callId: string, routed: Routed): void {
    this.#entry(callId).routed = routed;
  }

  begun(callId: string): BegunEmbedding | undefined {
    return this.#entry(callId).begun;
  }

  keepBegun(callId: string, begun: BegunEmbedding | undefined): void {
    this.#entry(callId).begun = begun;
  }

  /** Undefined for a call that asks one target at a time. */
  lanes(callId: string): Lanes | undefined {
    return this.#entry(callId).lanes;
  }

  share(callId: string, lanes: Lanes): void {
    this.#entry(callId).lanes = lanes;
  }

  /** Attempts of a call are numbered from 1 across retries, fallbacks, rungs and hedges. */
  nextNumber(callId: string): number {
    const entry = this.#entry(callId);
    entry.number += 1;
    return entry.number;
  }

  begin(callId: string, number: number, lastResort: boolean): AttemptState {
    while (this.#latest?.over === true) this.#latest = this.#latest.previous;
    const made = new AttemptState(callId, number, lastResort, this.#latest);
    this.#latest = made;
    return made;
  }

  /** The state of the attempt, or a new one if a plugin built the attempt itself. */
  attempt(callId: string, number: number): AttemptState {
    for (let state = this.#latest; state !== undefined; state = state.previous) {
      if (state.number === number && state.callId === callId) return state;
    }
    const entry = this.#entry(callId);
    entry.number = Math.max(entry.number, number);
    return this.begin(callId, number, false);
  }

  /** Records whose fault an error is if its code does not show it. */
  blame(error: PolyphonyError, fault: Fault): void {
    this.#faults ??= new Map();
    this.#faults.set(error, fault);
  }

  blamed(error: PolyphonyError): Fault | undefined {
    return this.#faults?.get(error);
  }

  #entry(callId: string): CallEntry {
    this.#first ??= new CallEntry(callId);
    if (this.#first.id === callId) return this.#first;
    this.#others ??= new Map();
    const known = this.#others.get(callId);
    if (known !== undefined) return known;
    const made = new CallEntry(callId);
    this.#others.set(callId, made);
    return made;
  }
}

export const newTrace = (): CallTrace => new CallState([]);

/**
 * Traces that callers created (`{ attempts: [] }`), so that several of their calls can share a state. Only here is a state
 * looked up instead of carried.
 */
const adopted = new WeakMap<CallTrace, CallState>();

export function callStateOf({ trace }: Pick<Call, 'trace'>): CallState {
  if (trace instanceof CallState) return trace;
  const known = adopted.get(trace);
  if (known !== undefined) return known;
  const made = new CallState(trace.attempts);
  adopted.set(trace, made);
  return made;
}

export const attemptStateOf = (attempt: AttemptKey): AttemptState =>
  callStateOf(attempt).attempt(attempt.id, attempt.number);
