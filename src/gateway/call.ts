/** A request becomes a call: an id, a signal, who pays, and until when it is wanted. */
import type { Runtime } from '../core/clock.ts';
import type { CallOptions } from '../core/gateway.ts';
import type { Call, ModelRequest, Scope } from '../core/model.ts';

const NO_SCOPES: readonly Scope[] = [];

export function callOf(
  request: ModelRequest,
  options: CallOptions & { readonly streaming: boolean },
  { clock, ids }: Runtime,
): Call {
  const milliseconds = request.limits?.milliseconds;
  return {
    id: options.id ?? ids('call'),
    request,
    signal: options.signal ?? new AbortController().signal,
    purpose: options.purpose ?? 'answer',
    scopes: options.scopes ?? NO_SCOPES,
    trace: options.trace ?? { attempts: [] },
    streaming: options.streaming,
    ...(options.session === undefined ? {} : { session: options.session }),
    ...(milliseconds === undefined ? {} : { deadline: clock.now() + milliseconds }),
  };
}
