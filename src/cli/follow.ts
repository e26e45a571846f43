/** Follows one run to its end: live view or event lines, Ctrl-C, result, exit code. */
import type { RunHandle, RunResult } from '../core/engine.ts';
import { systemClock } from '../kit/clock.ts';
import { exitCodeOfRun } from './exit-code.ts';
import { createLiveView, type LiveView } from './live-view.ts';
import { answerText, runDocument, summaryLine } from './result-text.ts';
import { printable, type Terminal } from './terminal.ts';

export interface FollowOptions {
  readonly json?: boolean;
  readonly events?: boolean;
  readonly quiet?: boolean;
}

/** Calls `tick` again and again until the returned function is called; nobody waits for it. */
function every(milliseconds: number, tick: () => void): () => void {
  let cancel = systemClock.schedule(milliseconds, again, { background: true });
  function again(): void {
    tick();
    cancel = systemClock.schedule(milliseconds, again, { background: true });
  }
  return () => cancel();
}

/** The first Ctrl-C stops the run and keeps its journal; the second leaves at once. */
export function interruptible(terminal: Terminal): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130);
    terminal.say('\nstopping; what is finished is kept (press Ctrl-C again to leave at once)');
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}

async function showEvents(handle: RunHandle, options: FollowOptions, terminal: Terminal): Promise<void> {
  const view: LiveView | undefined =
    terminal.live && !options.json && !options.events && !options.quiet
      ? createLiveView(terminal, { now: systemClock.now, every })
      : undefined;
  if (view === undefined && !options.events) return;
  try {
    for await (const event of handle.events()) {
      if (options.events) terminal.print(JSON.stringify(event));
      view?.onEvent(event);
    }
  } finally {
    view?.stop();
  }
}

export async function follow(handle: RunHandle, options: FollowOptions, terminal: Terminal): Promise<number> {
  const [result] = await Promise.all([handle.result(), showEvents(handle, options, terminal)]);
  if (!options.events) showResult(result, options, terminal);
  return exitCodeOfRun(result);
}

export function showResult(result: RunResult, options: FollowOptions, terminal: Terminal): void {
  if (options.json) {
    terminal.print(JSON.stringify(runDocument(result), null, 2));
    return;
  }
  if (!options.quiet) terminal.say(summaryLine(result, terminal.paint));
  if (result.status === 'done') terminal.print(answerText(result.output, terminal.paint));
  if (result.error !== undefined)
    terminal.say(`${terminal.paint.red(result.error.code)}: ${printable(result.error.message)}`);
  for (const { nodeId, question, choices } of result.waiting ?? []) {
    terminal.say(`\n${terminal.paint.magenta(nodeId)} asks: ${printable(question)}`);
    if (choices !== undefined) terminal.say(`  choices: ${choices.join(', ')}`);
    terminal.say(`  answer with: polyphony runs answer ${result.runId} ${nodeId} ${choices?.[0] ?? '<answer>'}`);
  }
  if (result.status === 'cancelled' || result.status === 'failed') {
    terminal.say(terminal.paint.dim(`go on with: polyphony runs resume ${result.runId}`));
  }
}
