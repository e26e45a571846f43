/** The answer of a model whose tools stand in the prompt: its calls become events, and no text. */
import { PolyphonyError } from '../../../core/errors.ts';
import type { Attempt, FinishEvent, Handler, ModelEvent } from '../../../core/model/model.ts';
import { observe, type StreamControl, type StreamEnding, type StreamObserver } from '../../../kit/streams/observe.ts';
import { callStateOf } from '../../calls/call-state.ts';
import { nameOf } from '../../calls/target.ts';
import { type CallReader, callReader, type ReadCall } from './call-reader.ts';

/** @param names of the tools that the prompt describes */
export function promptedAnswer(
  attempt: Attempt,
  names: ReadonlySet<string>,
  mostCalls: number,
  next: Handler<Attempt>,
): AsyncIterable<ModelEvent> {
  return observe(new PromptedAnswer(attempt, callReader(names, mostCalls), next));
}

class PromptedAnswer implements StreamObserver {
  readonly #attempt: Attempt;
  readonly #reader: CallReader;
  readonly #next: Handler<Attempt>;
  #control: StreamControl | undefined;
  /** What is inserted at the end passes here again. */
  #isOver = false;
  #failure: unknown;

  constructor(attempt: Attempt, reader: CallReader, next: Handler<Attempt>) {
    this.#attempt = attempt;
    this.#reader = reader;
    this.#next = next;
  }

  start(control: StreamControl): undefined {
    this.#control = control;
    return undefined;
  }

  open(): AsyncIterable<ModelEvent> {
    return this.#next(this.#attempt);
  }

  event(event: ModelEvent): ModelEvent {
    if (this.#isOver) return event;
    if (event.type === 'finish') return this.#finish(event);
    if (event.type !== 'text-delta') return event;
    try {
      return { type: 'text-delta', text: this.#reader.add(event.text) };
    } catch (error) {
      throw this.#blamed(error);
    }
  }

  end(ending: StreamEnding): StreamEnding {
    return this.#failure === undefined || ending.kind !== 'done' ? ending : { kind: 'error', error: this.#failure };
  }

  /** Another model may write calls that can be read. */
  #blamed(error: unknown): unknown {
    if (error instanceof PolyphonyError) callStateOf(this.#attempt).blame(error, 'request-here');
    return error;
  }

  /** The answer has ended and is charged: what is wrong with its last call is how the stream ends. */
  #leftOf({ reason }: FinishEvent): string {
    try {
      return this.#reader.end(reason === 'length' || reason === 'content-filter');
    } catch (error) {
      this.#failure = this.#blamed(error);
      return '';
    }
  }

  #finish(event: FinishEvent): FinishEvent {
    const left = this.#leftOf(event);
    const { calls, dropped } = this.#reader;
    this.#isOver = true;
    if (left !== '') this.#control?.insert({ type: 'text-delta', text: left });
    for (const [index, call] of calls.entries()) this.#insert(call, index);
    if (dropped()) {
      const message = `${nameOf(this.#attempt.target)} went on writing behind its calls of tools, which was left out.`;
      this.#control?.insert({ type: 'warning', warning: { code: 'text-after-tool-call', message } });
    }
    if (calls.length === 0 || (event.reason !== 'stop' && event.reason !== 'other')) return event;
    return { ...event, reason: 'tool-calls' };
  }

  #insert({ name, arguments: given }: ReadCall, index: number): void {
    const { id: callId, number } = this.#attempt;
    const id = `${callId}-${number}-${index}`;
    this.#control?.insert({ type: 'tool-call-delta', index, id, name, delta: JSON.stringify(given) });
    this.#control?.insert({ type: 'tool-call', call: { type: 'tool-call', id, name, arguments: given } });
  }
}
