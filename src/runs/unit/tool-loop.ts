/**
 * The rounds of a model that calls tools: what is recorded of them, and what a resumed unit takes up.
 *
 * T1. An answer that calls tools is recorded before the first of them runs, so that a unit that goes on has the same calls.
 * T2. A call that has ended is recorded before the model is told of it, and never runs again.
 * T3. One that had not ended runs again, with the same key.
 * T4. What is said counts against the bounds of values before it is recorded, and that of an earlier process when it is taken up.
 */
import { errorRecord } from '../../core/errors.ts';
import { addMoney } from '../../core/money/money.ts';
import { addUsage } from '../../core/money/usage.ts';
import { onAbort } from '../../core/on-abort.ts';
import type { LoopAnswer, LoopRecords, ToolCallRecord } from '../../core/run/engine.ts';
import { type RecordedLoop, withAnswer, withCall } from '../records/recorded-loop.ts';
import type { EventDraft } from '../state/recorder.ts';
import type { RunState } from '../state/run-state.ts';
import type { Unit } from '../state/task.ts';
import { holdSaid, holdSaidAgain } from '../state/values.ts';

/** What earlier calls of the unit recorded, once: from now on it is a part of what the unit has cost. */
export function takeUpLoop(unit: Unit): RecordedLoop | undefined {
  const loops = unit.task.progress?.loops;
  const loop = loops?.get(unit.item);
  if (loop === undefined || loop.repeat !== unit.round) return undefined;
  loops?.delete(unit.item);
  unit.loop = loop;
  unit.costNanoUsd = addMoney(unit.costNanoUsd, loop.costNanoUsd);
  unit.usage = addUsage(unit.usage, loop.usage);
  return loop;
}

export function loopRecords(
  run: RunState,
  unit: Unit,
  { rounds = [], signal }: { readonly rounds?: LoopRecords['rounds'] | undefined; readonly signal: AbortSignal },
): LoopRecords {
  return {
    rounds,
    takenUp({ answer, calls }) {
      holdSaidAgain(run.values, unit, saidBy(answer));
      for (const call of calls.values()) holdSaidAgain(run.values, unit, told(call));
    },
    async answered(answer) {
      holdSaid(run.values, unit, saidBy(answer), 'The answer');
      unit.loop = withAnswer(unit.loop, unit.round, answer);
      return recorded(run, unit, { type: 'model-answered', ...answer, ...placeOf(unit) }, signal);
    },
    async called(call) {
      const kept = withRoom(run, unit, call);
      unit.loop = withCall(unit.loop, unit.round, kept);
      await recorded(run, unit, { type: 'tool-call', ...kept, ...placeOf(unit) }, signal);
      return kept;
    },
  };
}

/** Of an answer, what its model reads again, and what is kept beside it. */
const saidBy = ({ content, citations, warnings }: LoopAnswer): unknown =>
  citations === undefined && warnings === undefined ? content : { content, citations, warnings };

/** What the model is told of a call. */
function told({ result, error, approval, arguments: given }: ToolCallRecord): unknown {
  const said = error ?? result ?? null;
  return approval === 'changed' ? { given, said } : said;
}

/**
 * The tool has run, so what has no room is an error that the model is told, and not one that runs the tool again.
 *
 * @throws limit-exceeded when there is no room for the error either
 */
function withRoom({ values }: RunState, unit: Unit, call: ToolCallRecord): ToolCallRecord {
  const noun = `The result of the tool ${call.name}`;
  try {
    holdSaid(values, unit, told(call), noun);
    return call;
  } catch (error) {
    if (call.result === undefined) throw error;
    const { result: _result, ...rest } = call;
    const refused = { ...rest, error: errorRecord(error) };
    holdSaid(values, unit, told(refused), noun);
    return refused;
  }
}

function placeOf({ task, item, round }: Unit): { nodeId: string; item?: number; repeat?: number } {
  return { nodeId: task.id, ...(item === -1 ? {} : { item }), ...(round === 0 ? {} : { repeat: round }) };
}

/** Resolves once the journal has it. Who is stopped does not wait for a store. */
function recorded(run: RunState, unit: Unit, event: EventDraft, signal: AbortSignal): Promise<void> {
  if (unit.settled) return Promise.resolve();
  return new Promise((resolve) => {
    const unfollow = onAbort(signal, resolve);
    const committed = (): void => {
      unfollow();
      resolve();
    };
    // Refused: the run is stopping, and the next call throws why.
    if (!run.recorder.record(event, committed) || signal.aborted) committed();
    run.driver.wake();
  });
}
