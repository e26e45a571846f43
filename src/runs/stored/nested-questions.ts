/** Questions of runs that are nested in a run: which run asks, by the id of the question, and what all of them ask. */

import type { HumanQuestion, WaitingQuestion } from '../../core/run/engine.ts';
import { type QuestionPlace, questionPlaces } from '../../core/run/question-id.ts';
import type { RunJournal } from '../../core/stores.ts';
import { knownRun, restore } from '../journal/restore.ts';
import type { Restored } from '../journal/restored.ts';
import { nestedRunId, startsRun } from '../records/nested-id.ts';
import { entriesOf, nestedEntries, originOf } from '../records/waiting.ts';
import type { Answer } from './answer.ts';
import { notWaiting } from './given-answer.ts';
import { questionsOf } from './inspect.ts';

/** More than the id of a node. */
export const isNestedId = (id: string): boolean => id.includes('/') || id.includes('[');

/** The answer with the run and the node that its id leads to. @throws not-found where it leads nowhere */
export async function atAskingRun(journal: RunJournal, answer: Answer): Promise<Answer> {
  const places = questionPlaces(answer.nodeId);
  const asking = places[places.length - 1] as QuestionPlace;
  const { item = answer.item } = asking;
  const { nodeId } = asking;
  const given = { ...answer, nodeId, ...(item === undefined ? {} : { item }) };
  if (asking.item !== undefined && answer.item !== undefined && asking.item !== answer.item) throw notWaiting(answer);
  let { runId } = answer;
  for (const outer of places.slice(0, -1)) {
    const nested = nestedIn(await knownRun(journal, runId, 'look'), outer);
    if (nested === undefined || (await restore(journal.read(nested), 'look')) === undefined) throw notWaiting(answer);
    runId = nested;
  }
  return { ...given, runId };
}

/** The run that the node has started, or would start, in its present round. Undefined: it starts none. */
function nestedIn({ started, plan, nodes }: Restored, { nodeId, item }: QuestionPlace): string | undefined {
  const node = plan.nodes.find(({ id }) => id === nodeId);
  if (node === undefined || !startsRun(node.use)) return undefined;
  const finished = nodes.get(nodeId)?.progress.rounds.get(item ?? -1)?.round ?? 0;
  const round = node.repeat === undefined ? undefined : finished + 1;
  return nestedRunId({ runId: started.runId, nodeId, item, round });
}

/**
 * Where the question of a nested run that the node passed on is asked; `answered` where it no longer is, and undefined where there
 * is no such run.
 */
export async function askedInside(
  journal: RunJournal,
  restored: Restored,
  place: QuestionPlace,
  { origin }: HumanQuestion,
): Promise<Pick<Answer, 'runId' | 'nodeId'> | 'answered' | undefined> {
  const runId = nestedIn(restored, place);
  const nested = runId === undefined ? undefined : await restore(journal.read(runId), 'look');
  if (runId === undefined || nested === undefined) return undefined;
  const asked = (await openQuestions(journal, nested)).find((one) => originOf(runId, one) === origin);
  return asked === undefined ? 'answered' : { runId, nodeId: asked.id };
}

/** What the run and those nested in it ask now, in the order of the plan. */
export async function openQuestions(journal: RunJournal, restored: Restored): Promise<WaitingQuestion[]> {
  const found: WaitingQuestion[] = [];
  for (const { id: nodeId, use, each } of restored.plan.nodes) {
    const node = restored.nodes.get(nodeId);
    if (node === undefined || node.ending !== undefined) continue;
    const asked = questionsOf(node);
    const isDriven = node.phase === 'running' && each === undefined && startsRun(use);
    if (asked.length === 0 && isDriven) found.push(...((await insideOf(journal, restored, { nodeId })) ?? []));
    for (const [item, question] of asked) {
      const place = item === -1 ? { nodeId } : { nodeId, item };
      const inside = question.origin === undefined ? undefined : await insideOf(journal, restored, place);
      found.push(...(inside ?? entriesOf(nodeId, item, question)));
    }
  }
  return found;
}

/** Undefined: there is no nested run. */
async function insideOf(
  journal: RunJournal,
  restored: Restored,
  place: QuestionPlace,
): Promise<WaitingQuestion[] | undefined> {
  const runId = nestedIn(restored, place);
  const nested = runId === undefined ? undefined : await restore(journal.read(runId), 'look');
  if (runId === undefined || nested === undefined) return undefined;
  const asked = await openQuestions(journal, nested);
  const named = asked.map((one) => ({ ...one, origin: originOf(runId, one) }));
  return nestedEntries(place.nodeId, place.item ?? -1, named);
}
