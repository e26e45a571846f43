/** polyphony runs: list, show, watch, resume, fork, cancel, answer, replay. */
import type { RunStatus } from '../core/engine.ts';
import { PolyphonyError } from '../core/errors.ts';
import { formatUsd } from '../core/money.ts';
import { sleep, systemClock } from '../kit/clock.ts';
import { EXIT, exitCodeOfRun } from './exit-code.ts';
import { follow, interruptible, showResult } from './follow.ts';
import { tableText } from './result-text.ts';
import { inputOf } from './run-input.ts';
import { withPolyphony } from './session.ts';
import type { SharedOptions } from './shared-options.ts';
import { printable, type Terminal } from './terminal.ts';

function age(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 1) return 'now';
  if (minutes < 60) return `${minutes} min ago`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h ago` : `${Math.floor(minutes / 1440)} days ago`;
}

export async function listRuns(
  options: SharedOptions & { readonly status?: RunStatus; readonly limit: number },
  terminal: Terminal,
): Promise<number> {
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    const filter = { limit: options.limit, ...(options.status === undefined ? {} : { status: options.status }) };
    const runs = await polyphony.engine.list(filter);
    if (options.json) terminal.print(JSON.stringify(runs, null, 2));
    else if (runs.length === 0) terminal.say('no runs yet; start one with: polyphony run "<request>"');
    else {
      const rows = runs.map((run) => [
        run.runId,
        run.status,
        `${run.nodes.finished}/${run.nodes.total}`,
        formatUsd(run.costNanoUsd),
        age(systemClock.now() - run.startedAt),
        printable(run.goal).replace(/\s+/g, ' ').slice(0, 60),
      ]);
      terminal.print(tableText([['run', 'status', 'nodes', 'cost', 'started', 'goal'], ...rows], terminal.paint));
    }
    return EXIT.done;
  });
}

export async function showRun(runId: string, options: SharedOptions, terminal: Terminal): Promise<number> {
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    const result = await polyphony.engine.inspect(runId);
    if (!options.json) {
      const rows = result.nodes.map((node) => [
        node.id,
        node.state,
        node.meta?.model ?? '',
        node.meta === undefined ? '' : `${Math.round(node.meta.ms)} ms`,
        node.error?.code ?? '',
      ]);
      terminal.print(tableText([['node', 'state', 'model', 'time', 'error'], ...rows], terminal.paint));
    }
    showResult(result, options, terminal);
    return EXIT.done;
  });
}

/** Of a run that another process drives: the journal is read again and again until the run ends. */
export async function watchRun(runId: string, options: SharedOptions, terminal: Terminal): Promise<number> {
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    const interrupt = interruptible(terminal);
    try {
      let seen = -1;
      for (;;) {
        for await (const event of polyphony.engine.replay(runId)) {
          if (event.seq <= seen) continue;
          seen = event.seq;
          if (options.json) terminal.print(JSON.stringify(event));
          else terminal.print(`${event.type}${'nodeId' in event ? ` ${event.nodeId}` : ''}`);
        }
        const result = await polyphony.engine.inspect(runId);
        if (result.status !== 'running') {
          if (!options.json) showResult(result, options, terminal);
          return exitCodeOfRun(result);
        }
        await sleep(systemClock, 300, interrupt.signal);
      }
    } finally {
      interrupt.release();
    }
  });
}

export async function replayRun(runId: string, options: SharedOptions, terminal: Terminal): Promise<number> {
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    let count = 0;
    for await (const event of polyphony.engine.replay(runId)) {
      count += 1;
      terminal.print(JSON.stringify(event));
    }
    if (count === 0)
      throw new PolyphonyError(
        'not-found',
        `There is no run ${runId}; \`polyphony runs list\` shows those that there are.`,
      );
    return EXIT.done;
  });
}

export async function resumeRun(
  runId: string,
  options: SharedOptions & { readonly events?: boolean; readonly quiet?: boolean },
  terminal: Terminal,
): Promise<number> {
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    const interrupt = interruptible(terminal);
    try {
      return await follow(await polyphony.resume(runId, { signal: interrupt.signal }), options, terminal);
    } finally {
      interrupt.release();
    }
  });
}

export async function forkRun(
  runId: string,
  options: SharedOptions & { readonly from: string; readonly with: readonly string[]; readonly events?: boolean },
  terminal: Terminal,
): Promise<number> {
  const changed = await inputOf(options.with);
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    const interrupt = interruptible(terminal);
    try {
      const handle = await polyphony.engine.fork(runId, {
        from: options.from,
        signal: interrupt.signal,
        ...(changed === undefined ? {} : { with: changed }),
      });
      return await follow(handle, options, terminal);
    } finally {
      interrupt.release();
    }
  });
}

export async function cancelRun(runId: string, options: SharedOptions, terminal: Terminal): Promise<number> {
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    const cancelled = await polyphony.engine.cancel(runId, 'cancelled by the command');
    if (options.json) terminal.print(JSON.stringify({ runId, cancelled }));
    else
      terminal.say(
        cancelled ? `cancelled ${runId}` : `${runId} is being run by another process or has ended; stop it there`,
      );
    return cancelled ? EXIT.done : EXIT.failed;
  });
}

/** Answers, and goes on with the run. */
export async function answerRun(
  given: { readonly runId: string; readonly nodeId: string; readonly answer: string },
  options: SharedOptions & { readonly resume: boolean },
  terminal: Terminal,
): Promise<number> {
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    await polyphony.engine.answer(given.runId, given.nodeId, given.answer);
    if (!options.resume) {
      terminal.say(`answered; go on with: polyphony runs resume ${given.runId}`);
      return EXIT.done;
    }
    const interrupt = interruptible(terminal);
    try {
      return await follow(await polyphony.resume(given.runId, { signal: interrupt.signal }), options, terminal);
    } finally {
      interrupt.release();
    }
  });
}
