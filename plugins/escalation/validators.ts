/**
 * The evaluator `validators`: checks of an answer that need no model. Each flaw takes its share of the confidence; the
 * rest is the score. The shares were set by judgement and measured, not fitted: see
 * docs/plugins/validators.md.
 */
import { definePlugin, type Evaluation, type Evaluator, type Plugin } from 'polyphony/kit';
import { wrongResult } from './validators/asked-expression.ts';
import { type Check, checkedAnswer, type Flaw } from './validators/checked-answer.ts';
import { neitherYesNorNo } from './validators/closed-questions.ts';
import { inventedNames } from './validators/given-names.ts';
import {
  finalNumberFromNowhere,
  longChain,
  noFinalNumber,
  oddQuantity,
  strayOperands,
  unusedNumbers,
  wrongArithmetic,
} from './validators/number-checks.ts';
import { statedConfidence } from './validators/stated-confidence.ts';
import { hollowOutput, openFence, schemaValidity, unbalancedCode } from './validators/structure-checks.ts';
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
  inventedNames,
  neitherYesNorNo,
  wrongResult,
  wrongArithmetic,
  noFinalNumber,
  finalNumberFromNowhere,
  oddQuantity,
  unusedNumbers,
  strayOperands,
  longChain,
];

/** Scores 1 for an answer without flaws. Answers of operations other than chat are not judged and score 1. */
export const validatorsEvaluator: Evaluator = {
  name: 'validators',
  evaluate(call, response): Evaluation {
    const answer = checkedAnswer(call, response);
    if (answer === undefined) return { score: 1, calibrated: false, reasons: [] };
    const flaws = CHECKS.map((check) => check(answer)).filter((flaw) => flaw !== undefined);
    const left = flaws.reduce((score, { penalty }) => score * (1 - penalty), 1);
    const reported = lower(response.confidence, statedConfidence(answer));
    // The confidence that a model reports can only lower the score.
    const score = reported === undefined ? left : Math.min(left, Math.max(0, reported));
    const reasons = flaws.sort(byPenalty).map(({ reason }) => reason);
    if (reported !== undefined && reported < left) reasons.unshift(`the model reports a confidence of ${reported}`);
    return { score, calibrated: false, reasons };
  },
};

const lower = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);

const byPenalty = (a: Flaw, b: Flaw): number => b.penalty - a.penalty;

export function validators(): Plugin {
  return definePlugin({ name: 'validators', evaluators: [validatorsEvaluator] });
}

/** For configs that load the plugin by its path. */
export default () => validators();
