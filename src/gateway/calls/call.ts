/** A request becomes a call: an id, a signal, who pays, and until when it is wanted. */
import type { Runtime } from '../../core/clock.ts';
import type { CallOptions } from '../../core/gateway.ts';
import type { Call, CallTrace, ModelRequest, Scope } from '../../core/model/model.ts';
import { callStateOf, newTrace } from './call-state.ts';
import { withCurrentLimits } from './older-limits.ts';

const NO_SCOPES: readonly Scope[] = [];

const CALLS_PER_SIGNAL = 1000;
/** Says something of the signals, not of a call: they are shared by a thousand of them. */
const quiet = new WeakSet<AbortSignal>();
let shared: AbortSignal | undefined;
let uses = 0;

/**
 * A signal that nobody can abort, for calls that were given none. Making one costs 4 µs, so a thousand calls share it; not
 * more, because whatever is derived from a signal (`AbortSignal.any`) hangs on it for its life.
 */
function quietSignal(): AbortSignal {
  if (shared === undefined || uses >= CALLS_PER_SIGNAL) {
    shared = new AbortController().signal;
    quiet.add(shared);
    uses = 0;
  }
  uses += 1;
  return shared;
}

/** False for a signal of `quietSignal`: nobody need listen to it. */
export const canAbort = (signal: AbortSignal): boolean => !quiet.has(signal);

/** A caller's own trace is adopted here, once, and its list of attempts goes on growing. */
const traceOf = ({ trace }: CallOptions): CallTrace => (trace === undefined ? newTrace() : callStateOf({ trace }));

export function callOf(
  given: ModelRequest,
  options: CallOptions = {},
  streaming: boolean,
  { clock, ids }: Runtime,
): Call {
  const request = withCurrentLimits(given);
  const ms = request.limits?.ms;
  return {
    id: options.id ?? ids('call'),
    request,
    signal: options.signal ?? quietSignal(),
    purpose: options.purpose ?? 'answer',
    scopes: options.scopes ?? NO_SCOPES,
    trace: traceOf(options),
    streaming,
    ...(options.session === undefined ? {} : { session: options.session }),
    ...(options.exclude === undefined ? {} : { exclude: options.exclude }),
    ...(ms === undefined ? {} : { deadline: clock.now() + ms }),
  };
}
