/** Rounds of models that call tools, as a journal tells of them. */

import { addMoney } from '../../core/money/money.ts';
import { addUsage, NO_USAGE } from '../../core/money/usage.ts';
import type { RunEvent } from '../../core/run/engine.ts';
import type { RecordedLoop, TaskProgress } from '../state/task.ts';

type Answered = Extract<RunEvent, { type: 'model-answered' }>;
type Called = Extract<RunEvent, { type: 'tool-call' }>;

/** An answer of another round of `repeat`, or of a round that is not the next one, begins a new loop. */
export function takeLoopAnswer({ loops }: TaskProgress, event: Answered): void {
  const { item = -1, repeat = 0 } = event;
  const known = loops.get(item);
  const goesOn = known?.repeat === repeat && known.rounds.length === event.round - 1;
  const before: RecordedLoop = goesOn ? known : { repeat, rounds: [], costNanoUsd: 0, usage: NO_USAGE };
  loops.set(item, {
    repeat,
    rounds: [...before.rounds, { answer: event, calls: new Map() }],
    costNanoUsd: addMoney(before.costNanoUsd, event.costNanoUsd),
    usage: addUsage(before.usage, event.usage),
  });
}

/** One that has ended already stays as it is. */
export function takeToolCall({ loops }: TaskProgress, event: Called): void {
  const { item = -1, repeat = 0, round, index } = event;
  const loop = loops.get(item);
  const calls = loop?.repeat === repeat ? loop.rounds[round - 1]?.calls : undefined;
  if (calls !== undefined && !calls.has(index)) calls.set(index, event);
}
