/** What every repair of a habit is given: the names that exist, and where to tell what was done. */
import type { Catalogue, PlanRepair } from '../../core/plan/validation.ts';
import type { RepairCode } from '../document/codes.ts';
import { shown } from '../document/report.ts';

export interface Mending {
  readonly catalogue: Catalogue;
  readonly repaired: PlanRepair[];
}

export type Fields = Record<string, unknown>;

/** More changes than this are made, but not told one by one: a hostile plan could have as many as it has bytes. */
const MOST_TOLD = 500;

export function tell({ repaired }: Mending, code: RepairCode, path: string, message: string): void {
  if (repaired.length < MOST_TOLD) repaired.push({ code, path, message });
}

/** Renames a field and keeps the order of the fields. */
export function rename(owner: Fields, from: string, to: string, path: string, mending: Mending): void {
  const entries = Object.entries(owner);
  for (const [key] of entries) delete owner[key];
  for (const [key, value] of entries) owner[key === from ? to : key] = value;
  tell(mending, 'field.renamed', `${path}/${from}`, `The field ${shown(from)} was renamed to "${to}".`);
}

export function drop(owner: Fields, key: string, path: string, why: string, mending: Mending): void {
  delete owner[key];
  tell(mending, 'field.dropped', `${path}/${key}`, `The field ${shown(key)} was left out, because ${why}.`);
}

/** Writes the same value in the form of the format. */
export function rewrite(owner: Fields, key: string, value: unknown, path: string, mending: Mending): void {
  const message = `${shown(owner[key])} was written as ${written(value)}.`;
  owner[key] = value;
  tell(mending, 'value.rewritten', `${path}/${key}`, message);
}

const written = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
};

/** A field that stands one level too high. */
export function move(owner: Fields, key: string, into: string, name: string, path: string, mending: Mending): boolean {
  const target = owner[into] ?? {};
  if (typeof target !== 'object' || Array.isArray(target) || Object.hasOwn(target, name)) return false;
  owner[into] = { ...target, [name]: owner[key] };
  delete owner[key];
  tell(mending, 'field.moved', `${path}/${key}`, `The field ${shown(key)} was moved to "${into}.${name}".`);
  return true;
}

const NUMBER = /^\s*\$?\s*([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*$/;

/** The number that a short text is, `"0.10"` and `"$2"` included. */
export function numberIn(value: unknown): number | undefined {
  const match = typeof value === 'string' && value.length <= 40 ? NUMBER.exec(value) : null;
  return match === null ? undefined : Number(match[1]);
}

const FLAGS: ReadonlyMap<unknown, boolean> = new Map([
  ['true', true],
  ['false', false],
]);
export const flagIn = (value: unknown): boolean | undefined =>
  typeof value === 'string' ? FLAGS.get(value.trim().toLowerCase()) : undefined;

const BLANK: ReadonlySet<string> = new Set(['', 'none', 'null', 'nil', 'n/a', 'undefined']);

export const isBlank = (value: unknown): boolean =>
  value === null || (typeof value === 'string' && value.trim() === '');

/** A blank, or a word for one. */
export const saysNothing = (value: unknown): boolean =>
  isBlank(value) || (typeof value === 'string' && BLANK.has(value.trim().toLowerCase()));

/** Fields that explain the plan to a reader. */
const PROSE: ReadonlySet<string> = new Set([
  ...['description', 'desc', 'title', 'name', 'label', 'note', 'notes', 'comment', 'comments', 'remark', 'remarks'],
  ...[
    'reason',
    'reasoning',
    'rationale',
    'purpose',
    'explanation',
    'thought',
    'thoughts',
    'thinking',
    'summary',
    'why',
  ],
  ...[
    'justification',
    'intent',
    'objective',
    'goal',
    'analysis',
    'step_number',
    'stepnumber',
    'order',
    '$comment',
    '//',
  ],
]);

/** Words about the plan, which nothing reads. A text with a reference is none: it may have been meant as an input. */
export function isProse(key: string, value: unknown): boolean {
  if (!PROSE.has(key.toLowerCase()) && !key.startsWith('_') && !key.startsWith('x-')) return false;
  return !(JSON.stringify(value) ?? '').includes('{{');
}
