/** The requirements of a request, stated by the caller or implied by the request itself. */
import { PolyphonyError } from '../../core/errors.ts';
import {
  CAPABILITIES,
  type Capability,
  type ChatRequest,
  type ModelChoice,
  type ModelRequest,
  type Part,
} from '../../core/model/model.ts';
import { type RequestSize, sizeOf } from './size.ts';

/** A class: see docs/decisions/objects-of-a-call.md. */
export class Needs {
  readonly choice: ModelChoice;
  /** The capabilities that a target must have, as bits. */
  readonly mask: number;
  readonly size: RequestSize;

  constructor(request: ModelRequest) {
    this.choice = choiceOf(request);
    this.mask = maskOf(this.choice.can ?? NONE) | impliedMask(request);
    this.size = sizeOf(request);
  }
}

const BITS: ReadonlyMap<Capability, number> = new Map(CAPABILITIES.map((name, index) => [name, 1 << index]));

export function maskOf(capabilities: readonly Capability[]): number {
  return capabilities.reduce((mask, name) => mask | (BITS.get(name) ?? 0), 0);
}

/** The capabilities whose bits are set in `mask`. */
export const capabilitiesOf = (mask: number): readonly Capability[] =>
  CAPABILITIES.filter((_name, index) => (mask & (1 << index)) !== 0);

const NO_CHOICE: ModelChoice = {};
const NONE: readonly Capability[] = [];
/** A cache of results that can be computed again. */
const known = new WeakMap<ModelRequest, Needs>();

/** Computed once per request, because requests are never changed in place. */
export function needsOf(request: ModelRequest): Needs {
  const before = known.get(request);
  if (before !== undefined) return before;
  const needs = new Needs(request);
  known.set(request, needs);
  return needs;
}

export function choiceOf(request: ModelRequest): ModelChoice {
  const { model } = request;
  if (model === undefined) return NO_CHOICE;
  return typeof model === 'string' ? { id: model } : model;
}

function impliedMask(request: ModelRequest): number {
  if (request.operation === 'image') return request.image === undefined ? 0 : maskOf(['image-edit']);
  if (request.operation === 'moderate') return partsMask(request.input);
  return request.operation === 'chat' ? chatMask(request) : 0;
}

/**
 * JSON output, sampling parameters and system messages are not requirements, because `adapt` makes them fit any target: they
 * change the score and exclude no target. A caller that needs native support names `json-schema` in `model.can`.
 */
function chatMask(request: ChatRequest): number {
  // Programs in JavaScript reach this unchecked.
  if (!Array.isArray(request.messages)) {
    const example = `{ messages: [{ role: 'user', content: '…' }] }`;
    throw new PolyphonyError('invalid-request', `A chat request needs a list of messages: give ${example}.`);
  }
  let mask = 0;
  for (const { role, content } of request.messages) {
    // Media of earlier answers are left out for a model that does not take them, with a warning.
    if (typeof content !== 'string' && role !== 'assistant') mask |= partsMask(content);
  }
  const { tools, toolChoice, reasoning, logprobs } = request;
  if (tools !== undefined && tools.length > 0) mask |= maskOf(['tools']);
  if (toolChoice === 'required' || typeof toolChoice === 'object') mask |= maskOf(['tool-choice']);
  if (request.parallelToolCalls === true) mask |= maskOf(['parallel-tools']);
  if (logprobs !== undefined && logprobs !== false) mask |= maskOf(['logprobs']);
  const thinks = reasoning?.effort !== undefined ? reasoning.effort !== 'none' : reasoning?.budgetTokens !== undefined;
  return thinks ? mask | maskOf(['reasoning']) : mask;
}

const PART_NEEDS: Partial<Record<Part['type'], number>> = {
  image: maskOf(['image-in']),
  audio: maskOf(['audio-in']),
  video: maskOf(['video-in']),
  file: maskOf(['file-in']),
};

function partsMask(parts: readonly Part[]): number {
  let mask = 0;
  for (const part of parts) {
    mask |= PART_NEEDS[part.type] ?? 0;
    if (part.type === 'tool-result' && typeof part.content !== 'string') mask |= partsMask(part.content);
  }
  return mask;
}
