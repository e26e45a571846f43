/**
 * What the gateway knows of a call beside its trace, for as long as the call is under way: the numbers of its attempts,
 * the money of its own cap, the endpoints where it holds a place. It sits on the trace itself, because a map that every
 * call enters and leaves costs more than what it holds.
 */
import type { CallTrace } from '../../core/model/model.ts';
import type { NanoUsd } from '../../core/money/money.ts';

export interface RequestBudget {
  /** Spent and held. */
  taken: NanoUsd;
  cap: NanoUsd | undefined;
}

export interface CallState {
  /** Of the call that made the trace; `more` numbers the others that share it. */
  callId: string | undefined;
  number: number;
  more: Map<string, number> | undefined;
  budget: RequestBudget | undefined;
  /** One entry a place; undefined until the first. */
  held: object[] | undefined;
}

const CALL_STATE = Symbol('polyphony.call');
type TraceWithState = CallTrace & { readonly [CALL_STATE]?: CallState };

const newCallState = (): CallState => ({
  callId: undefined,
  number: 0,
  more: undefined,
  budget: undefined,
  held: undefined,
});
/** Of traces that a caller made. */
const foreign = new WeakMap<CallTrace, CallState>();

export function newTrace(): CallTrace {
  const trace: TraceWithState = { attempts: [], [CALL_STATE]: newCallState() };
  return trace;
}

export function callStateOf(trace: TraceWithState): CallState {
  const own = trace[CALL_STATE] ?? foreign.get(trace);
  if (own !== undefined) return own;
  const made = newCallState();
  foreign.set(trace, made);
  return made;
}

/**
 * The cap of the request itself (`limits.usd`) over all its attempts. A call lives in one process, so its counter does
 * too and leaves nothing in the store.
 */
export function requestBudget(trace: CallTrace): RequestBudget {
  const state = callStateOf(trace);
  state.budget ??= { taken: 0, cap: undefined };
  return state.budget;
}
