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
