/** Checks of answers to questions with numbers. */
import { numbersOf } from './arithmetic.ts';
import type { Check, CheckedAnswer } from './checked-answer.ts';

const ASKS_NUMBER =
  /\bhow (?:many|much|long|far|old|tall|often|fast|big)\b|\bcalculate\b|\bwhat (?:is|was|are|were) the (?:\w+ )?(?:total|sum|difference|number|amount|cost|price|average|percentage|area|volume)\b/i;

const asksNumber = ({ question, request }: CheckedAnswer): boolean =>
  request.output === undefined && ASKS_NUMBER.test(question) && numbersOf(question).length >= 2;

/** The last line of the text with a letter or a digit. */
function ending(text: string): string {
  const lines = text.trim().split('\n');
  return lines.findLast((line) => /[\p{L}\p{N}]/u.test(line)) ?? '';
}

const finalNumber = ({ text }: CheckedAnswer): number | undefined => numbersOf(ending(text)).at(-1);

export const wrongArithmetic: Check = ({ equations }) => {
  const wrong = equations.filter(({ right }) => !right);
  const [first] = wrong;
  if (first === undefined) return undefined;
  const value = Number(first.computed.toPrecision(10));
  return {
    penalty: 0.6 + 0.3 * (wrong.length / equations.length),
    reason: `"${first.text}" is wrong: the result is ${value}`,
  };
};

export const noFinalNumber: Check = (subject) =>
  asksNumber(subject) && finalNumber(subject) === undefined
    ? { penalty: 0.5, reason: 'the question asks for a number, but the answer ends without one' }
    : undefined;

/** The last number should be the result of a step of the answer. */
export const finalNumberFromNowhere: Check = (subject) => {
  const { equations, text } = subject;
  const final = finalNumber(subject);
  if (!asksNumber(subject) || final === undefined || equations.length === 0) return undefined;
  const worked = equations.some(({ stated, computed }) => near(stated, final) || near(computed, final));
  const reached = worked || resultsOf(text).some((result) => near(result, final));
  return reached ? undefined : { penalty: 0.4, reason: `no step of the answer leads to its result ${final}` };
};

/** Numbers after an equals sign, also where its left side contains words. */
const resultsOf = (text: string): number[] =>
  [...text.matchAll(/=\s*[$€£]?\s*(\d[\d,]*(?:\.\d+)?)/g)].map(([, digits = '']) => Number(digits.replaceAll(',', '')));

/** Countable things have whole numbers that are not negative. */
export const oddQuantity: Check = (subject) => {
  const final = finalNumber(subject);
  if (final === undefined || !asksNumber(subject)) return undefined;
  const last = ending(subject.text);
  if (/=\s*[$€£]?-\d[\d.,]*\s*$/.test(last)) return { penalty: 0.5, reason: 'the result is negative' };
  if (Number.isInteger(final) || !/\bhow many\b/i.test(subject.question)) return undefined;
  if (
    /\bhow many (?:\w+ )?(?:hours|minutes|years|days|weeks|miles|pounds|ounces|liters|litres|cups|meters|metres|feet|percent|dollars)\b/i.test(
      subject.question,
    )
  ) {
    return { penalty: 0.2, reason: `the result ${final} is a fraction` };
  }
  return { penalty: 0.5, reason: `the question counts whole things, but the result is ${final}` };
};

/** An answer should use the figures of its question. */
export const unusedNumbers: Check = (subject) => {
  if (!asksNumber(subject) || subject.equations.length === 0) return undefined;
  const given = [...new Set(numbersOf(subject.question))];
  const used = new Set(numbersOf(subject.text));
  const unused = given.filter((number) => !used.has(number));
  if (unused.length === 0) return undefined;
  const penalty = Math.min(0.5, 0.25 + 0.5 * (unused.length / given.length));
  return { penalty, reason: `the answer never uses ${unused.slice(0, 3).join(', ')} from the question` };
};

/** Each further step of a calculation may be wrong. */
export const longChain: Check = ({ equations }) => {
  const steps = equations.length;
  return steps < 3 ? undefined : { penalty: 1 - 0.98 ** steps, reason: `the answer rests on ${steps} steps` };
};

/** Operands should come from the question or from an earlier step. */
export const strayOperands: Check = (subject) => {
  if (!asksNumber(subject)) return undefined;
  const known = new Set([...numbersOf(subject.source), 0.5, 1, 2, 3, 4, 7, 10, 12, 24, 30, 60, 100, 365, 1000]);
  let stray = 0;
  let total = 0;
  for (const { text, stated, computed } of subject.equations) {
    for (const number of numbersOf(text.slice(0, text.indexOf('=')))) {
      total += 1;
      if (!known.has(number)) stray += 1;
    }
    known
      .add(stated)
      .add(computed)
      .add(Math.round(computed * 100) / 100);
  }
  if (total === 0 || stray / total < 0.2) return undefined;
  return { penalty: 0.15, reason: `${stray} of ${total} operands are neither in the question nor in an earlier step` };
};

const near = (a: number, b: number): boolean => Math.abs(a - b) <= 0.011 + Math.abs(a) * 1e-9;
