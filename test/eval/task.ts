/** A request with its tools and the plan that a good planner writes for it, and the words in which the tasks are written. */
import type { Plan, PlanNode } from 'polyphony';
import { isTool, type Trade } from './tools.ts';

export interface Task {
  /** Unique: `--only` names it. */
  readonly id: string;
  /** Its tools are those of these trades. Empty: there are none. */
  readonly trades: readonly Trade[];
  readonly request: string;
  /** Good plans, of which the nearest counts. Empty: it cannot be done with these tools, and nothing may be called for it. */
  readonly golds: readonly Plan[];
  /** Everything that changes something has to wait for a person. @default false */
  readonly asks?: boolean;
}

type Rest = Omit<PlanNode, 'id' | 'use' | 'in'>;

/** A node; `use` is a step, or the name of a tool. */
export const node = (
  id: string,
  use: string,
  given: Readonly<Record<string, unknown>> = {},
  rest: Rest = {},
): PlanNode => ({
  id,
  use: isTool(use) ? `tool:${use}` : use,
  in: given,
  ...rest,
});

export const ask = (id: string, prompt: string, rest: Rest = {}): PlanNode => node(id, 'llm', { prompt }, rest);

/** A person is asked; `{{id.approved}}` says whether they agreed. */
export const approve = (id: string, question: string, rest: Rest = {}): PlanNode =>
  node(id, 'human', { question, choices: ['yes', 'no'], approve: 'yes' }, rest);

/** The output is that of the last node, unless it is given. */
export const plan = (nodes: readonly PlanNode[], rest: Partial<Plan> = {}): Plan => ({
  version: 1,
  ...rest,
  nodes,
  output: rest.output ?? `{{${nodes.at(-1)?.id}}}`,
});

/** A task of some trades: `task('shop mail', …)`. */
export function task(id: string, trades: string, request: string, golds: readonly Plan[], asks = false): Task {
  return {
    id,
    trades: trades.split(' ').filter((name) => name !== '') as Trade[],
    request,
    golds,
    ...(asks ? { asks } : {}),
  };
}
