/** What a failed node gives instead of its output, by its `onError`. */
import type { PlanNode } from './plan-document.ts';

type Handling = Pick<PlanNode, 'onError'>;

/** How the run goes on after the node has failed; undefined: its `onError` gives nothing to go on with. */
export function handledAs({ onError }: Handling): 'skip' | 'value' | 'keep' | undefined {
  if (onError === 'skip') return 'skip';
  if (typeof onError !== 'object') return undefined;
  return 'keep' in onError ? 'keep' : 'value';
}

/** The value that the plan gives for the output, null where it gives none. */
export const standInOf = ({ onError }: Handling): unknown =>
  typeof onError === 'object' && 'value' in onError ? onError.value : null;
