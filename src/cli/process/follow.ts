/** Follows a run to its end: live view or event lines, result, exit code. */
import type { ErrorCode } from '../../core/errors.ts';
import type { RunEvent, RunHandle, RunResult, WaitedFor } from '../../core/run/engine.ts';
import { scrubText } from '../../core/scrub.ts';
import { oneLine, printable, safeJson } from '../../drawing/plain-text.ts';
import { isPlainObject } from '../../language/shorthand.ts';
import { shownJson } from '../../language/shown.ts';
import type { Polyphony } from '../../polyphony.ts';
import { dateAt, systemClock } from '../../system/clock.ts';
import { quoted } from '../input/command-name.ts';
import { exitCodeOfRun } from '../input/exit-code.ts';
import type { FollowOptions } from '../input/follow-options.ts';
import type { SharedOptions } from '../input/shared-options.ts';
import { createLiveView, type LiveView } from '../screen/live-view.ts';
import { answerText, emptyNote, runDocument, summaryLine } from '../screen/result-text.ts';
import { errorText, type Terminal } from '../screen/terminal.ts';
import { answerAtTerminal, sayCached } from './approve-plan.ts';
import { cancelOnRequest } from './cancel-request.ts';
import { thisCommandWith } from './command-hint.ts';
import { repairLine } from './given-plan.ts';

/** Calls `tick` periodically until the returned function is called; does not keep the process alive. */
function every(milliseconds: number, tick: () => void): () => void {
  let cancel = systemClock.schedule(milliseconds, again, { background: true });
  function again(): void {
    tick();
    cancel = systemClock.schedule(milliseconds, again, { background: true });
  }
  return () => cancel();
}

/** Shows events as they come: lines, a live view, or nothing. */
export function eventView(options: FollowOptions, terminal: Terminal): LiveView {
  if (options.events) return { onEvent: (event) => terminal.print(safeJson(event)), stop: () => {} };
  if (options.json || options.quiet) return NO_VIEW;
  return withRepairs(terminal.live ? createLiveView(terminal, { now: systemClock.now, every }) : NO_VIEW, terminal);
}

const NO_VIEW: LiveView = { onEvent: () => {}, stop: () => {} };

/** A plan that runs otherwise than it was written is told, also where nothing else is shown. */
function withRepairs(view: LiveView, terminal: Terminal): LiveView {
  return {
    onEvent(event) {
      if (event.type === 'run-started' || event.type === 'plan-revised')
        for (const repair of event.repaired ?? []) terminal.say(terminal.paint.dim(repairLine(repair)));
      if (event.type === 'plan-revised' && event.cached === true) sayCached(terminal);
      view.onEvent(event);
    },
    stop: () => view.stop(),
  };
}

export async function showEvents(events: AsyncIterable<RunEvent>, view: LiveView): Promise<void> {
  try {
    for await (const event of events) view.onEvent(event);
  } finally {
    view.stop();
  }
}

export async function follow(
  handle: RunHandle,
  polyphony: Pick<Polyphony, 'engine' | 'stores' | 'runs'>,
  options: FollowOptions & SharedOptions,
  terminal: Terminal,
): Promise<number> {
  const { engine, stores } = polyphony;
  const release = cancelOnRequest(stores.keyValue, handle);
  const shown = showEvents(handle.events(), eventView(options, terminal));
  const [result] = await Promise.all([handle.result(), shown]).finally(release);
  if (options.events) return exitCodeOfRun(result);
  const approved = result.status === 'suspended' ? await answerAtTerminal(result, polyphony.runs, terminal) : undefined;
  if (approved !== undefined) return follow(approved, polyphony, options, terminal);
  const recorded = result.status === 'done' || (await isRecorded(engine, result.runId));
  showResult(result, options, terminal, recorded);
  return exitCodeOfRun(result);
}

/** A run that was never written to the store cannot be resumed, so the hint is not shown for it. */
async function isRecorded(engine: Polyphony['engine'], runId: string): Promise<boolean> {
  try {
    await engine.inspect(runId);
    return true;
  } catch {
    return false;
  }
}

