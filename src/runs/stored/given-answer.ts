/** What a person's answer means, and whether it fits the question. Whatever is not clearly a yes does not approve. */

import { PolyphonyError } from '../../core/errors.ts';
import type { PlanNode } from '../../core/plan/plan.ts';
import type { HumanQuestion, RunResult, WaitedFor, WaitingQuestion } from '../../core/run/engine.ts';
import { questionId } from '../../core/run/question-id.ts';
import { coerceJson, type JsonIssue, toJsonSchema, validateJson } from '../../kit/json/json-schema.ts';
import { humanSchema, isApproval } from '../../language/human-output.ts';
import { isPlainObject } from '../../language/shorthand.ts';
import { beginningOf, shownJson, shownText } from '../../language/shown.ts';

/** The output of a `human` node. */
export interface Answered {
  readonly answer: unknown;
  readonly approved: boolean;
}

const MOST_LISTED = 20;
const QUESTION_CHARACTERS = 60;

/** Whether a text approves: the choice that the question marks, or else one of a few words. */
function approves({ approve }: HumanQuestion, text: string): boolean {
  return approve === undefined ? isApproval(text) : text === approve;
}

/**
 * `true`, `{ approved: true }` and a text that approves do; every other answer is kept, and is not approved. Of a question with
 * choices, the answer is one of them.
 */
export function answeredBy(question: HumanQuestion, given: unknown): Answered {
  if (typeof given === 'boolean') return { answer: meantBy(question, given) ?? given, approved: given };
  if (typeof given === 'string') return { answer: given, approved: approves(question, given) };
  if (!saysApproved(given)) return { answer: given, approved: given === true };
  const { approved, answer = null, ...more } = given;
  return { answer: Object.keys(more).length === 0 ? answer : given, approved: approved === true };
}

/** The only choice that `true` or `false` can mean. */
function meantBy(question: HumanQuestion, given: boolean): string | undefined {
  const meant = new Set(question.choices?.filter((choice) => approves(question, choice) === given));
  const [only] = meant;
  return meant.size === 1 ? only : undefined;
}

const saysApproved = (given: unknown): given is Readonly<Record<string, unknown>> =>
  isPlainObject(given) && Object.hasOwn(given, 'approved');

/** The question with the schema of its node: a journal of an earlier version does not have it. */
export function withOut(question: HumanQuestion, node: PlanNode | undefined): HumanQuestion {
  if (node?.use !== 'human' || node.out === undefined || question.out !== undefined) return question;
  return { ...question, out: humanSchema(toJsonSchema(node.out)) };
}

/** Why the answer does not fit the question, and what would; undefined if it fits. */
export function misfitOf(question: HumanQuestion, given: unknown): string | undefined {
  return misfitOfChoices(question, given) ?? misfitOfSchema(question, given);
}

/** @throws invalid-request when the answer does not fit the question */
export function assertFits(question: HumanQuestion, given: unknown): void {
  if (question.wait !== undefined) assertNone(nobodyAsked(question.wait));
  assertNone(misfitOf(question, given));
}

/** @throws invalid-request when the answer is none of the choices, or does not fit the workflow's own schema */
export async function assertFitsOwn(
  question: HumanQuestion,
  given: unknown,
  ownMisfit: () => Promise<string | undefined>,
): Promise<void> {
  assertNone(misfitOfChoices(question, given));
  assertNone(await ownMisfit());
}

function assertNone(misfit: string | undefined): void {
  if (misfit !== undefined) throw new PolyphonyError('invalid-request', misfit);
}

const nobodyAsked = (wait: WaitedFor): string =>
  'until' in wait
    ? 'The node waits for a moment and asks nobody: resume the run then, or fork it to wait otherwise.'
    : `The node waits for the event ${shownText(wait.event)} and asks nobody: send that event (runs.event).`;

/** Of what every question asks, whatever its schema: that there is an answer, and that it is one of the choices. */
export function misfitOfChoices(question: HumanQuestion, given: unknown): string | undefined {
  if (given === undefined) return 'An answer cannot be undefined: give a value, or null for none.';
  const { choices } = question;
  if (choices === undefined) return undefined;
  const decides = choices.some((choice) => approves(question, choice));
  // Where one choice approves and the others do not, true is as clear as that choice; so is false for the only other one.
  if (typeof given === 'boolean' && decides && meantBy(question, given) !== undefined) return undefined;
  const chosen = saysApproved(given) ? given.answer : given;
  if (typeof chosen !== 'string' || !choices.includes(chosen)) {
    return `The answer ${shownJson(chosen)} is not one of the choices: answer with one of ${listed(choices.map((choice) => beginningOf(choice)))}.`;
  }
  if (isPlainObject(given) && Object.keys(given).some((key) => key !== 'answer' && key !== 'approved')) {
    return `The answer ${shownJson(given)} says more than the choice ${shownText(chosen)}: give the choice alone, or { answer, approved }.`;
  }
  if (!decides || approves(question, chosen) || typeof given !== 'object') return undefined;
  return answeredBy(question, given).approved
    ? `The choice ${shownText(chosen)} does not approve, but the answer says approved: true. Leave "approved" out, or choose what approves.`
    : undefined;
}

