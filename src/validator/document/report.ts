/** Collects the issues of a plan, each with the edit that would fix it if there is one. */
import { defined } from '../../core/defined.ts';
import type { PlanIssue } from '../../core/plan/validation.ts';
import { beginningOf } from '../../language/shown.ts';
import { ISSUE_CODES, type IssueCode, type RepairCode } from './codes.ts';
import { type Edit, setText, valueAt } from './document.ts';

/** A change of the document that needs no model. */
export interface Fix {
  readonly code: RepairCode;
  readonly message: string;
  readonly edit: Edit;
  /** The plan cannot run without it, so it is made even where nothing is repaired. @default false */
  readonly isNeeded?: boolean;
}

export interface Finding extends PlanIssue {
  readonly code: IssueCode;
  readonly fix?: Fix;
}

export interface FindingDetails {
  readonly expected?: unknown;
  readonly got?: unknown;
  readonly suggest?: readonly string[];
  readonly severity?: PlanIssue['severity'];
  readonly fix?: Fix | undefined;
}

/** Limits the size of the report: a hostile plan could have as many issues as bytes. */
export const MOST_ISSUES = 500;

/** Errors that plans of earlier versions may have and run with. */
const LATER_ERRORS: ReadonlySet<IssueCode> = new Set<IssueCode>([
  'condition.never',
  'stand_in.mismatch',
  'prompt.none',
]);

export interface Report {
  readonly findings: Finding[];
  /** True: further issues are dropped, so callers can stop. */
  readonly isFull: () => boolean;
  add(code: IssueCode, path: string, message: string, details?: FindingDetails): void;
  /** Takes over what another report says of the part of the document at a pointer. */
  adopt(findings: readonly Finding[], pointer: string): void;
}

/** @param begun the plan is that of a run that has begun: what was no error when it began is a warning */
export function createReport(begun = false): Report {
  const findings: Finding[] = [];
  const push = (found: () => Finding): void => {
    if (findings.length > MOST_ISSUES) return;
    if (findings.length < MOST_ISSUES) {
      findings.push(found());
      return;
    }
    const rule = `The plan has more than ${MOST_ISSUES} issues, and the rest are not listed: fix these first.`;
    findings.push({ code: 'size.issues', severity: 'error', path: '', message: rule });
  };
  return {
    findings,
    isFull: () => findings.length > MOST_ISSUES,
    add(code, path, message, details = {}) {
      const later = begun && LATER_ERRORS.has(code);
      push(() => finding(code, path, message, later ? { ...details, severity: 'warning' } : details));
    },
    adopt(inner, pointer) {
      for (const found of inner) push(() => foundAt(found, pointer));
    },
  };
}

/** The same finding in the document around: its fix edits only the part that it was found in. */
function foundAt({ fix, ...found }: Finding, pointer: string): Finding {
  const path = beginningOf(pointer + found.path, LONGEST_PATH);
  if (fix === undefined) return { ...found, path };
  return { ...found, path, fix: { ...fix, edit: (document) => fix.edit(valueAt(document, pointer)) } };
}

function finding(code: IssueCode, path: string, message: string, details: FindingDetails): Finding {
  const { severity = ISSUE_CODES[code], expected, got, suggest, fix } = details;
  const names = suggest?.filter((name) => name.length <= LONGEST_NAME) ?? [];
  const text = beginningOf(message, LONGEST_MESSAGE);
  return {
    code,
    severity,
    path: beginningOf(path, LONGEST_PATH),
    message: names.length > 0 ? `${text} Did you mean ${orList(names)}?` : text,
    ...defined({ expected: bounded(expected), got: bounded(got) }),
    ...(names.length === 0 ? {} : { suggest: names }),
    ...defined({ fix }),
  };
}

const LONGEST_NAME = 300;
const LONGEST_MESSAGE = 1500;
/** A plan may have keys of any length. */
const LONGEST_PATH = 1000;
const MOST_LISTED = 50;

/** What an issue repeats of the plan or of a schema: the beginnings of texts and lists. */
function bounded(value: unknown): unknown {
  if (typeof value === 'string') return beginningOf(value, LONGEST_NAME);
  if (!Array.isArray(value)) return value;
  return value.slice(0, MOST_LISTED).map((item: unknown) => (typeof item === 'object' ? shown(item) : bounded(item)));
}

/** The issue without its fix, which only the repairs need. */
export function publicIssue({ fix: _, ...issue }: Finding): PlanIssue {
  return issue;
}

const orList = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(' or ');

const LONGEST_SHOWN = 80;

/** The fix that replaces a misspelt name with the only known name that is close to it. */
export const correction = (name: string, target: string, path: string): Fix => ({
  code: 'name.corrected',
  message: `${shown(name)} was replaced with "${target}".`,
  edit: setText(path, target),
});

/** A value of the plan, short enough for a message. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, LONGEST_SHOWN + 1)) : shownJson(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

function shownJson(value: unknown): string {
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}
