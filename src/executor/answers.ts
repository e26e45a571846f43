/** Answers and events for runs that wait: for the run that asks, in its turn, whoever drives it or nobody. */
import { asPolyphonyError, type ErrorRecord, errorRecord } from '../core/errors.ts';
import type { EventReceipt, RunStatus } from '../core/run/engine.ts';
import type { RunJournal } from '../core/stores.ts';
import { restore } from '../runs/journal/restore.ts';
import { firstOf, MOST_LEVELS, rootOf } from '../runs/journal/root.ts';
import { startsRun } from '../runs/records/nested-id.ts';
import { type Answer, answerRun, answerTogether } from '../runs/stored/answer.ts';
import { answerToEvent, type GivenEvent, type WaitingForEvent, waitingFor } from '../runs/stored/event.ts';
import { notWaiting } from '../runs/stored/given-answer.ts';
import { questionsOf } from '../runs/stored/inspect.ts';
import { askedInside, atAskingRun, isNestedId } from '../runs/stored/nested-questions.ts';
import { callAgain } from '../runs/turn/asking.ts';
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

/**
 * A run that is driven here takes the answer in its turn, and records it after that: others must not wait for its commits.
 *
 * @returns the answer for the nested run that asks, where the node only passed its question on: nothing was recorded
 */
async function giveAnswer({ host, live, turns }: Driven, answer: Answer): Promise<Answer | undefined> {
  const { runId } = answer;
  let taken: Promise<void> | undefined;
  const inside = await turns.take(runId, async () => {
    const driven = live.get(runId)?.driving.run;
    const use = driven?.tasks.get(answer.nodeId)?.node.use;
    const nested = use === undefined || startsRun(use) ? await insideAnswer(host.journal, answer) : undefined;
    if (nested !== undefined) return nested;
    const now = live.get(runId)?.driving.run;
    const given = answerRun(host, now, answer);
    if (now === undefined) await given;
    // Whoever asked for it hears of its failure below.
    given.catch(() => {});
    taken = given;
    return undefined;
  });
  await taken;
  return inside;
}

/** Gives the event to everything that waits for it, once. What it does not fit stays waiting. */
export async function sendEvent(engine: Driven, event: GivenEvent): Promise<EventReceipt> {
  const { journal } = engine.host;
  const delivered: EventReceipt['delivered'][number][] = [];
  const refused: EventReceipt['refused'][number][] = [];
  const byRun = new Map<string, WaitingForEvent[]>();
  for (const waiting of await waitingFor(journal, event)) {
    const { runId } = waiting.asking;
    const known = byRun.get(runId);
    if (known === undefined) byRun.set(runId, [waiting]);
    else known.push(waiting);
  }
  for (const [runId, waiting] of byRun) {
    const failures = await giveEvent(engine, runId, waiting, event);
    for (const [index, { asking: _, ...place }] of waiting.entries()) {
      const failure = failures.get(index);
      if (failure === undefined) delivered.push(place);
      else if (failure.code !== 'not-found') refused.push({ ...place, error: failure });
      // Otherwise something else has ended the wait since it was found.
    }
  }
  return { delivered, refused };
}

/** What kept which place from the event. The places of a run that nobody drives here take it together. */
async function giveEvent(
  engine: Driven,
  runId: string,
  waiting: readonly WaitingForEvent[],
  event: GivenEvent,
): Promise<ReadonlyMap<number, ErrorRecord>> {
  const { host, live, turns } = engine;
  const answers = waiting.map(({ asking }) => answerToEvent(asking, event, host.runtime.clock.now()));
  const failures = new Map<number, ErrorRecord>();
  const failed = (index: number, error: unknown): void =>
    void failures.set(index, errorRecord(asPolyphonyError(error)));
  const oneByOne = async (): Promise<void> => {
    for (const [index, answer] of answers.entries()) {
      await takeAnswer(engine, answer, true).catch((error: unknown) => failed(index, error));
    }
  };
  if (answers.length === 1 || live.has(runId)) {
    await oneByOne();
    return failures;
  }
  const give = () =>
    turns.take(runId, async () => {
      if (live.has(runId)) return false;
      for (const [index, error] of await answerTogether(host, runId, answers)) failed(index, error);
      return true;
    });
  try {
    const root = await rootOf(host.journal, runId);
    const isGiven = await (root === runId ? give() : turns.take(root, give));
    if (!isGiven) await oneByOne();
    else if (!live.has(runId)) await wakeAbove(engine, runId);
  } catch (error) {
    for (const index of answers.keys()) if (!failures.has(index)) failed(index, error);
  }
  return failures;
}
