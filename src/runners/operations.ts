/** `image`, `moderate` and `rerank`: one gateway call each. */

import { defined } from '../core/defined.ts';
import type { Gateway } from '../core/gateway.ts';
import type { ImagePart, ModelRequest, ModelResponse, ModerationResult, TextPart } from '../core/model/model.ts';
import type { NodeCall, NodeRunner } from '../core/run/engine.ts';
import { chargeOfAttempts, withCharge } from '../runs/state/charge.ts';
import { assertAnswered } from './answer-ending.ts';
import {
  callOptions,
  charged,
  operationOutput,
  outputOf,
  reportEscalation,
  requestFields,
  unhurried,
} from './gateway-call.ts';
import { invalidInput, mediaSource, numberInput, requiredText, textInput, textsInput } from './inputs.ts';

/** One call of the gateway for a node, with an answer that is whole. */
export async function ask(gateway: Gateway, call: NodeCall, request: ModelRequest): Promise<ModelResponse> {
  const id = `${call.idempotencyKey}/1`;
  const response = await charged((trace) =>
    unhurried({ call, gateway, request, options: callOptions(call, id, trace) }, (given, options) =>
      gateway.call(given, options),
    ),
  );
  reportEscalation(call, response);
  try {
    // A filtered picture is blurred, and paid all the same.
    assertAnswered(call, response);
  } catch (error) {
    throw withCharge(error, chargeOfAttempts(response.attempts));
  }
  return response;
}

export function imageRunner(gateway: Gateway): NodeRunner {
  return async function makeImage(call) {
    // A model that was asked what a picture must not show may have found nothing, and vendors refuse an empty text.
    const negativePrompt = textInput(call, 'negativePrompt') || undefined;
    const size = textInput(call, 'size') || undefined;
    const count = numberInput(call, 'count');
    const seed = numberInput(call, 'seed');
    const { image } = call.inputs;
    const response = await ask(gateway, call, {
      operation: 'image',
      ...requestFields(call),
      prompt: requiredText(call, 'prompt'),
      ...defined({ negativePrompt, size, count, seed }),
      ...(image === undefined || image === null ? {} : { image: mediaSource(call, 'image', image) }),
    });
    const { images } = operationOutput(response, 'image');
    return outputOf({ image: images[0] ?? null, images }, response);
  };
}

export function moderateRunner(gateway: Gateway): NodeRunner {
  return async function moderateInput(call) {
    const input = moderated(call);
    const response = await ask(gateway, call, { operation: 'moderate', ...requestFields(call), input });
    return outputOf(worst(operationOutput(response, 'moderate').results), response);
  };
}

function moderated(call: NodeCall): readonly (TextPart | ImagePart)[] {
  const { input } = call.inputs;
  const list = Array.isArray(input) ? input : [input];
  const parts = list.filter((item) => item !== null && item !== undefined && item !== '');
  if (parts.length === 0) throw invalidInput(call, 'input', 'a text, an image part or a list of them');
  return parts.map((item: unknown) => (isPart(item) ? item : { type: 'text', text: asText(item) }));
}

const asText = (item: unknown): string => (typeof item === 'string' ? item : JSON.stringify(item));

function isPart(item: unknown): item is TextPart | ImagePart {
  if (typeof item !== 'object' || item === null || !('type' in item)) return false;
  return (item.type === 'text' && 'text' in item) || (item.type === 'image' && 'source' in item);
}

/** One verdict for all parts: flagged when one is, with the highest score per category. */
function worst(results: readonly ModerationResult[]): ModerationResult {
  const categories: Record<string, boolean> = {};
  const scores: Record<string, number> = {};
  for (const result of results) {
    for (const [name, held] of Object.entries(result.categories)) categories[name] = held || categories[name] === true;
    for (const [name, score] of Object.entries(result.scores)) scores[name] = Math.max(score, scores[name] ?? 0);
  }
  return { flagged: results.some(({ flagged }) => flagged), categories, scores };
}

export function rerankRunner(gateway: Gateway): NodeRunner {
  return async function rerankDocuments(call) {
    const documents = textsInput(call, 'documents');
    if (documents.length === 0) return { value: { results: [] }, costNanoUsd: 0 };
    const top = numberInput(call, 'top');
    const response = await ask(gateway, call, {
      operation: 'rerank',
      ...requestFields(call),
      query: requiredText(call, 'query'),
      documents,
      ...defined({ top }),
    });
    return outputOf({ results: operationOutput(response, 'rerank').results }, response);
  };
}
