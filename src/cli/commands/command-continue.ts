/** polyphony runs resume, fork, answer: going on with a run. */

import { safeJson } from '../../drawing/plain-text.ts';
import type { Polyphony } from '../../polyphony.ts';
import { checkedInput } from '../../validator/check-input.ts';
import { quoted, thisCommand } from '../input/command-name.ts';
import { EXIT } from '../input/exit-code.ts';
import { type InputFor, inputOf } from '../input/run-input.ts';
import { assertOneFormat } from '../input/run-options.ts';
import type { SharedOptions } from '../input/shared-options.ts';
import { type FollowOptions, follow } from '../process/follow.ts';
import { withInterrupt } from '../process/interrupt.ts';
import { type Session, withPolyphony } from '../process/session.ts';
import { whenFree } from '../process/wait-for-lease.ts';
import type { Terminal } from '../screen/terminal.ts';

export type ContinueOptions = SharedOptions & FollowOptions;

function goOn({ polyphony }: Session, runId: string, options: ContinueOptions, terminal: Terminal): Promise<number> {
  return withInterrupt(terminal, async (signal) => {
    const handle = await whenFree(runId, terminal, signal, () => polyphony.resume(runId, { signal }));
    return follow(handle, polyphony, options, terminal);
  });
}

export async function resumeRun(runId: string, options: ContinueOptions, terminal: Terminal): Promise<number> {
  assertOneFormat(options);
  return withPolyphony(options, terminal, (session) => goOn(session, runId, options, terminal));
}

export interface ForkOptions extends ContinueOptions {
  readonly from: string;
  readonly with: readonly string[];
  readonly input: readonly string[];
}

export async function forkRun(runId: string, options: ForkOptions, terminal: Terminal): Promise<number> {
  assertOneFormat(options);
  const [ofNode, ofRun] = await Promise.all([inputOf(options.with), inputOf(options.input)]);
  return withPolyphony(options, terminal, ({ polyphony }) =>
    withInterrupt(terminal, async (signal) => {
      const { engine } = polyphony;
      const changed = ofNode();
      const input = options.input.length === 0 ? undefined : await changedInput(engine, runId, ofRun);
      const handle = await engine.fork(runId, {
        from: options.from,
        signal,
        ...(changed === undefined ? {} : { with: changed }),
        ...(input === undefined ? {} : { input }),
      });
      return follow(handle, polyphony, options, terminal);
    }),
  );
}

/** The old run's input with the given fields changed; undefined when there is no such run, which the fork will say. */
async function changedInput(
  engine: Polyphony['engine'],
  runId: string,
  inputFor: InputFor,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  for await (const event of engine.replay(runId)) {
    if (event.type !== 'run-started') continue;
    const before = typeof event.input === 'object' ? event.input : {};
    return checkedInput(event.plan, { ...before, ...inputFor(event.plan) });
  }
  return undefined;
}

/** Answers, and goes on with the run. */
export async function answerRun(
  given: { readonly runId: string; readonly nodeId: string; readonly answer: string },
  options: ContinueOptions & { readonly resume: boolean },
  terminal: Terminal,
): Promise<number> {
  assertOneFormat(options);
  const { runId, nodeId, answer } = given;
  return withPolyphony(options, terminal, async (session) => {
    await whenFree(runId, terminal, undefined, () => session.polyphony.engine.answer(runId, nodeId, answer));
    if (options.resume) return goOn(session, runId, options, terminal);
    if (options.json) terminal.print(safeJson({ runId, nodeId, answered: true }, 2));
    else terminal.say(`answered; go on with: ${thisCommand()} runs resume ${quoted(runId)}`);
    return EXIT.done;
  });
}
