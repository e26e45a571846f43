/** Parts of the plans that provoke issues. */
import type { IssueCode } from '../../src/validator/document/codes.ts';
import type { CatalogueParts } from './catalogue.ts';

export interface Case {
  readonly code: IssueCode;
  readonly what: string;
  /** A plan, its text, or anything. */
  readonly raw: unknown;
  readonly path: string;
  readonly suggest?: readonly string[];
  readonly parts?: CatalogueParts;
}

export const plan = (...nodes: unknown[]) => ({ version: 1, nodes });
export const ask = (id: string, prompt: string, more: object = {}) => ({ id, use: 'llm', in: { prompt }, ...more });
export const search = (id: string, query: string, more: object = {}) => ({
  id,
  use: 'tool:search',
  in: { query },
  ...more,
});
