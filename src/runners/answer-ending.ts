/** What the end of an answer means for its node: whether it is whole, and why it is a failure where it is one. */

import { PolyphonyError } from '../core/errors.ts';
import type { Citation, MediaSource, ModelResponse, Part } from '../core/model/model.ts';
import { textOf } from '../core/model/response.ts';
import type { AnswerFacts, NodeCall } from '../core/run/engine.ts';
import { tryParseJson } from '../kit/json/json-shape.ts';

const MOST_CITATIONS = 256;
const MOST_REASONING = 4096;
const MOST_QUOTED = 500;

export const modelName = ({ target }: ModelResponse): string => `${target.provider}/${target.model}`;

/**
 * A refused, filtered or broken answer is none, whatever text it has.
 *
 * @throws content-policy, truncated
 */
export function assertAnswered({ node }: NodeCall, response: ModelResponse): void {
  const { finishReason, refusal } = response;
  const details = { finishReason, ...(refusal === undefined ? {} : { refusal: shortened(refusal) }) };
  if (finishReason === 'error') {
    const message = `${modelName(response)} ended its answer for node ${node.id} with an error. Try again, or use another model.`;
    throw new PolyphonyError('truncated', message, { details });
  }
  if (finishReason !== 'content-filter' && refusal === undefined) return;
  const did = finishReason === 'content-filter' ? 'filtered its answer' : 'refused to answer';
  const reason = refusal === undefined ? '' : `: ${quoted(refusal)}`;
  const message = `${modelName(response)} ${did} for node ${node.id}${reason}. Rephrase the input, or use another model.`;
  throw new PolyphonyError('content-policy', message, { details });
}

const shortened = (text: string): string => (text.length <= MOST_QUOTED ? text : `${text.slice(0, MOST_QUOTED)}…`);
/** Quoted, so that the model's own full stop is not taken for ours. */
const quoted = (text: string): string => JSON.stringify(shortened(text));

/**
 * True for an answer that was cut and is of no use to the node: half a JSON, calls of tools whose arguments may be cut, or
 * no text at all.
 */
export function isCutShort(response: ModelResponse, { typed, tools }: { typed: boolean; tools: boolean }): boolean {
  if (response.finishReason !== 'length') return false;
  if (tools && response.content.some(({ type }) => type === 'tool-call')) return true;
  if (typed) return !isWholeJson(textOf(response));
  return isBlank(response);
}

/** A closed object or list is whole, whatever was cut after it; anything else may have gone on. */
function isWholeJson(text: string): boolean {
  const last = text.trimEnd().at(-1);
  return (last === '}' || last === ']') && tryParseJson(text) !== undefined;
}

/** The model wrote nothing that a reader can use. */
function isBlank(response: ModelResponse): boolean {
  return response.output === undefined && response.content.every(isBlankPart);
}

const isBlankPart = (part: Part): boolean =>
  part.type === 'reasoning' || (part.type === 'text' && part.text.trim() === '');

/** What the answer says besides its text, within bounds. */
export function factsOf(
  response: Pick<ModelResponse, 'finishReason' | 'citations' | 'content' | 'output'>,
): AnswerFacts {
  const { finishReason, citations, content, output } = response;
  const images = output?.operation === 'image' ? [...output.images] : [];
  const audio: MediaSource[] = [];
  let reasoning = '';
  for (const part of content) {
    if (part.type === 'image') images.push(part.source);
    else if (part.type === 'audio') audio.push(part.source);
    else if (part.type === 'reasoning' && reasoning.length < MOST_REASONING) reasoning += part.text;
  }
  return {
    finishReason,
    ...(citations === undefined ? {} : { citations: citations.slice(0, MOST_CITATIONS) satisfies readonly Citation[] }),
    ...(images.length === 0 ? {} : { images }),
    ...(audio.length === 0 ? {} : { audio }),
    ...(reasoning === '' ? {} : { reasoning: reasoning.slice(0, MOST_REASONING) }),
  };
}

/** The answer of a model that paused and went on, as one. */
export function joined(
  before: readonly Pick<ModelResponse, 'content' | 'citations'>[],
  last: ModelResponse,
): ModelResponse {
  if (before.length === 0) return last;
  const all = [...before, last];
  const citations = all.flatMap((response) => response.citations ?? []);
  return {
    ...last,
    content: all.flatMap(({ content }) => content),
    ...(citations.length === 0 ? {} : { citations }),
  };
}
