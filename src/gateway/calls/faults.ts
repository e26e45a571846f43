/** Whose fault an error is. It decides what is counted as failed, which credential rotates and what is tried next. */
import type { PolyphonyError } from '../../core/errors.ts';
import type { Call } from '../../core/model/model.ts';
import { callStateOf, type Fault } from './call-state.ts';

export type { Fault };

/** The fault that the layer recorded when it threw the error, else the fault that its code implies. */
export function faultOf(call: Pick<Call, 'trace'>, error: PolyphonyError): Fault {
  return callStateOf(call).blamed(error) ?? faultOfError(error);
}

/** The fault that the code of an error implies. */
export function faultOfError({ code, retryable, details }: PolyphonyError): Fault {
  switch (code) {
    case 'rate-limited':
      // A limit that no waiting satisfies is one of this request: the target serves others.
      return retryable ? 'rate-limit' : 'request-here';
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
      // A provider may say so of any other code: an answer that cannot be used, an address that leads elsewhere.
      return details?.fault === 'target' ? 'target' : 'caller';
  }
}
