/** Answers and events for runs that wait: for the run that asks, in its turn, whoever drives it or nobody. */
import { asPolyphonyError, type ErrorRecord, errorRecord } from '../core/errors.ts';
import type { EventReceipt, RunStatus } from '../core/run/engine.ts';
import type { RunJournal } from '../core/stores.ts';
import { restore } from '../runs/journal/restore.ts';
import { firstOf, MOST_LEVELS, rootOf } from '../runs/journal/root.ts';
import { startsRun } from '../runs/records/nested-id.ts';
import type { RunState } from '../runs/state/run-state.ts';
import { type Answer, answerRun, answerTogether } from '../runs/stored/answer.ts';
import { answerToEvent, type GivenEvent, type WaitingForEvent, waitingFor } from '../runs/stored/event.ts';
import { notWaiting } from '../runs/stored/given-answer.ts';
import { questionsOf } from '../runs/stored/inspect.ts';
import { askedInside, atAskingRun, isNestedId } from '../runs/stored/nested-questions.ts';
import { callAgain } from '../runs/turn/asking.ts';
import { sleep } from '../system/clock.ts';
import type { Driven } from './beginning.ts';

/** Gives the answer to the run that asks, and has the runs around it go on where they are driven here. */
export async function takeAnswer(engine: Driven, given: Answer, isNested = isNestedId(given.nodeId)): Promise<void> {
  const answer = isNested ? await atAskingRun(engine.host.journal, given) : given;
  const give = () => giveAnswer(engine, answer);
  const root = isNested ? await rootOf(engine.host.journal, answer.runId) : answer.runId;
  // Answers to several runs that are nested in one take its lease one after the other.
  const inside = await (root === answer.runId ? give() : engine.turns.take(root, give));
  if (inside !== undefined) return takeAnswer(engine, inside, true);
  if (!engine.live.has(answer.runId)) await wakeAbove(engine, answer.runId);
}

/**
 * The answer for the nested run whose question the node passed on, of several items that of the first which still asks. Undefined:
 * the question is its own.
 *
 * @throws not-found when all of them were answered: the run around them hears of it when it goes on
 */
async function insideAnswer(journal: RunJournal, answer: Answer): Promise<Answer | undefined> {
  const { runId, nodeId, item } = answer;
  const restored = await restore(journal.read(runId), 'look');
  const node = restored?.nodes.get(nodeId);
  if (restored === undefined || node === undefined || hasStopped(restored.status)) return undefined;
  let isAnswered = false;
  for (const [index, question] of questionsOf(node)) {
    if (item !== undefined && index !== item) continue;
    if (question.origin === undefined) return undefined;
    const inside = await askedInside(journal, restored, index === -1 ? { nodeId } : { nodeId, item: index }, question);
    if (inside === undefined) return undefined;
    if (inside !== 'answered') return { ...inside, answer: answer.answer };
    isAnswered = true;
  }
  if (isAnswered) throw notWaiting(answer, [], true);
  return undefined;
}

const hasStopped = (status: RunStatus): boolean => status === 'done' || status === 'failed' || status === 'cancelled';

/** The node that the run is nested in goes on with it, in the nearest run around it that is driven here. */
async function wakeAbove({ host, live }: Driven, runId: string): Promise<void> {
  let nested = runId;
  for (let level = 0; level < MOST_LEVELS; level += 1) {
    const parent = (await firstOf(host.journal, nested))?.parent;
    if (parent?.kind !== 'nested' || parent.nodeId === undefined) return;
    const run = live.get(parent.runId)?.driving.run;
    const task = run?.tasks.get(parent.nodeId);
    if (run !== undefined && task !== undefined) {
      callAgain(run, task, parent.item ?? -1);
      return;
    }
    nested = parent.runId;
  }
}

/** @returns the answer for the nested run that asks, where the node only passed its question on: nothing was recorded */
function giveAnswer(engine: Driven, answer: Answer): Promise<Answer | undefined> {
  const { host, live } = engine;
  const { runId, nodeId } = answer;
  const inside = async (): Promise<Answer | undefined> => {
    const use = live.get(runId)?.driving.run.tasks.get(nodeId)?.node.use;
    return use === undefined || startsRun(use) ? insideAnswer(host.journal, answer) : undefined;
  };
  const give = async (run: RunState | undefined): Promise<undefined> => {
    await answerRun(host, run, answer);
  };
  return giveInTurn(engine, runId, give, inside);
}

