/** Checks of single values: choices, numbers and texts. */
import { PolyphonyError } from '../../../core/errors.ts';
import type { JsonSchema } from '../../../core/model/model.ts';
import { shownJson, shownText } from '../../../language/shown.ts';
import { isSameJson } from './equality.ts';
import { type Check, type CheckRun, fail, spend, textSteps } from './run.ts';

export function choiceCheck(choices: readonly unknown[]): Check {
  const scalars = new Set(choices.filter((choice) => typeof choice !== 'object' || choice === null));
  const others = choices.filter((choice) => typeof choice === 'object' && choice !== null);
  const message = `must be equal to one of the allowed values: ${shownJson(choices)}`;
  return (value, run) => {
    if (typeof value === 'string') spend(run, textSteps(value));
    if (scalars.has(value)) return true;
    if (typeof value === 'object' && others.some((choice) => isSameJson(choice, value, run))) return true;
    return fail(run, message);
  };
}

export function constantCheck(constant: unknown): Check {
  const message = `must be equal to constant: ${shownJson(constant)}`;
  return (value, run) => isSameJson(constant, value, run) || fail(run, message);
}

const isNumber = (value: unknown): value is number => typeof value === 'number';

/** A multiple is a number whose quotient is whole, by the arithmetic of doubles. */
export function numberChecks(schema: JsonSchema): Check[] {
  const { minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below, multipleOf } = schema;
  const checks: Check[] = [];
  const add = (holds: (value: number) => boolean, message: string): void => {
    checks.push((value, run) => holds(value as number) || fail(run, message));
  };
  if (isNumber(minimum)) add((value) => value >= minimum, `must be >= ${minimum}`);
  if (isNumber(maximum)) add((value) => value <= maximum, `must be <= ${maximum}`);
  if (isNumber(above)) add((value) => value > above, `must be > ${above}`);
  if (isNumber(below)) add((value) => value < below, `must be < ${below}`);
  if (isNumber(multipleOf)) add((value) => Number.isInteger(value / multipleOf), `must be multiple of ${multipleOf}`);
  return checks;
}

export function textChecks(schema: JsonSchema): Check[] {
  const { minLength: least, maxLength: most, pattern } = schema;
  const checks: Check[] = [];
  if (isNumber(least)) {
    const message = `must NOT have fewer than ${least} characters`;
    checks.push((value, run) => isLongEnough(value as string, least, run) || fail(run, message));
  }
  if (isNumber(most)) {
    const message = `must NOT have more than ${most} characters`;
    checks.push((value, run) => !isLongEnough(value as string, most + 1, run) || fail(run, message));
  }
  if (typeof pattern === 'string') {
    const expression = expressionOf(pattern);
    const message = `must match pattern ${shownText(pattern, 200)}`;
    checks.push((value, run) => {
      spend(run, textSteps(value as string));
      return expression.test(value as string) || fail(run, message);
    });
  }
  return checks;
}

/** Characters outside the basic plane have two units: they are counted only where that decides. */
function isLongEnough(text: string, least: number, run: CheckRun): boolean {
  if (text.length < least) return false;
  if (text.length >= least * 2) return true;
  spend(run, textSteps(text));
  let characters = 0;
  for (const _ of text) characters += 1;
  return characters >= least;
}

/** @throws invalid-request */
export function expressionOf(pattern: string): RegExp {
  for (const flags of ['u', '']) {
    try {
      return new RegExp(pattern, flags);
    } catch {
      // Some older patterns are valid only without Unicode.
    }
  }
  const message = `The JSON Schema is invalid: ${shownText(pattern)} is not a regular expression. Correct it.`;
  throw new PolyphonyError('invalid-request', message);
}
