/** Says what of a run is kept when its journal fails. */
import type { PolyphonyError } from '../../core/errors.ts';
import type { RunState } from './run-state.ts';
import { withNote } from './store-failure.ts';

/** The error of an append, with how much of the run the journal holds. */
export function notRecorded(run: RunState, error: PolyphonyError): PolyphonyError {
  const { runId, recorder, tasks, stopping } = run;
  const resumable = recorder.hasRecords();
  const ended = [...tasks.values()].filter(({ phase }) => phase === 'ended').length;
  const kept = resumable
    ? `The journal holds run ${runId} with ${ended} of its ${tasks.size} nodes finished: resume it from there.`
    : `Nothing of run ${runId} was recorded: start it again.`;
  const before = stopping?.type === 'failed' ? ` Before that, the run had failed: ${stopping.error.message}` : '';
  return withNote(error, `${kept}${before}`, { runId, resumable, finishedNodes: ended });
}
