/**
 * The innermost layer: calls the target's provider and checks the stream that it returns. `route` comes first. An end
 * without `finish` is a truncation, an empty answer is a failure, and whatever a provider throws becomes a PolyphonyError
 * that names the provider. Nothing that a provider says is believed beyond what is possible: the size of its answer, the
 * number of its tool calls and its usage are bounded here, and the result of an operation is compared with the request, for
 * every provider and before any other layer sees them.
 */
import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import { abortError, asPolyphonyError, PolyphonyError, unsentError } from '../../core/errors.ts';
import type { Attempt, EmbeddingRequest, FinishEvent, Handler, ModelEvent, Warning } from '../../core/model/model.ts';
import type { EndpointReport, Provider, ProviderContext, Transport } from '../../core/model/provider.ts';
import { statedText } from '../../core/model/stated-text.ts';
import { MOST_NANO_USD, type NanoUsd } from '../../core/money/money.ts';
import {
  hooksOf,
  observeBy,
  type StreamControl,
  type StreamEnding,
  type StreamObserver,
} from '../../kit/streams/observe.ts';
import { commits } from '../../kit/streams/stream-head.ts';
import { type AttemptState, attemptStateOf, callStateOf } from '../calls/call-state.ts';
import { type Received, receive } from '../calls/received.ts';
import { nameOf } from '../calls/target.ts';
import type { EndpointReports } from '../routing/endpoint-reports.ts';
import type { Deployment, Registry } from '../routing/registry.ts';
import { mostStatedCost, possibleCostOf, possibleUsageOf, usageCorrected } from '../routing/usage-bounds.ts';
import { assertSize, assertToolCalls } from './answer-limits.ts';
import { asAsked, isWithoutDimensions } from './checked-output.ts';
import { batchesOf, streamInBatches } from './embedding-batches.ts';

export interface ProviderParts {
  readonly registry: () => Registry;
  readonly transport: Transport;
  /** The network as plugins let an attempt see it. @default as it is */
  readonly transportOf?: ((inner: Transport, attempt: Attempt) => Transport) | undefined;
  readonly clock: Clock;
  readonly endpointReports: EndpointReports;
  readonly config: () => Config;
}

export function providerHandler(parts: ProviderParts): Handler<Attempt> {
  return (attempt) => observeBy(HOOKS, new AnswerWatcher(parts, attempt));
}

/** The same checks for an answer that came by another way. */
export const checkedAnswer = (
  parts: ProviderParts,
  attempt: Attempt,
  answer: AsyncIterable<ModelEvent>,
): AsyncIterable<ModelEvent> => observeBy(HOOKS, new AnswerWatcher(parts, attempt, answer));

/** A class because there is one per attempt: closures would cost time, methods do not. */
class AnswerWatcher implements StreamObserver {
  readonly #parts: ProviderParts;
  readonly #attempt: Attempt;
  readonly #state: AttemptState;
  readonly #answer: AsyncIterable<ModelEvent> | undefined;
  readonly head: readonly ModelEvent[];
  #control: StreamControl | undefined;
  #answered = false;
  #said = false;
  #finished = false;
  #anyLength = false;

  constructor(parts: ProviderParts, attempt: Attempt, answer?: AsyncIterable<ModelEvent>) {
    this.#answer = answer;
    this.#parts = parts;
    this.#attempt = attempt;
    this.#state = attemptStateOf(attempt);
    this.head = [{ type: 'route', target: attempt.target }];
  }

  start(given: StreamControl): Promise<void> | undefined {
    this.#control = given;
    return this.#state.announce?.();
  }

  open(): AsyncIterable<ModelEvent> {
    return this.#answer ?? openProvider(this.#parts, this.#attempt, this.#state);
  }

