/**
 * What the gateway knows of a call while it is under way, in one place: the numbers of its attempts, the money of its own
 * cap, the endpoints where it holds a place, the target that its session prefers, the clock readings of each attempt, and
 * whose fault an error was.
 *
 * C1. It is made with the call: it IS the call's trace, whose only public field is `attempts`. Its own fields are private,
 *     so no spread, log or comparison sees them.
 * C2. It is found from any `Call` or `Attempt` by `trace`, `id` and `number`, the fields that say which one it is. A plugin
 *     may change or leave out every other field.
 * C3. Calls that layers make for the sake of another call (judges, moderators) pass its trace on and so share its state:
 *     numbers and preferences are kept per call id, the cap and the places are those of all of them together.
 * C4. It lives as long as the trace. The readings of an attempt are dropped once it is over and a later one begins.
 * C5. The gateway decides by this state and by an error's code, never by an error's `details`, which are for people.
 */
import type { PolyphonyError } from '../../core/errors.ts';
import type { AttemptRecord, Call, CallTrace, Target } from '../../core/model/model.ts';
import type { NanoUsd } from '../../core/money/money.ts';

/** Whose fault an error is; faults.ts finds it. */
export type Fault =
  /** The target itself: blamed in statistics and breakers, tried again, then elsewhere. */
  | 'target'
  /** Too many requests: counted apart from the other faults of the target. */
  | 'rate-limit'
  | 'credential'
  /** This request at this target: another target may take it. */
  | 'request-here'
  /** The provider threw something of its own: another provider may do better. */
  | 'provider'
  /** An open breaker refused the attempt: nothing was sent. */
  | 'open-breaker'
  /** The caller, the budget, a plugin, or the end of the call's own time: nobody else is asked. */
  | 'caller';

/** The cap of the request itself (`limits.usd`) over all its attempts. A call lives in one process, so its counter does too. */
export interface RequestBudget {
  /** Spent and held. */
  taken: NanoUsd;
  cap: NanoUsd | undefined;
}

/** One attempt: begun by failover or retry, filled by the layers that it passes, read by the record of the attempt. */
export interface AttemptState {
  readonly callId: string;
  readonly number: number;
  /** No other target is left: an open breaker lets it through. */
  readonly lastResort: boolean;
  /** Retry has seen it: whoever passes the same attempt on once more starts another one. */
  taken: boolean;
  over: boolean;
  /** Milliseconds in the limiter's queue. */
  queueMs: number;
  /** Epoch milliseconds; null while nothing has been sent to the provider. */
  dispatchedAt: number | null;
  firstTokenMs: number | null;
  /** From dispatch to end. */
  totalMs: number;
  previous: AttemptState | undefined;
}

/** One of the calls that share a trace. */
interface CallEntry {
  readonly id: string;
  /** Of its latest attempt. */
  number: number;
  preferred: Target | undefined;
}

type AttemptKey = Pick<Call, 'trace' | 'id'> & { readonly number: number };

/** A class because private fields cannot be copied, lost or seen. */
export class CallState implements CallTrace {
  readonly attempts: AttemptRecord[];
  #first: CallEntry | undefined = undefined;
  #others: Map<string, CallEntry> | undefined = undefined;
  #latest: AttemptState | undefined = undefined;
  #budget: RequestBudget | undefined = undefined;
  /** One entry per place. */
  #held: object[] | undefined = undefined;
  #faults: Map<PolyphonyError, Fault> | undefined = undefined;

  constructor(attempts: AttemptRecord[]) {
    this.attempts = attempts;
  }

  get budget(): RequestBudget {
    this.#budget ??= { taken: 0, cap: undefined };
    return this.#budget;
  }

  holds(place: object): boolean {
    return this.#held?.includes(place) === true;
  }

  hold(place: object): void {
    if (this.#held === undefined) this.#held = [place];
    else this.#held.push(place);
  }

  release(place: object): void {
    const at = this.#held?.indexOf(place) ?? -1;
    if (at !== -1) this.#held?.splice(at, 1);
  }

  /** The target that served the call's session before. */
  preferred(callId: string): Target | undefined {
    return this.#entry(callId).preferred;
  }

  prefer(callId: string, target: Target | undefined): void {
    this.#entry(callId).preferred = target;
  }

  /** Attempts of a call are numbered from 1 across retries, fallbacks, rungs and hedges. */
  nextNumber(callId: string): number {
    const entry = this.#entry(callId);
    entry.number += 1;
    return entry.number;
  }

  begin(callId: string, number: number, lastResort: boolean): AttemptState {
    while (this.#latest?.over === true) this.#latest = this.#latest.previous;
    const made: AttemptState = {
      callId,
      number,
      lastResort,
      taken: false,
      over: false,
      queueMs: 0,
      dispatchedAt: null,
      firstTokenMs: null,
      totalMs: 0,
      previous: this.#latest,
    };
    this.#latest = made;
    return made;
  }

  /** The attempt's own, or a new one where a plugin built an attempt itself. */
  attempt(callId: string, number: number): AttemptState {
    for (let state = this.#latest; state !== undefined; state = state.previous) {
      if (state.number === number && state.callId === callId) return state;
    }
    const entry = this.#entry(callId);
    entry.number = Math.max(entry.number, number);
    return this.begin(callId, number, false);
  }

  /** Says whose fault an error is where its code does not. */
  blame(error: PolyphonyError, fault: Fault): void {
    this.#faults ??= new Map();
    this.#faults.set(error, fault);
  }

  blamed(error: PolyphonyError): Fault | undefined {
    return this.#faults?.get(error);
  }

  #entry(callId: string): CallEntry {
    this.#first ??= { id: callId, number: 0, preferred: undefined };
    if (this.#first.id === callId) return this.#first;
    this.#others ??= new Map();
    const known = this.#others.get(callId);
    if (known !== undefined) return known;
    const made: CallEntry = { id: callId, number: 0, preferred: undefined };
    this.#others.set(callId, made);
    return made;
  }
}

export const newTrace = (): CallTrace => new CallState([]);

/**
 * Traces that callers made themselves (`{ attempts: [] }`), by which several of their calls may share a state. The one
 * place where a state is looked up instead of carried.
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
