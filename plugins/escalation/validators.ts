/**
 * The evaluator `validators`: what can be checked about an answer without asking a model. Each flaw takes its share of
 * the confidence; what is left is the score. The shares were set by judgement and measured, not fitted: see
 * docs/plugins/validators.md.
 */
import { definePlugin, type Evaluation, type Evaluator, type Plugin } from 'polyphony/kit';
import {
  finalNumberFromNowhere,
  longChain,
  noFinalNumber,
  oddQuantity,
  strayOperands,
  unusedNumbers,
  wrongArithmetic,
} from './validators/number-checks.ts';
import { hollowOutput, openFence, schemaValidity, unbalancedCode } from './validators/structure-checks.ts';
import { type Check, type Flaw, subjectOf } from './validators/subject.ts';
import {
  empty,
  inventedFigures,
  inventedQuotes,
  refused,
  repetitive,
  truncated,
  unfinished,
  unsure,
} from './validators/text-checks.ts';

const CHECKS: readonly Check[] = [
  empty,
  refused,
  truncated,
  unfinished,
  unsure,
  repetitive,
  schemaValidity,
  hollowOutput,
  openFence,
  unbalancedCode,
  inventedQuotes,
  inventedFigures,
  wrongArithmetic,
  noFinalNumber,
  finalNumberFromNowhere,
  oddQuantity,
  unusedNumbers,
  strayOperands,
  longChain,
];

/** 1 where nothing is wrong. Answers of other operations than chat are not judged and score 1. */
export const validatorsEvaluator: Evaluator = {
  name: 'validators',
  evaluate(call, response): Evaluation {
    const subject = subjectOf(call, response);
    if (subject === undefined) return { score: 1, calibrated: false, reasons: [] };
    const flaws = CHECKS.map((check) => check(subject)).filter((flaw) => flaw !== undefined);
    const left = flaws.reduce((score, { penalty }) => score * (1 - penalty), 1);
    const told = response.confidence;
    // The engine's own doubt is believed, its praise is not.
    const score = told === undefined ? left : Math.min(left, Math.max(0, told));
    const reasons = flaws.sort(byPenalty).map(({ reason }) => reason);
    if (told !== undefined && told < left) reasons.unshift(`the model reports a confidence of ${told}`);
    return { score, calibrated: false, reasons };
  },
};

const byPenalty = (a: Flaw, b: Flaw): number => b.penalty - a.penalty;

export function validators(): Plugin {
  return definePlugin({ name: 'validators', evaluators: [validatorsEvaluator] });
}

/** For configs that load the plugin by its path. */
export default () => validators();