function misfitOfSchema(question: HumanQuestion, given: unknown): string | undefined {
  const { out } = question;
  if (out === undefined) return undefined;
  const output = answeredBy(question, given);
  // A plan from outside may have no schema whose check does not end, so this one is the program's own or is safe.
  const checked = validateJson(out, output, { trusted: true });
  if (checked.ok || validateJson(out, coerceJson(out, output).value, { trusted: true }).ok) return undefined;
  return misfitOut(given, checked.issues);
}

export function misfitOut(given: unknown, found: readonly JsonIssue[]): string {
  const issues = found.map(({ path, message }) => `${path === '' ? '/' : path} ${message}`);
  return `The answer ${shownJson(given)} does not fit the "out" of its node: ${listed(issues, '; ')}. Give one that fits.`;
}

/** An unanswered question: its item, -1 without `each`. */
export type Asked = readonly [item: number, question: HumanQuestion];

/** What an answer is addressed to. */
export interface Address {
  readonly runId: string;
  readonly nodeId: string;
  readonly item?: number;
}

/** The waiting questions that an address may mean: one where it is an id, or names the item. */
export function askedAt({ waiting = [] }: Pick<RunResult, 'waiting'>, address: Address): readonly WaitingQuestion[] {
  const { nodeId, item } = address;
  const id = item === undefined ? nodeId : questionId({ nodeId, item });
  const found = waiting.find((one) => one.id === id);
  if (found !== undefined) return [found];
  if (item !== undefined) return waiting.filter((one) => one.nodeId === nodeId && one.item === item);
  return waiting.filter((one) => one.nodeId === nodeId || one.id.startsWith(`${nodeId}[`));
}

/**
 * For callers who read the questions and cannot know which was asked first: an answer of a person.
 *
 * @throws invalid-request when several questions of the node wait, and none is named
 */
export function assertItemNamed(result: Pick<RunResult, 'waiting'>, address: Address): void {
  const asked = askedAt(result, address);
  if (asked.length < 2) return;
  const { runId, nodeId } = address;
  const names = asked
    .slice(0, MOST_LISTED + 1)
    .map(({ id, question }) => `${id} (${beginningOf(question, QUESTION_CHARACTERS)})`);
  const what = asked.every((one) => one.id === questionId(one)) ? 'items' : 'questions';
  const message = `${asked.length} ${what} of node ${nodeId} of run ${runId} wait for an answer: say which one it is for, by its id, or by its item (item, or --item). They are ${listed(names, ', ', asked.length)}.`;
  throw new PolyphonyError('invalid-request', message);
}

export function notWaiting(
  { runId, nodeId, item }: Address,
  asked: readonly Asked[] = [],
  isAnswered = false,
): PolyphonyError {
  if (isAnswered && (item !== undefined || asked.length === 0)) {
    const whose = item === undefined ? '' : `item ${item} of `;
    const rest =
      asked.length === 0 ? 'inspect the run to see which nodes still wait.' : `these items wait: ${itemsOf(asked)}.`;
    const message = `The question of ${whose}node ${nodeId} of run ${runId} is already answered, and the first answer counts: ${rest}`;
    return new PolyphonyError('not-found', message);
  }
  const what = item === undefined ? 'Node' : `Item ${item} of node`;
  const others = asked.some(([index]) => index >= 0) ? ` These items are: ${itemsOf(asked)}.` : '';
  const remedy = others === '' ? ': inspect the run to see which nodes are.' : `.${others}`;
  return new PolyphonyError('not-found', `${what} ${nodeId} of run ${runId} is not waiting for an answer${remedy}`);
}

/** The error for an answer to a run that has ended, or is about to. */
export function hasEnded({ runId, nodeId }: Address, status: string): PolyphonyError {
  const remedy =
    status === 'done' ? 'fork it to answer otherwise' : `resume it, and answer when node ${nodeId} asks again`;
  return new PolyphonyError(
    'not-found',
    `Run ${runId} is ${status}, so none of its nodes is waiting for an answer: ${remedy}.`,
  );
}

const itemsOf = (asked: readonly Asked[]): string =>
  listed(
    asked
      .slice(0, MOST_LISTED + 1)
      .map(([item, { question }]) => `${item} (${beginningOf(question, QUESTION_CHARACTERS)})`),
    ', ',
    asked.length,
  );

function listed(words: readonly string[], separator = ', ', count = words.length): string {
  const more = count - MOST_LISTED;
  return more > 0
    ? `${words.slice(0, MOST_LISTED).join(separator)}${separator}and ${more} more`
    : words.join(separator);
}
