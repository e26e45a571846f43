/** The facts of answers, where they come from something else than one answer. */
import { asPolyphonyError } from '../../core/errors.ts';
import { firstOf } from '../../core/json/cut-text.ts';
import { FINISH_REASONS, type FinishReason } from '../../core/model/model.ts';
import type { AnswerFacts, ItemError, NodeError, NodeResult } from '../../core/run/engine.ts';

const isFinishReason = (value: unknown): value is FinishReason => FINISH_REASONS.some((known) => known === value);

/** What the failed answer said, for those who read the stand-in's `meta`. */
export function factsOfFailure(error: unknown): AnswerFacts {
  if (error === undefined) return {};
  const { finishReason, refusal } = asPolyphonyError(error).details ?? {};
  return {
    ...(isFinishReason(finishReason) ? { finishReason } : {}),
    ...(typeof refusal === 'string' ? { refusal } : {}),
  };
}

/** Of a list: the reason that says most, of those that its items ended with. */
const TELLING: readonly FinishReason[] = ['error', 'content-filter', 'length', 'other', 'pause', 'tool-calls', 'stop'];

/** A list is as whole as its items are. What came beside their texts stays with each item's own record. */
export function factsOfItems(results: readonly (NodeResult | undefined)[]): AnswerFacts {
  const reasons = new Set(results.map((result) => result?.meta.finishReason));
  const finishReason = TELLING.find((reason) => reasons.has(reason));
  return finishReason === undefined ? {} : { finishReason };
}

const LONGEST_MESSAGE = 1000;
const MOST_ERRORS = 1000;

/** What references and conditions read as `meta.error`. */
export function errorAsData(cause: unknown): NodeError {
  const { code, message } = asPolyphonyError(cause);
  return { code, message: firstOf(message, LONGEST_MESSAGE) };
}

/** The items that failed, with their place in the list; undefined where none did. */
export function errorsOfItems(results: readonly (NodeResult | undefined)[]): readonly ItemError[] | undefined {
  let errors: ItemError[] | undefined;
  for (let item = 0; item < results.length; item += 1) {
    const error = results[item]?.meta.error;
    if (error === undefined) continue;
    errors ??= [];
    if (errors.length === MOST_ERRORS) break;
    errors.push({ item, ...error });
  }
  return errors;
}
