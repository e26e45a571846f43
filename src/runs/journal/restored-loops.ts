/** Rounds of models that call tools, as a journal tells of them. */
import type { RunEvent } from '../../core/run/engine.ts';
import { withAnswer, withCall } from '../records/recorded-loop.ts';
import type { TaskProgress } from '../state/task.ts';

type Answered = Extract<RunEvent, { type: 'model-answered' }>;
type Called = Extract<RunEvent, { type: 'tool-call' }>;

export function takeLoopAnswer({ loops }: TaskProgress, event: Answered): void {
  const { item = -1, repeat = 0 } = event;
  loops.set(item, withAnswer(loops.get(item), repeat, event));
}

export function takeToolCall({ loops }: TaskProgress, event: Called): void {
  const { item = -1, repeat = 0 } = event;
  const loop = withCall(loops.get(item), repeat, event);
  if (loop !== undefined) loops.set(item, loop);
}
