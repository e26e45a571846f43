/**
 * One check of one value. Its work is counted in steps, about one for each rule that is applied to each part of the value and
 * one for each 32 characters of a text that is read, so that no schema and no value can make it long.
 */
import { beginningOf } from '../../../language/shown.ts';

export interface JsonIssue {
  /** JSON pointer into the value (for `refuseUnsafeSchema`: into the schema). Long keys are cut. */
  readonly path: string;
  readonly message: string;
}

export interface CheckRun {
  /** Steps that are left. */
  steps: number;
  /** Schemas that are being applied, one inside the other. */
  depth: number;
  /** Undefined: only whether the value is valid is asked, so the first issue ends the check. */
  issues: JsonIssue[] | undefined;
  readonly path: (string | number)[];
  /** With fewer steps left than this, the results of schemas that refer to themselves are remembered. */
  readonly rememberBelow: number;
  /** Those results, by schema and value: without them choices would double the work at each level. */
  known: Map<object, Map<object, boolean>> | undefined;
}

/** One schema, applied to one value. */
export type Check = (value: unknown, run: CheckRun) => boolean;

export const MOST_ISSUES = 20;
/** More would come near to the end of the stack. */
const MOST_DEPTH = 1000;
const LONGEST_PATH = 400;

/** Most checks end before remembering pays. */
const STEPS_BEFORE_REMEMBERING = 50_000;

export const newRun = (steps: number, issues: JsonIssue[] | undefined): CheckRun => ({
  steps,
  depth: 0,
  issues,
  path: [],
  rememberBelow: steps - STEPS_BEFORE_REMEMBERING,
  known: undefined,
});

/** Ends a check whose bounds are reached. */
export class CheckEnded extends Error {
  override readonly name = 'CheckEnded';
}

export function spend(run: CheckRun, steps: number): void {
  run.steps -= steps;
  if (run.steps < 0)
    throw new CheckEnded('takes too many steps to check: make the value smaller, or its schema simpler');
}

/** The steps for reading a text. */
export const textSteps = (text: string): number => 1 + (text.length >>> 5);

export function enter(run: CheckRun): void {
  if (++run.depth > MOST_DEPTH) throw new CheckEnded('is nested too deeply to be checked: flatten it');
}

export function fail(run: CheckRun, message: string): false {
  if (isCollecting(run)) run.issues?.push({ path: pointerOf(run.path), message });
  return false;
}

/** True while further issues of a value that is already invalid are wanted. */
export const isCollecting = (run: CheckRun): boolean => run.issues !== undefined && run.issues.length < MOST_ISSUES;

/** The result of a check without its issues. */
export function probe(run: CheckRun, check: (run: CheckRun) => boolean): boolean {
  const { issues } = run;
  run.issues = undefined;
  const result = check(run);
  run.issues = issues;
  return result;
}

function pointerOf(path: readonly (string | number)[]): string {
  let pointer = '';
  for (const key of path) {
    pointer += `/${typeof key === 'number' ? key : pointerToken(beginningOf(key))}`;
    if (pointer.length > LONGEST_PATH) return `${pointer.slice(0, LONGEST_PATH)}…`;
  }
  return pointer;
}

export const pointerToken = (key: string): string =>
  key.includes('~') || key.includes('/') ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key;
