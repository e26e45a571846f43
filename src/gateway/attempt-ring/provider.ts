/**
 * The innermost layer: calls the target's provider and checks the stream that it returns. `route` comes first. An end
 * without `finish` is a truncation, an empty answer is a failure, and whatever a provider throws becomes a PolyphonyError
 * that names the provider.
 */
import type { Clock } from '../../core/clock.ts';
import { abortError, asPolyphonyError, PolyphonyError } from '../../core/errors.ts';
import type { Attempt, FinishEvent, Handler } from '../../core/model/model.ts';
import type { Transport } from '../../core/model/provider.ts';
import { observe, type StreamEnding } from '../../kit/streams/observe.ts';
import { commits } from '../../kit/streams/stream-head.ts';
import { attemptStateOf, callStateOf } from '../calls/call-state.ts';
import { nameOf } from '../calls/target.ts';
import type { EndpointReports } from '../routing/endpoint-reports.ts';
import type { Registry } from '../routing/registry.ts';

export interface ProviderParts {
  readonly registry: () => Registry;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly endpointReports: EndpointReports;
}

export function providerHandler({ registry, transport, clock, endpointReports }: ProviderParts): Handler<Attempt> {
  return (attempt) => {
    let answered = false;
    let finished = false;
    return observe({
      head: [{ type: 'route', target: attempt.target }],
      start: () => attemptStateOf(attempt).announce?.(),
      open() {
        const provider = registry().providers.get(attempt.target.provider);
        if (provider === undefined) throw unknownProvider(attempt);
        attemptStateOf(attempt).dispatchedAt = clock.now();
        const { target } = attempt;
        return provider.stream(attempt, {
          transport,
          clock,
          report: (report) => endpointReports.record(target, report),
        });
      },
      event(event) {
        if (event.type === 'finish') {
          if (!answered) refuseEmpty(event, attempt);
          finished = true;
        } else if (!answered) answered = commits(event);
        return event;
      },
      end: (ending) => checkedEnding(ending, finished, answered, attempt),
    });
  };
}

/** Throws for a finish event which reports that nothing was generated. */
function refuseEmpty(event: FinishEvent, attempt: Attempt): void {
  const blamed = event.reason === 'error' || (event.usage.output === 0 && event.reason === 'stop');
  if (!blamed || event.refusal !== undefined) return;
  throw new PolyphonyError(
    'truncated',
    `${nameOf(attempt.target)} finished without an answer. Try again, or try another model.`,
  );
}

function checkedEnding(ending: StreamEnding, finished: boolean, answered: boolean, attempt: Attempt): StreamEnding {
  if (ending.kind === 'left') return ending;
  // The answer is complete: an error of the connection after it does not matter.
  if (finished) return { kind: 'done' };
  if (attempt.signal.aborted) return { kind: 'error', error: abortError(attempt.signal) };
  if (ending.kind === 'done') return { kind: 'error', error: cutShort(answered, attempt) };
  return { kind: 'error', error: asProviderError(ending.error, attempt) };
}

function cutShort(answered: boolean, { target }: Attempt): PolyphonyError {
  const message = answered
    ? `The stream of ${nameOf(target)} ended without a finish reason, so the answer is incomplete. Try again, or try another model.`
    : `The stream of ${nameOf(target)} ended before its first event. Try again, or try another model.`;
  return new PolyphonyError('truncated', message);
}

function asProviderError(error: unknown, attempt: Attempt): PolyphonyError {
  if (error instanceof PolyphonyError) return error;
  const { provider } = attempt.target;
  const { message } = asPolyphonyError(error);
  const details = { provider };
  const ours = new PolyphonyError('plugin-failed', `The provider "${provider}" failed: ${message}`, {
    cause: error,
    details,
  });
  callStateOf(attempt).blame(ours, 'provider');
  return ours;
}

function unknownProvider({ target }: Attempt): PolyphonyError {
  const message = `No provider has the id "${target.provider}": register it, or choose another provider.`;
  return new PolyphonyError('no-route', message, { details: { target } });
}
