/** Fires the schedules and triggers of the config of a session. */
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { errorRecord, PolyphonyError } from '../../core/errors.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { printable, safeJson } from '../../drawing/plain-text.ts';
import { configured } from '../../schedules/configured.ts';
import { createScheduler } from '../../schedules/scheduler.ts';
import { createStarts, type StartEvent } from '../../schedules/starts.ts';
import { createWaits } from '../../schedules/waits.ts';
import { systemClock } from '../../system/clock.ts';
import { checkedInput } from '../../validator/check-input.ts';
import { EXIT, UsageError } from '../input/exit-code.ts';
import type { SharedOptions } from '../input/shared-options.ts';
import { endingDocument, scheduleDocument, scheduleLines, startLine } from '../screen/schedule-text.ts';
import type { Terminal } from '../screen/terminal.ts';
import { validPlan } from './given-plan.ts';
import { withInterrupt } from './interrupt.ts';
import { momentIn, runStarter, scheduledPlanText } from './scheduled-runs.ts';
import type { Session } from './session.ts';

interface Options extends SharedOptions {
  readonly once?: boolean;
  readonly list?: boolean;
}

type Configured = ReturnType<typeof configured>;
/** The most runs that the document of `--json` lists. */
const MOST_LISTED = 10_000;

/** @returns the exit code. @throws UsageError, invalid-config */
export async function fireSchedules(session: Session, options: Options, terminal: Terminal): Promise<number> {
  const { loaded, polyphony } = session;
  const folder = dirname(resolve(loaded.path ?? 'polyphony.yaml'));
  const found = configured(loaded.config, {
    store: polyphony.stores.keyValue,
    clock: systemClock,
    folderOf: (given) => resolve(folder, given),
    pathOf: (of, name) => toolPath(resolve(loaded.config.tools?.folder ?? '.'), resolve(of, name)),
  });
  if (found.schedules.length + found.triggers.length === 0) {
    const place = loaded.path ?? 'There is no config, so it';
    const nothing = `${place} has no schedules and no triggers`;
    if (options.list) throw new UsageError(`${nothing}: add one, see docs/how-to/schedules.md`);
    terminal.say(`${nothing}: only runs that wait for a moment are continued, see docs/how-to/schedules.md`);
  }
  if (options.list) {
    list(found, options, terminal);
    return EXIT.done;
  }
  if (!(await plansAreValid(session, found, folder, options, terminal))) return EXIT.invalidPlan;
  return withInterrupt(terminal, (signal) => fire(session, found, folder, options, terminal, signal));
}

/** The path as the tools for files take it, which are bound to their folder. */
function toolPath(tools: string, path: string): string {
  const below = relative(tools, path);
  const isBelow = below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below);
  return (isBelow ? below : path).split(sep).join('/');
}

function list({ schedules, triggers }: Configured, { json }: Options, terminal: Terminal): void {
  const now = systemClock.now();
  if (json) terminal.print(safeJson(scheduleDocument(schedules, triggers, now), 2));
  else terminal.print(scheduleLines(schedules, triggers, now, terminal.paint));
}

/** A plan that cannot run, and an input that does not fit it, are found now and not when a time is due. */
async function plansAreValid(
  session: Session,
  { schedules, triggers }: Configured,
  folder: string,
  options: Options,
  terminal: Terminal,
): Promise<boolean> {
  const all = [
    ...schedules.map((one) => ({ where: `schedules.${one.name}`, one })),
    ...triggers.map((one) => ({ where: `triggers.${one.name}`, one })),
  ];
  const plans = new Map<string, Plan>();
  for (const { where, one } of all) {
    let plan = plans.get(one.run);
    if (plan === undefined) {
      const valid = await validPlan(
        session,
        one.run,
        await scheduledPlanText(one.run, folder, session.polyphony),
        options,
        terminal,
      );
      if (valid === undefined) return false;
      plan = valid.plan;
      plans.set(one.run, plan);
    }
    assertFits(where, plan, one.sample());
  }
  return true;
}

function assertFits(where: string, plan: Plan, input: Readonly<Record<string, unknown>>): void {
  try {
    checkedInput(plan, input);
  } catch (error) {
    const { message } = errorRecord(error);
    throw new PolyphonyError('invalid-config', `${where}.input does not fit its plan. ${message}`, { cause: error });
  }
}

async function fire(
  { polyphony }: Session,
  found: Configured,
  folder: string,
  { once = false, json = false }: Options,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const ended: object[] = [];
  let failures = 0;
  const onEvent = (event: StartEvent): void => {
    if (event.type === 'ended') {
      if (event.ending.status === 'failed') failures += 1;
      if (json && ended.length < MOST_LISTED) ended.push(endingDocument(event.start, event.ending));
    }
    if (json) return;
    terminal.say(startLine(event, terminal.paint));
    const schedule = found.schedules.find(({ name }) => event.start.by === `schedules.${name}`);
    if (once || schedule === undefined || event.type !== 'ended') return;
    terminal.say(scheduleLines([schedule], [], systemClock.now(), terminal.paint));
  };
  const onProblem = (where: string, message: string): void => {
    failures += 1;
    terminal.say(`${terminal.paint.yellow('warning')}: ${where}: ${printable(message)}`);
  };
  const starts = createStarts({
    store: polyphony.stores.keyValue,
    starter: runStarter(polyphony, folder),
    onEvent,
    clock: systemClock,
  });
  const waits = createWaits({
    suspended: () => polyphony.engine.list({ status: 'suspended' }),
    moment: (runId) => momentIn(polyphony, runId),
    clock: systemClock,
  });
  const scheduler = createScheduler({ ...found, starts, waits, clock: systemClock, onProblem });
  if (!once && !json && found.schedules.length + found.triggers.length > 0) {
    terminal.say(scheduleLines(found.schedules, found.triggers, systemClock.now(), terminal.paint));
  }
  await (once ? scheduler.once(signal) : scheduler.run(signal));
  if (json) terminal.print(safeJson({ runs: ended }, 2));
  // To be stopped is the only end that the process without --once has.
  if (!once) return EXIT.done;
  if (signal.aborted) return EXIT.interrupted;
  return failures > 0 ? EXIT.failed : EXIT.done;
}
