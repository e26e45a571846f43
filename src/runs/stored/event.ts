/** Events: which runs wait for one, and what it has to be for each of them. */

import { PolyphonyError } from '../../core/errors.ts';
import type { EventPlace, HumanQuestion, StoredStatus } from '../../core/run/engine.ts';
import { questionId } from '../../core/run/question-id.ts';
import type { RunJournal } from '../../core/stores.ts';
import { validateJson } from '../../kit/json/json-schema.ts';
import { isPlainObject } from '../../language/shorthand.ts';
import { shownJson, shownText } from '../../language/shown.ts';
import { dateAt } from '../../system/clock.ts';
import { restore } from '../journal/restore.ts';
import type { Restored } from '../journal/restored.ts';
import { MOST_LEVELS } from '../journal/root.ts';
import type { Answer } from './answer.ts';
import { notWaiting } from './given-answer.ts';
import { questionsOf } from './inspect.ts';

export interface GivenEvent {
  readonly name: string;
  readonly payload: unknown;
  /** Only for this run and those nested in it. @default every run */
  readonly runId?: string;
}

/** A question that an event may answer. */
export interface WaitingForEvent extends EventPlace {
  /** In the run that asks. */
  readonly asking: Pick<Answer, 'runId' | 'nodeId' | 'item'>;
}

const MAY_WAIT: readonly StoredStatus[] = ['suspended', 'running'];

/** All that wait for an event of that name which the payload matches, the newest run first. */
export async function waitingFor(journal: RunJournal, event: GivenEvent): Promise<readonly WaitingForEvent[]> {
  const found: WaitingForEvent[] = [];
  for (const status of MAY_WAIT) {
    for (const { runId } of await journal.list({ status, nested: true })) {
      const restored = await restore(journal.read(runId), 'look');
      if (restored !== undefined) found.push(...(await inRun(journal, restored, event)));
    }
  }
  return found;
}

async function inRun(journal: RunJournal, restored: Restored, event: GivenEvent): Promise<WaitingForEvent[]> {
  const { runId } = restored.started;
  const asking = [...restored.nodes].flatMap(([nodeId, node]) =>
    questionsOf(node)
      .filter(([, question]) => isFor(question, event))
      .map(([item]) => (item === -1 ? { runId, nodeId } : { runId, nodeId, item })),
  );
  const around = asking.length === 0 ? undefined : await outermost(journal, restored);
  if (around === undefined || (event.runId !== undefined && !around.runs.has(event.runId))) return [];
  return asking.map((place) => ({ runId: around.runId, id: `${around.prefix}${questionId(place)}`, asking: place }));
}

function isFor({ wait, origin }: HumanQuestion, { name, payload }: GivenEvent): boolean {
  // A question that a node passed on is answered where it is asked.
  if (origin !== undefined || wait === undefined || !('event' in wait) || wait.event !== name) return false;
  return wait.match === undefined || holds(wait.match, payload);
}

interface Around {
  readonly runId: string;
  /** Of the ids of questions, from the outermost run on. */
  readonly prefix: string;
  /** The run and all around it. */
  readonly runs: ReadonlySet<string>;
}

/** The runs around one that waits. Undefined: one of them has ended, or its node has, so that nobody waits any more. */
async function outermost(journal: RunJournal, asking: Restored): Promise<Around | undefined> {
  const runs = new Set([asking.started.runId]);
  let { parent } = asking.started;
  let runId = asking.started.runId;
  let prefix = '';
  for (let level = 0; parent?.kind === 'nested' && level < MOST_LEVELS; level += 1) {
    const { nodeId = '', item } = parent;
    const outer = await restore(journal.read(parent.runId), 'look');
    if (outer === undefined || !MAY_WAIT.some((status) => status === outer.status)) return undefined;
    const node = outer.nodes.get(nodeId);
    if (node?.ending !== undefined || (item !== undefined && node?.progress.items.has(item))) return undefined;
    prefix = `${questionId(item === undefined ? { nodeId } : { nodeId, item })}/${prefix}`;
    runId = parent.runId;
    runs.add(runId);
    parent = outer.started.parent;
  }
  return { runId, prefix, runs };
}

/** Whether `value` has what `wanted` has: objects at least those fields, everything else the same. */
function holds(wanted: unknown, value: unknown): boolean {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(value) || value.length !== wanted.length) return false;
    return wanted.every((entry, index) => holds(entry, value[index]));
  }
  if (!isPlainObject(wanted)) return wanted === value;
  if (!isPlainObject(value)) return false;
  return Object.entries(wanted).every(([key, entry]) => Object.hasOwn(value, key) && holds(entry, value[key]));
}

/** The event as the answer of a node: `{ at, payload }`. `now` in epoch milliseconds. */
export function answerToEvent(asking: WaitingForEvent['asking'], event: GivenEvent, now: number): Answer {
  const { payload } = event;
  const given = payload === undefined ? null : payload;
  const answer = { at: dateAt(now).toISOString(), payload: given };
  return { ...asking, answer, check: (question) => assertTaken(asking, event, question) };
}

/** @throws not-found when the node waits for something else by now; invalid-request when the payload does not fit its schema */
function assertTaken(asking: WaitingForEvent['asking'], event: GivenEvent, question: HumanQuestion): void {
  if (!isFor(question, event)) throw notWaiting(asking);
  const schema = question.wait !== undefined && 'event' in question.wait ? question.wait.schema : undefined;
  if (schema === undefined) return;
  const checked = validateJson(schema, event.payload === undefined ? null : event.payload);
  if (checked.ok) return;
  const issues = checked.issues.slice(0, 20).map(({ path, message }) => `${path === '' ? '/' : path} ${message}`);
  const message = `The payload ${shownJson(event.payload)} of the event ${shownText(event.name)} does not fit the "schema" of node ${asking.nodeId}: ${issues.join('; ')}. Send one that fits.`;
  throw new PolyphonyError('invalid-request', message);
}
