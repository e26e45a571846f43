/** The answer and the request that the checks examine, parsed once. */
import { type Call, type ChatRequest, firstOf, lastOf, type Message, type ModelResponse, textOf } from 'polyphony/kit';
import { type Equation, equationsOf } from './arithmetic.ts';

export interface CheckedAnswer {
  readonly request: ChatRequest;
  readonly response: ModelResponse;
  readonly text: string;
  /** The last user message. */
  readonly question: string;
  /** The system messages. */
  readonly instructions: string;
  /** The messages that are neither the last user message nor an answer of the model. */
  readonly given: string;
  /** All text that the model was given. */
  readonly source: string;
  readonly equations: readonly Equation[];
}

/** A flaw, and the share of the confidence that it takes: 0 none, 1 all. */
export interface Flaw {
  readonly penalty: number;
  readonly reason: string;
}
export type Check = (answer: CheckedAnswer) => Flaw | undefined;

/** Longer texts are judged by their beginning and end, which bounds the time of the checks. */
const MAX_LENGTH = 16_000;

export function checkedAnswer(call: Call, response: ModelResponse): CheckedAnswer | undefined {
  const { request } = call;
  if (request.operation !== 'chat') return undefined;
  // JSON is parsed only as a whole.
  const text = request.output === undefined ? bounded(textOf(response)) : textOf(response);
  const last = request.messages.findLast(({ role }) => role === 'user');
  return {
    request,
    response,
    text,
    question: last === undefined ? '' : bounded(wordsOf(last)),
    instructions: bounded(joined(request.messages.filter(({ role }) => role === 'system'))),
    given: bounded(joined(request.messages.filter((message) => message !== last && message.role !== 'assistant'))),
    source: bounded(joined(request.messages)),
    equations: request.output === undefined ? equationsOf(text) : [],
  };
}

const bounded = (text: string): string =>
  text.length <= MAX_LENGTH ? text : `${firstOf(text, MAX_LENGTH / 2)}\n${lastOf(text, MAX_LENGTH / 2)}`;

const joined = (messages: readonly Message[]): string => messages.map(wordsOf).join('\n');

function wordsOf({ content }: Message): string {
  if (typeof content === 'string') return content;
  return content
    .map((part) => {
      if (part.type === 'text') return part.text;
      if (part.type === 'tool-result') return wordsOf({ role: 'tool', content: part.content });
      return '';
    })
    .join('\n');
}