  event(event: ModelEvent): ModelEvent {
    if (event.type === 'finish') return this.#finish(event);
    const attempt = this.#attempt;
    const { received } = this.#state;
    if (event.type === 'warning') this.#anyLength ||= isWithoutDimensions(event.warning);
    if (event.type === 'tool-call') assertCall(event.call, attempt);
    receive(received, event);
    assertWithin(this.#parts, attempt, received);
    if (!this.#answered) this.#answered = commits(event);
    if (!this.#said) this.#said = says(event);
    if (event.type !== 'output') return event;
    return { ...event, output: asAsked(attempt, attempt.request, event.output, this.#anyLength) };
  }

  end(ending: StreamEnding): StreamEnding {
    return checkedEnding(ending, this.#finished, this.#answered, this.#attempt);
  }

  #finish(event: FinishEvent): FinishEvent {
    const attempt = this.#attempt;
    const checked = checkedFinish(this.#parts, attempt, event, this.#state.received, this.#control);
    const empty = this.#said ? undefined : emptiness(checked, attempt);
    if (checked.reason === 'error' || empty === 'failure') {
      this.#state.voided = checked;
      throw noAnswer(checked, this.#said, this.#answered, attempt);
    }
    if (empty === 'warning') this.#control?.insert({ type: 'warning', warning: emptyAnswer(attempt) });
    this.#finished = true;
    return checked;
  }
}

const HOOKS = hooksOf(AnswerWatcher.prototype, true);

function openProvider(parts: ProviderParts, attempt: Attempt, state: AttemptState): AsyncIterable<ModelEvent> {
  const { registry, clock } = parts;
  const { target } = attempt;
  const provider = registry().providers.get(target.provider);
  if (provider === undefined) throw unknownProvider(attempt);
  state.dispatchedAt = clock.now();
  const context = new AttemptContext(parts, attempt, state);
  if (attempt.request.operation !== 'embed') return provider.stream(attempt, context);
  return streamEmbedding(provider, attempt, attempt.request, context, registry().find(target));
}

/** Its functions are fields, because providers may take them off it. A class: see docs/decisions/objects-of-a-call.md. */
class AttemptContext implements ProviderContext {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly report: ProviderContext['report'];
  readonly sentAfter: (networkMs: number) => void;

  constructor(
    { registry, transport, transportOf, clock, endpointReports }: ProviderParts,
    attempt: Attempt,
    state: AttemptState,
  ) {
    const { target } = attempt;
    const mostCost = (): NanoUsd => {
      const deployment = registry().find(target);
      return deployment === undefined ? MOST_NANO_USD : mostStatedCost(deployment, attempt.request);
    };
    this.transport = transportOf === undefined ? transport : transportOf(transport, attempt);
    this.clock = clock;
    this.report = (report) => {
      endpointReports.record(target, report, mostCost);
      state.pacing?.stated(report);
      keepRequestId(state, report);
    };
    this.sentAfter = (networkMs) => {
      state.networkMs = (state.networkMs ?? 0) + networkMs;
    };
  }
}

/** Providers are plugins: a report that cannot be read is ignored, because the answer matters more. */
function keepRequestId(state: AttemptState, report: EndpointReport): void {
  try {
    state.requestId = statedText(report.requestId) ?? state.requestId;
  } catch {}
}

/** Sent in one request if the endpoint takes all texts at once. */
function streamEmbedding(
  provider: Provider,
  attempt: Attempt,
  request: EmbeddingRequest,
  context: ProviderContext,
  deployment: Deployment | undefined,
): AsyncIterable<ModelEvent> {
  if (deployment === undefined) return provider.stream(attempt, context);
  const { card } = deployment;
  const batches = batchesOf(request, card.embeddingBatch ?? provider.embeddingBatch?.(card));
  if (batches === undefined) return provider.stream(attempt, context);
  return streamInBatches({ attempt, deployment, request, batches }, (part) =>
    provider.stream({ ...attempt, request: part }, context),
  );
}

/** A provider in JavaScript may leave it out, and every layer above reads it. */
function assertCall(call: unknown, { target }: Attempt): void {
  if (typeof call === 'object' && call !== null) return;
  throw new PolyphonyError(
    'invalid-output',
    `${nameOf(target)} sent a tool call without what it calls. Try another model.`,
  );
}

function assertWithin({ config, registry }: ProviderParts, attempt: Attempt, received: Received): void {
  const limits = config().limits?.answers;
  if (received.toolCalls > 0) assertToolCalls(received, limits, attempt);
  assertSize(received, limits, attempt, registry);
}

/** The finish event with possible usage, a possible stated cost, and without the charge, which only the budget layer knows. */
function checkedFinish(
  { registry }: ProviderParts,
  attempt: Attempt,
  event: FinishEvent,
  received: Received,
  control: StreamControl | undefined,
): FinishEvent {
  const deployment = registry().find(attempt.target);
  if (deployment === undefined) return event;
  const { usage, changes } = possibleUsageOf(event.usage, deployment, attempt.request, received);
  const stated = event.statedCostNanoUsd;
  const cost = stated === undefined ? undefined : possibleCostOf(stated, deployment, attempt.request);
  const corrected = cost === stated ? changes : [...changes, costChange(stated)];
  if (corrected.length > 0) {
    control?.insert({ type: 'warning', warning: usageCorrected(nameOf(attempt.target), corrected) });
  }
  if (usage === event.usage && event.costNanoUsd === undefined && cost === stated) return event;
  const { costNanoUsd: _, statedCostNanoUsd: __, ...rest } = event;
  return cost === undefined ? { ...rest, usage } : { ...rest, usage, statedCostNanoUsd: cost };
}

const costChange = (stated: unknown): string =>
  `the stated cost of ${typeof stated === 'number' ? stated : typeof stated} nano-dollars to the cost by its price`;

/** True for an event that a reader can use; blanks and thoughts are no answer. */
function says(event: ModelEvent): boolean {
  switch (event.type) {
    case 'text-delta':
      return event.text.trim() !== '';
    case 'reasoning-delta':
    case 'reasoning':
    case 'route':
    case 'restart':
    case 'warning':
    case 'finish':
      return false;
    default:
      return true;
  }
}

/**
 * What an answer means that says nothing. One that was filtered, cut or paused tells why. A model may have nothing to add
 * to the result of a tool, and a stop sequence may be the first that it writes.
 */
function emptiness({ reason, refusal }: FinishEvent, { request }: Attempt): 'failure' | 'warning' | undefined {
  if (refusal !== undefined || (reason !== 'stop' && reason !== 'other')) return undefined;
  if (request.operation !== 'chat') return 'failure';
  const mayBeSilent = request.messages.at(-1)?.role === 'tool' || (request.stop?.length ?? 0) > 0;
  return mayBeSilent ? 'warning' : 'failure';
}

const emptyAnswer = ({ target }: Attempt): Warning => ({
  code: 'empty-answer',
  message: `${nameOf(target)} ended its answer without saying anything.`,
});

function noAnswer({ reason }: FinishEvent, said: boolean, answered: boolean, { target }: Attempt): PolyphonyError {
  const ended = reason === 'error' ? 'ended with an error' : 'finished';
  const what = said ? 'after a part of its answer' : `${answered ? 'after its thoughts and ' : ''}without an answer`;
  return new PolyphonyError('truncated', `${nameOf(target)} ${ended} ${what}. Try again, or try another model.`);
}

function checkedEnding(ending: StreamEnding, finished: boolean, answered: boolean, attempt: Attempt): StreamEnding {
  if (ending.kind === 'left') return ending;
  // The answer is complete: an error of the connection after it does not matter.
  if (finished) return { kind: 'done' };
  if (attempt.signal.aborted) return { kind: 'error', error: abortedError(ending, attempt) };
  if (ending.kind === 'done') return { kind: 'error', error: cutShort(answered, attempt) };
  return { kind: 'error', error: asProviderError(ending.error, attempt) };
}

/** The reason of the abort, with what the provider knows about the request: whether it was sent before. */
function abortedError(ending: StreamEnding, attempt: Attempt): PolyphonyError {
  const reason = abortError(attempt.signal);
  if (ending.kind !== 'error' || !(ending.error instanceof PolyphonyError) || !ending.error.unsent) return reason;
  const call = callStateOf(attempt);
  const unsent = unsentError(reason);
  const fault = call.blamed(reason);
  if (fault !== undefined) call.blame(unsent, fault);
  return unsent;
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
