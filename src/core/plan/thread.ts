/** The bounds of the thread of a node. */
import type { PlanThread } from './plan-document.ts';

/** The longest summary that a model may write of a thread. */
export const THREAD_SUMMARY_TOKENS = 600;
/** The most tokens of what one call sums up. */
export const THREAD_FOLD_TOKENS = 16_000;

const LAST = 20;
const TOKENS = 8000;

/** Every bound, also where the plan gives only a key. */
export function threadSettings(thread: string | PlanThread): Required<PlanThread> {
  if (typeof thread === 'string') return { key: thread, last: LAST, tokens: TOKENS, summarise: false };
  const { key, last = LAST, tokens = TOKENS, summarise = false } = thread;
  return { key, last, tokens, summarise };
}
