/** How much longer an answer may become that was cut at its length limit, and which bound is in its way. */

import { PolyphonyError } from '../core/errors.ts';
import type { Gateway } from '../core/gateway.ts';
import type { ModelResponse, Usage } from '../core/model/model.ts';
import type { NodeCall } from '../core/run/engine.ts';
import { modelName } from './answer-ending.ts';
import { numberInput } from './inputs.ts';

/** The most tokens that the answer may have, and why it may not have more. */
export interface Room {
  readonly tokens: number;
  readonly bound: string;
}

export interface Cut {
  readonly call: NodeCall;
  readonly gateway: Pick<Gateway, 'models'>;
  readonly response: ModelResponse;
  /** The limit that was sent; undefined: none was. */
  readonly asked: number | undefined;
  /** What the node has used, this answer included. */
  readonly used: Usage;
}

/** Where no bound is known at all, the second answer may be this many times longer than the first. */
const LONGER = 4;
const LEAST_TOKENS = 4096;

/** The room that all bounds leave: those of the caller, of `limits.tokens`, of the budget and of the model. */
export function roomOf(cut: Cut): Room {
  const [first, ...others] = boundsOf(cut);
  const tokens = Math.max(LEAST_TOKENS, cut.response.usage.output * LONGER);
  if (first === undefined) return { tokens, bound: `the ${tokens} tokens that were asked for` };
  return others.reduce((least, bound) => (bound.tokens < least.tokens ? bound : least), first);
}

/** True when an answer with this room can be longer than the one that was cut. */
export function isMore({ tokens }: Room, { asked, response }: Cut): boolean {
  return tokens > (asked ?? response.usage.output);
}

function boundsOf(cut: Cut): Room[] {
  const { call, response, used } = cut;
  const bounds: Room[] = [];
  const wanted = numberInput(call, 'maxTokens');
  if (wanted !== undefined) bounds.push({ tokens: wanted, bound: `"maxTokens" of the node, which is ${wanted}` });
  const limit = call.node.limits?.tokens;
  if (limit !== undefined) {
    // The same prompt is read a second time.
    const left = limit - used.input - used.output - response.usage.input;
    bounds.push({ tokens: left, bound: `"limits.tokens" of the node, which is ${limit}` });
  }
  if (response.warnings.some(({ code }) => code === 'output-limited-by-budget')) {
    bounds.push({ tokens: response.usage.output, bound: 'the budget, which does not cover a longer answer' });
  }
  return [...bounds, ...boundsOfModel(cut)];
}

function boundsOfModel({ gateway, response }: Cut): Room[] {
  const { target, usage } = response;
  const known = gateway.models().find(({ provider, card }) => provider === target.provider && card.id === target.model);
  if (known === undefined) return [];
  const { contextTokens, maxOutputTokens } = known.card;
  const name = modelName(response);
  return [
    { tokens: maxOutputTokens, bound: `the longest answer of ${name}, which is ${maxOutputTokens} tokens` },
    {
      tokens: contextTokens - usage.input,
      bound: `the context window of ${name}, which is ${contextTokens} tokens`,
    },
  ];
}

/** Where the answer was cut, and what is in the way of a longer one. */
export function cutAt({ response, asked }: Cut, { bound, tokens }: Room): string {
  const { output } = response.usage;
  // Counts may be estimates, so a limit counts as reached a little before.
  const isReached = asked !== undefined || output >= tokens * 0.9;
  const by = isReached ? bound : `a limit of its server, because none was sent; allowed were up to ${tokens} tokens`;
  return `was cut after ${output} tokens. What bounds it is ${by}`;
}

/**
 * The error for a cut answer.
 *
 * @param refusal why the node could not ask again
 */
export function outputCut(cut: Cut, room: Room, refusal?: PolyphonyError): PolyphonyError {
  const { call, response } = cut;
  const why = refusal === undefined ? '' : ` Asking again with more room failed: ${refusal.message}`;
  const message =
    `The answer of ${modelName(response)} for node ${call.node.id} ${cutAt(cut, room)}. ` +
    `Half an answer is not used: allow more, ask for less, or choose a model that writes longer answers.${why}`;
  return new PolyphonyError('output-cut', message, {
    details: { finishReason: response.finishReason, bound: room.bound, tokens: room.tokens },
    ...(refusal === undefined ? {} : { cause: refusal }),
  });
}

const NO_ROOM: ReadonlySet<PolyphonyError['code']> = new Set(['budget-exceeded', 'no-route', 'context-window']);

/** True for a failure that says that a longer answer is not to be had. */
export const deniesRoom = (error: unknown): error is PolyphonyError =>
  error instanceof PolyphonyError && NO_ROOM.has(error.code);