export function showResult(
  result: RunResult,
  options: FollowOptions & SharedOptions,
  terminal: Terminal,
  resumable = true,
): void {
  if (options.json) {
    terminal.print(safeJson(runDocument(result), 2));
    return;
  }
  const { paint } = terminal;
  if (!options.quiet) terminal.say(summaryLine(result, paint));
  if (result.status === 'done') terminal.print(terminal.wrap(answerText(result.output, paint), 'stdout'));
  if (result.error !== undefined) terminal.say(errorText(result.error, terminal));
  const empty = emptyNote(result);
  if (empty !== undefined && !options.quiet) terminal.say(terminal.wrap(empty, 'stderr'));
  showQuestions(result, options, terminal);
  if (resumable && mayGoOn(result))
    terminal.say(
      paint.dim(`${firstOf(result)}continue with: ${thisCommandWith(options)} runs resume ${quoted(result.runId)}`),
    );
}

/** What has to change here before a resume can end in another way. */
function firstOf({ error }: RunResult): string {
  if (error?.code === 'unsupported' && error.details?.engine === 'embedded')
    return 'set the API key of a provider in the environment, then ';
  return error !== undefined && UNTIL_CHANGED.has(error.code) ? 'once that is mended, ' : '';
}

const UNTIL_CHANGED: ReadonlySet<string> = new Set<ErrorCode>(['unsupported', 'invalid-credential', 'no-route']);

/** Whether a resume may end in another way: it would not for a plan that cannot run here, and for a budget that stays spent. */
export function mayGoOn({ status, error }: RunResult): boolean {
  if (status === 'cancelled' || status === 'interrupted') return true;
  if (status !== 'failed' || error?.code === 'invalid-plan') return false;
  return error?.code !== 'budget-exceeded' || error.details?.scope !== 'run';
}

function sayWait(
  runId: string,
  id: string,
  wait: WaitedFor,
  options: FollowOptions & SharedOptions,
  terminal: Terminal,
): void {
  const name = terminal.paint.magenta(oneLine(id));
  const command = `${thisCommandWith(options)} runs`;
  if ('until' in wait) {
    terminal.say(`\n${name} waits until ${dateAt(wait.until).toISOString()}`);
    terminal.say(`  continue then with: ${command} resume ${quoted(runId)}`);
    return;
  }
  terminal.say(`\n${name} waits for the event ${oneLine(wait.event)}`);
  terminal.say(`  send it with: ${command} event ${quoted(oneLine(wait.event))} '<payload>' --run ${quoted(runId)}`);
}

function showQuestions(
  { runId, waiting = [] }: RunResult,
  options: FollowOptions & SharedOptions,
  terminal: Terminal,
): void {
  const command = `${thisCommandWith(options)} runs answer ${quoted(runId)}`;
  for (const { id, question, choices, data, wait } of waiting) {
    if (wait !== undefined) {
      sayWait(runId, id, wait, options, terminal);
      continue;
    }
    const asks = `${terminal.paint.magenta(oneLine(id))} asks: ${printable(question)}`;
    terminal.say(`\n${terminal.wrap(asks, 'stderr')}`);
    const call = callIn(data);
    if (call !== undefined) terminal.say(`  call: ${oneLine(call)}`);
    if (choices !== undefined) terminal.say(`  choices: ${choices.map(oneLine).join(', ')}`);
    const example = choices?.[0] === undefined ? "'<answer>'" : quoted(oneLine(choices[0]));
    terminal.say(`  answer with: ${command} ${quoted(oneLine(id))} ${example}`);
  }
}

const LONGEST_ARGUMENTS = 500;

/** The call of a tool that waits for approval, cut and without secrets: a model wrote the arguments. */
function callIn(data: unknown): string | undefined {
  if (!isPlainObject(data) || typeof data.tool !== 'string' || !isPlainObject(data.arguments)) return undefined;
  return scrubText(`${data.tool} ${shownJson(data.arguments, LONGEST_ARGUMENTS)}`);
}
