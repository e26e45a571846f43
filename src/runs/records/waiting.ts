/** What a run waits for from outside: questions to people, moments and events, also of runs that are nested in it. */
import type { HumanQuestion, WaitingQuestion } from '../../core/run/engine.ts';
import { questionId } from '../../core/run/question-id.ts';

/** The entries of one question: those of the nested run, where one asks through its node. Item -1 is the node itself. */
export function entriesOf(nodeId: string, item: number, question: HumanQuestion): WaitingQuestion[] {
  const { nested, ...own } = question;
  if (nested !== undefined) return nestedEntries(nodeId, item, nested);
  const place = item === -1 ? { nodeId } : { nodeId, item };
  return [{ id: questionId(place), ...place, ...own }];
}

/** The questions of a nested run as those of the node that runs it. */
export function nestedEntries(nodeId: string, item: number, nested: readonly WaitingQuestion[]): WaitingQuestion[] {
  const place = item === -1 ? { nodeId } : { nodeId, item };
  return nested.map(({ id, nodeId: _nodeId, item: _item, ...asked }) => ({
    id: `${questionId(place)}/${id}`,
    ...place,
    ...asked,
  }));
}

/** Names the question beyond its run: answers of earlier versions find it by that. */
export function originOf(runId: string, { nodeId, item, origin, question }: Omit<WaitingQuestion, 'id'>): string {
  return origin ?? `${runId}/${nodeId}${item === undefined ? '' : `/${item}`}: ${question}`;
}

/** When time itself goes on with it, in epoch milliseconds: its own moment, or the first one of a nested run. Infinite: never. */
export function momentOf({ wait, nested, origin, deadline }: HumanQuestion): number {
  if (nested !== undefined) return nextMomentOf(nested) ?? Number.POSITIVE_INFINITY;
  return origin === undefined ? momentOfWait(wait) : Math.min(momentOfWait(wait), deadline ?? Number.POSITIVE_INFINITY);
}

const momentOfWait = (wait: HumanQuestion['wait']): number =>
  wait !== undefined && 'until' in wait ? wait.until : Number.POSITIVE_INFINITY;

/** As `momentOf`, and the deadline of its node. */
const firstMoment = ({ wait, deadline = Number.POSITIVE_INFINITY }: HumanQuestion): number =>
  Math.min(momentOfWait(wait), deadline);

/** When time goes on with the run that waits for all of this, in epoch milliseconds. Undefined: it does not. */
export function nextMomentOf(waiting: readonly HumanQuestion[]): number | undefined {
  let next = Number.POSITIVE_INFINITY;
  for (const asked of waiting) next = Math.min(next, firstMoment(asked));
  return next === Number.POSITIVE_INFINITY ? undefined : next;
}
