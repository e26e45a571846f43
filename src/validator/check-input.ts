/** Checks that the input of a run matches the schema that its plan declares. */
import { PolyphonyError } from '../core/errors.ts';
import type { Plan } from '../core/plan/plan.ts';
import { toJsonSchema, validateJson } from '../kit/json/json-schema.ts';
import { shownJson } from '../language/shown.ts';

type Input = Readonly<Record<string, unknown>>;

/** @throws invalid-request naming each field that is missing or wrong */
export function checkedInput(plan: Pick<Plan, 'input'>, input: Input | undefined): Input {
  const given = input ?? {};
  if (plan.input === undefined) return given;
  const checked = validateJson(toJsonSchema(plan.input), given, { trusted: false });
  if (checked.ok) return given;
  const issues = checked.issues.map(({ path, message }) => `${path === '' ? 'it' : path} ${message}`).join('; ');
  throw new PolyphonyError(
    'invalid-request',
    `The input does not match what the plan declares: ${issues}. The plan takes ${shownJson(plan.input, 1000)}.`,
  );
}
