/** What a model and its tools did for a unit, as far as it is recorded. */
import { addMoney, type NanoUsd } from '../../core/money/money.ts';
import { addUsage, NO_USAGE, type Usage } from '../../core/money/usage.ts';
import type { LoopAnswer, ToolCallRecord } from '../../core/run/engine.ts';

/** The rounds of a unit, or of one of its rounds, with the money of all of it. */
export interface RecordedLoop {
  /** Round of `repeat`; 0: the node has none. */
  readonly repeat: number;
  readonly rounds: readonly RecordedLoopRound[];
  readonly costNanoUsd: NanoUsd | null;
  readonly usage: Usage;
}

export interface RecordedLoopRound {
  readonly answer: LoopAnswer;
  readonly calls: ReadonlyMap<number, ToolCallRecord>;
}

/** With an answer. One of another round of `repeat`, or of a round that is not the next one, begins a new loop. */
export function withAnswer(known: RecordedLoop | undefined, repeat: number, answer: LoopAnswer): RecordedLoop {
  const goesOn = known?.repeat === repeat && known.rounds.length === answer.round - 1;
  const before: RecordedLoop = goesOn ? known : { repeat, rounds: [], costNanoUsd: 0, usage: NO_USAGE };
  return {
    repeat,
    rounds: [...before.rounds, { answer, calls: new Map() }],
    costNanoUsd: addMoney(before.costNanoUsd, answer.costNanoUsd),
    usage: addUsage(before.usage, answer.usage),
  };
}

/** With a call that has ended. One that had ended already stays as it is. */
export function withCall(
  loop: RecordedLoop | undefined,
  repeat: number,
  call: ToolCallRecord,
): RecordedLoop | undefined {
  const round = loop?.repeat === repeat ? loop.rounds[call.round - 1] : undefined;
  if (loop === undefined || round === undefined || round.calls.has(call.index)) return loop;
  // A copy: whoever took the round up goes by what was recorded then.
  const calls = new Map(round.calls).set(call.index, call);
  return {
    ...loop,
    rounds: loop.rounds.with(call.round - 1, { ...round, calls }),
    costNanoUsd: addMoney(loop.costNanoUsd, call.costNanoUsd),
    usage: addUsage(loop.usage, call.usage),
  };
}
