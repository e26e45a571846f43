/** Whose fault an error is: decides who is blamed, who rotates and what is tried next. */
import type { PolyphonyError } from '../../core/errors.ts';

export type Fault =
  /** The target itself: blamed in statistics and breakers, tried again, then elsewhere. */
  | 'target'
  /** Too many requests: counted apart from the other faults of the target. */
  | 'rate-limit'
  | 'credential'
  /** This request at this target: another target may take it. */
  | 'request-here'
  /** The caller, the budget, a plugin: nobody else is asked. */
  | 'caller';

/** True when the call itself ran out of time, not merely this attempt. */
export const isDeadline = (error: PolyphonyError): boolean =>
  error.code === 'timeout' && error.details?.timeout === 'deadline';

export function faultOf(error: PolyphonyError): Fault {
  switch (error.code) {
    case 'rate-limited':
      return 'rate-limit';
    case 'overloaded':
    case 'network':
    case 'truncated':
      return 'target';
    case 'timeout':
      return isDeadline(error) ? 'caller' : 'target';
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
