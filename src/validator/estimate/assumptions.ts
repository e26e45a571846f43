/** Values that are unknown before a run, and that the estimate assumes. docs/reference/plan-format.md lists them. */

/** Items of an `each` over a list of unknown length. */
export const ITEMS = { expected: 10, high: 100 } as const;
/** Tokens of an answer in free text. */
export const ANSWER_TOKENS = 400;
/** Tokens of one value of the run's input, of an item, of a tool's output. */
export const VALUE_TOKENS = { expected: 200, high: 2000 } as const;
/** Tokens of what a thread remembers. */
export const THREAD_TOKENS = 1000;
/** Share of the runs of a node in which older messages of its thread are summed up. */
export const SUMMARY_SHARE = 0.1;
/** Tokens around a prompt: roles, separators, the instruction to answer in JSON. */
export const PROMPT_TOKENS = 20;
/** Chance that an answer below the threshold sends a node to its next rung. */
export const ESCALATION_SHARE = 0.3;
/** Chance that a node that may be skipped runs, in the sum of a plan. */
export const RUN_SHARE = 0.5;
/** Rounds of a `repeat`. */
export const ROUNDS = 2;
/** Model calls that are expected of a node with tools: one that asks for a tool and one that answers. */
export const TOOL_CALLS = 2;
/** Rounds in which a node with tools may call them that says nothing about it. */
export const TOOL_ROUNDS = 8;
/** Rounds of such a node that asks for more than any operator allows. */
export const MOST_ROUNDS = 1000;
/** Items of an `each` that run at the same time, when the node sets no limit. */
export const CONCURRENCY = 64;
/** A nested plan: the planner's call, and the model calls of what it plans. */
export const NESTED = {
  planner: { input: 3000, output: 800, images: 0 },
  call: { input: 1000, output: ANSWER_TOKENS, images: 0 },
  expected: { plannings: 1, calls: 4 },
  high: { plannings: 3, calls: 16 },
} as const;