/**
 * A run that is driven here takes answers in its turn, and records them after that: others must not wait for its commits.
 *
 * @param instead what is known in that turn already, so that nothing is given
 */
async function giveInTurn<Given>(
  { live, turns }: Driven,
  runId: string,
  give: (run: RunState | undefined) => Promise<Given>,
  instead: () => Promise<Given | undefined> = async () => undefined,
): Promise<Given> {
  const [given] = await turns.take(runId, async (): Promise<[Promise<Given>]> => {
    const known = await instead();
    const run = live.get(runId)?.driving.run;
    const taken = known === undefined ? give(run) : Promise.resolve(known);
    // Whoever asked for it hears of its failure below.
    taken.catch(() => {});
    if (run === undefined) await taken;
    return [taken];
  });
  return given;
}

/** The pause between two tries of an event at runs that others drive, in milliseconds. */
const PAUSE_MS = 400;

/**
 * Gives the event to everything that waits for it, once. What it does not fit stays waiting; runs that another process drives are
 * tried again for `waitMs`.
 */
export async function sendEvent(engine: Driven, event: GivenEvent, waitMs: number): Promise<EventReceipt> {
  const { journal, runtime } = engine.host;
  const { clock } = runtime;
  const delivered: EventReceipt['delivered'][number][] = [];
  const refused: EventReceipt['refused'][number][] = [];
  const until = clock.monotonic() + waitMs;
  let waiting = byRun(await waitingFor(journal, event));
  while (waiting.size > 0) {
    const busy = new Map<string, readonly WaitingForEvent[]>();
    for (const [runId, places] of waiting) {
      const failures = await giveEvent(engine, runId, places, event);
      const isBusy =
        failures.size === places.length && [...failures.values()].every(({ code }) => code === 'store-busy');
      if (isBusy && !engine.closed && clock.monotonic() < until) busy.set(runId, places);
      else note(places, failures);
    }
    if (busy.size > 0) await sleep(clock, PAUSE_MS);
    waiting = busy;
  }
  return { delivered, refused };

  function note(places: readonly WaitingForEvent[], failures: ReadonlyMap<number, ErrorRecord>): void {
    for (const [index, { asking: _, ...place }] of places.entries()) {
      const failure = failures.get(index);
      if (failure === undefined) delivered.push(place);
      else if (failure.code !== 'not-found') refused.push({ ...place, error: failure });
      // Otherwise something else has ended the wait since it was found.
    }
  }
}

function byRun(found: readonly WaitingForEvent[]): ReadonlyMap<string, readonly WaitingForEvent[]> {
  const runs = new Map<string, WaitingForEvent[]>();
  for (const waiting of found) {
    const { runId } = waiting.asking;
    const known = runs.get(runId);
    if (known === undefined) runs.set(runId, [waiting]);
    else known.push(waiting);
  }
  return runs;
}

/** What kept which place from the event. The places of one run take it together. */
async function giveEvent(
  engine: Driven,
  runId: string,
  waiting: readonly WaitingForEvent[],
  event: GivenEvent,
): Promise<ReadonlyMap<number, ErrorRecord>> {
  const { host, live, turns } = engine;
  const now = host.runtime.clock.now();
  const answers = waiting.map(({ asking }) => answerToEvent(asking, event, now));
  const failed = (error: unknown): ErrorRecord => errorRecord(asPolyphonyError(error));
  try {
    const root = await rootOf(host.journal, runId);
    const give = () => giveInTurn(engine, runId, (run) => answerTogether(host, run, runId, answers));
    const refused = await (root === runId ? give() : turns.take(root, give));
    if (!live.has(runId)) await wakeAbove(engine, runId);
    return new Map([...refused].map(([index, error]) => [index, failed(error)]));
  } catch (error) {
    return new Map(answers.map((_, index) => [index, failed(error)]));
  }
}
