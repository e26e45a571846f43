/** Whose fault an error is: decides who is blamed, who rotates and what is tried next. */
import type { PolyphonyError } from '../../core/errors.ts';
import type { Call } from '../../core/model/model.ts';
import { callStateOf } from './call-state.ts';

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

/** What the layer that made the error says, else what its code does. */
export function faultOf(call: Pick<Call, 'trace'>, error: PolyphonyError): Fault {
  return callStateOf(call).blamed(error) ?? faultOfCode(error.code);
}

function faultOfCode(code: PolyphonyError['code']): Fault {
  switch (code) {
    case 'rate-limited':
      return 'rate-limit';
    case 'overloaded':
    case 'network':
    case 'truncated':
    case 'timeout':
      return 'target';
    case 'invalid-credential':
      return 'credential';
    case 'context-window':
    case 'content-policy':
    case 'unsupported':
    case 'model-not-found':
      return 'request-here';
    default:
      return 'caller';
  }
}
