/** The environments in which cel-js parses and evaluates: one for what a plan says, one for what that is translated to. */
import { Environment } from '@marcbachmann/cel-js';
import { CONDITION_BOUNDS } from '../condition-rules.ts';
import { registerWork } from './condition-work.ts';
import { registerFunctions } from './expression-functions.ts';

interface Environments {
  readonly strict: Environment;
  readonly emitted: Environment;
}

let made: Environments | undefined;

export function environments(): Environments {
  made ??= makeEnvironments();
  return made;
}

const NUMBERS = ['int', 'double'] as const;
const ARITHMETIC: Readonly<Record<string, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right,
};
const ORDER = ['<', '<=', '>', '>='];

function makeEnvironments(): Environments {
  const options = { unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false };
  const strict = new Environment({ ...options, limits: { maxDepth: CONDITION_BOUNDS.depth } });
  const emitted = new Environment({ ...options, limits: { maxDepth: CONDITION_BOUNDS.depth * 16 } });
  registerWork(emitted);
  registerFunctions(emitted);
  registerMixedArithmetic(emitted);
  registerNulls(emitted);
  registerTimes(emitted);
  return { strict, emitted };
}

/** CEL has no arithmetic between int and double, but data from JSON is always double and literals are mostly int. */
function registerMixedArithmetic(environment: Environment): void {
  for (const [operator, compute] of Object.entries(ARITHMETIC)) {
    const handle = (left: unknown, right: unknown) => compute(Number(left), Number(right));
    environment.registerOperator(`int ${operator} double`, handle);
    environment.registerOperator(`double ${operator} int`, handle);
    if (operator === '%') environment.registerOperator('double % double', handle);
  }
  environment.registerOperator('int == double', (left: unknown, right: unknown) => Number(left) === Number(right));
}

function registerNulls(environment: Environment): void {
  const never = () => false;
  for (const operator of ORDER) {
    for (const type of [...NUMBERS, 'string']) {
      environment.registerOperator(`null ${operator} ${type}`, never);
      environment.registerOperator(`${type} ${operator} null`, never);
    }
    environment.registerOperator(`null ${operator} null`, never);
  }
  // As in any text and wherever a list is needed: what is missing adds nothing.
  for (const type of ['string', 'list']) {
    environment.registerOperator(`null + ${type}`, (_: unknown, right: unknown) => right);
    environment.registerOperator(`${type} + null`, (left: unknown) => left);
  }
  environment.registerOperator('null + null', () => null);
  for (const method of ['startsWith', 'endsWith', 'contains']) {
    environment.registerFunction(`null.${method}(string): bool`, never, { async: false });
  }
  environment.registerFunction('size(null): int', () => 0n, { async: false });
  environment.registerFunction('null.size(): int', () => 0n, { async: false });
}

/** A timestamp as the text that a result makes of it. */
function registerTimes(environment: Environment): void {
  const text = (time: unknown): string => (time instanceof Date ? time.toISOString() : String(time));
  const { type } = environment.check('timestamp("2000-01-01T00:00:00Z")');
  if (type !== undefined) environment.registerFunction(`string(${type}): string`, text, { async: false });
}
