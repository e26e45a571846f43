/** Watches an answer for what no reader wants unsaid: a required tool that is not called, and a text that only repeats itself. */
import { PolyphonyError } from '../../core/errors.ts';
import type { Attempt, ChatRequest, Handler, ModelEvent } from '../../core/model/model.ts';
import { observe, type StreamControl } from '../../kit/streams/observe.ts';
import { type Repetition, repetitionOf } from '../../kit/streams/repetition.ts';
import { callStateOf } from '../calls/call-state.ts';
import { nameOf } from '../calls/target.ts';

export const isWatched = ({ toolChoice, repeatedCharacters }: ChatRequest): boolean =>
  requiresTool(toolChoice) || (repeatedCharacters !== undefined && repeatedCharacters > 0);

const requiresTool = (choice: ChatRequest['toolChoice']): boolean =>
  choice === 'required' || (typeof choice === 'object' && choice !== null);

/** The attempt's answer, for a request that `isWatched`. The stream throws invalid-output when it only repeats itself. */
export function watched(attempt: Attempt, next: Handler<Attempt>): AsyncIterable<ModelEvent> {
  const { toolChoice, repeatedCharacters = 0 } = attempt.request as ChatRequest;
  const required = requiresTool(toolChoice) ? toolChoice : undefined;
  const repetition = repeatedCharacters > 0 ? repetitionOf(repeatedCharacters) : undefined;
  let called = false;
  let control: StreamControl | undefined;
  return observe({
    start(given) {
      control = given;
      return undefined;
    },
    open: () => next(attempt),
    event(event) {
      if (repetition !== undefined) assertProgress(event, repetition, attempt);
      if (required === undefined) return event;
      if (event.type === 'tool-call') called ||= meets(required, event.call.name);
      else if (event.type === 'finish' && !called && !isCut(event)) control?.insert(notCalled(required, attempt));
      return event;
    },
  });
}

const meets = (required: ChatRequest['toolChoice'], name: string): boolean =>
  typeof required !== 'object' || required.name === name;

/** An answer that was cut or withheld says so by its finish reason. */
const isCut = ({ reason }: Extract<ModelEvent, { type: 'finish' }>): boolean =>
  reason !== 'stop' && reason !== 'tool-calls';

function notCalled(required: ChatRequest['toolChoice'], { target }: Attempt): ModelEvent {
  const what = typeof required === 'object' ? `the tool "${required.name}"` : 'a tool';
  const message = `${nameOf(target)} was required to call ${what}, but did not: check the answer, or ask a model that calls tools reliably.`;
  return { type: 'warning', warning: { code: 'tool-not-called', message } };
}

/** @throws invalid-output, which another target may avoid */
function assertProgress(event: ModelEvent, repetition: Repetition, attempt: Attempt): void {
  const text =
    event.type === 'text-delta' || event.type === 'reasoning-delta'
      ? event.text
      : event.type === 'tool-call-delta'
        ? event.delta
        : undefined;
  if (text === undefined || !repetition.add(text)) return;
  const { characters } = repetition;
  const error = new PolyphonyError(
    'invalid-output',
    `${nameOf(attempt.target)} was stopped, because the last ${characters} characters of its answer only repeat themselves. Ask a stronger model, or raise limits.answers.repeatedCharacters.`,
    { retryable: false, details: { repeatedCharacters: characters } },
  );
  callStateOf(attempt).blame(error, 'request-here');
  throw error;
}
