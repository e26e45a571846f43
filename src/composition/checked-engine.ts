/** An engine whose callers' options are checked first, whichever engine it is: ids, scopes, caps and misspelt names. */
import {
  assertId,
  assertKnownFields,
  assertRequestId,
  assertScopes,
  BOOLEAN,
  CALLBACK,
  type KnownFields,
  OBJECT,
  SIGNAL,
  shown,
  TEXT,
  wholeFrom,
} from '../core/checked-options.ts';
import { PolyphonyError } from '../core/errors.ts';
import { isUsd, noAmount } from '../core/money/money.ts';
import type { GivenApproval } from '../core/plan/approval.ts';
import type {
  AnswerOptions,
  EventOptions,
  ExecutionEngine,
  RequestOptions,
  RunFilter,
  RunOptions,
  RunStatus,
} from '../core/run/engine.ts';
import type { ContinueOptions, ForkOptions } from '../core/run/runs.ts';
import { nearest } from '../language/suggest.ts';
import { assertApproval } from './planning/approvals.ts';

const CONTINUE_FIELDS: KnownFields<ContinueOptions> = { signal: SIGNAL, concurrency: true };
/** Those of a run that is started at `polyphony.run`, where the input is given beside them. */
export const STARTED_FIELDS: KnownFields<Omit<RunOptions, 'input' | 'paid'>> = {
  ...CONTINUE_FIELDS,
  runId: true,
  budgetUsd: true,
  scopes: true,
  session: true,
  requestId: true,
  tags: true,
  level: wholeFrom(0),
  parent: OBJECT,
  approval: true,
};
const RUN_FIELDS: KnownFields<RunOptions> = { ...STARTED_FIELDS, input: true, paid: OBJECT };
const REQUEST_FIELDS: KnownFields<RequestOptions> = {
  ...RUN_FIELDS,
  onPlan: CALLBACK,
  startsPaid: BOOLEAN,
  hasGate: BOOLEAN,
  fresh: BOOLEAN,
};
const ANSWER_FIELDS: KnownFields<AnswerOptions> = { item: true };
const CONTINUING_ANSWER_FIELDS: KnownFields<ContinueOptions & AnswerOptions> = { ...CONTINUE_FIELDS, ...ANSWER_FIELDS };
const EVENT_FIELDS: KnownFields<EventOptions> = { runId: true, waitMs: true };
/** The longest time for which an event waits for runs, in milliseconds. */
const MOST_WAIT_MS = 60_000;
const STATUSES: readonly RunStatus[] = ['running', 'interrupted', 'suspended', 'done', 'failed', 'cancelled'];
const FILTER_FIELDS: KnownFields<RunFilter> = { status: true, limit: true, nested: BOOLEAN };
const FORK_FIELDS: KnownFields<ForkOptions> = { ...RUN_FIELDS, from: TEXT, with: OBJECT };

export function checkedEngine(inner: ExecutionEngine): ExecutionEngine {
  const { startRequest, event } = inner;
  return {
    start(plan, options) {
      assertRunOptions('A run', options, RUN_FIELDS);
      return inner.start(plan, options);
    },
    ...(startRequest === undefined
      ? {}
      : {
          startRequest(request, options) {
            assertRunOptions('A run of a request', options, REQUEST_FIELDS);
            return startRequest.call(inner, request, options);
          },
        }),
    async resume(runId, options) {
      assertRunId(runId);
      assertRunOptions('A run that goes on', options, CONTINUE_FIELDS);
      return inner.resume(runId, options);
    },
    async answer(runId, nodeId, answer, options) {
      assertRunId(runId);
      assertAnswerOptions(options, ANSWER_FIELDS);
      return inner.answer(runId, nodeId, answer, options);
    },
    ...(event === undefined
      ? {}
      : {
          async event(name, payload, options) {
            assertId('The name of an event', name);
            if (options !== undefined) assertKnownFields('An event', options, EVENT_FIELDS, nearest);
            if (options?.runId !== undefined) assertRunId(options.runId);
            if (options?.waitMs !== undefined) assertWait(options.waitMs);
            return event.call(inner, name, payload, options);
          },
        }),
    async fork(runId, options) {
      assertRunId(runId);
      if (typeof options !== 'object' || options === null) {
        throw new PolyphonyError('invalid-request', 'A fork takes the node from which it runs again: give { from }.');
      }
      assertRunOptions('A fork', options, FORK_FIELDS);
      return inner.fork(runId, options);
    },
    replay(runId) {
      assertRunId(runId);
      return inner.replay(runId);
    },
    async inspect(runId) {
      assertRunId(runId);
      return inner.inspect(runId);
    },
    async cancel(runId, reason) {
      assertRunId(runId);
      return inner.cancel(runId, reason);
    },
    async list(filter) {
      assertFilter(filter);
      return inner.list(filter);
    },
    close: () => inner.close(),
  };
}

function assertWait(waitMs: unknown): void {
  if (typeof waitMs === 'number' && waitMs >= 0 && waitMs <= MOST_WAIT_MS) return;
  const message = `The wait of an event (waitMs) is ${shown(waitMs)}: give milliseconds from 0 to ${MOST_WAIT_MS}.`;
  throw new PolyphonyError('invalid-request', message);
}

/** Ids of nested runs are composed, so they may be longer than those that callers give. */
const assertRunId = (runId: string): void => assertId('The id of a run', runId, Number.POSITIVE_INFINITY);

/** One that is misspelt would list other runs than were meant. */
function assertFilter(filter: RunFilter | undefined): void {
  if (filter === undefined) return;
  assertKnownFields('A list of runs', filter, FILTER_FIELDS, nearest);
  const { status, limit } = filter;
  if (status !== undefined && !STATUSES.includes(status)) {
    const message = `A run cannot have the status ${shown(status)}: use one of ${STATUSES.join(', ')}.`;
    throw new PolyphonyError('invalid-request', message);
  }
  if (limit === undefined || (typeof limit === 'number' && limit >= 0)) return;
  throw new PolyphonyError(
    'invalid-request',
    `A list of runs cannot have ${shown(limit)} at most: give a number from 0 on, or leave it out for all.`,
  );
}

/** @throws invalid-request for an unknown field, and for an item that is no index */
function assertAnswerOptions<T extends AnswerOptions>(options: T | undefined, known: KnownFields<T>): void {
  if (options === undefined) return;
  assertKnownFields('An answer', options, known, nearest);
  const { item } = options;
  if (item === undefined || (Number.isSafeInteger(item) && item >= 0)) return;
  throw new PolyphonyError(
    'invalid-request',
    `The item of an answer cannot be ${shown(item)}: give its index within "each", from 0 on, or leave it out.`,
  );
}

/** The options of an answer after which the run goes on: checked before the answer is recorded. */
export function assertContinuingAnswer(options: (ContinueOptions & AnswerOptions) | undefined): void {
  assertAnswerOptions(options, CONTINUING_ANSWER_FIELDS);
}

/** @throws invalid-request naming the option, its value and the rule */
export function assertRunOptions<T extends Omit<RunOptions, 'approval'> & { readonly approval?: GivenApproval }>(
  what: string,
  options: T | undefined,
  known: KnownFields<T>,
): void {
  if (options === undefined) return;
  assertKnownFields(what, options, known, nearest);
  const { runId, session, requestId, scopes, tags, budgetUsd, concurrency, parent, approval } = options;
  if (runId !== undefined && parent?.kind !== 'nested') assertId('The id of a run', runId);
  if (session !== undefined) assertId('A session', session);
  if (requestId !== undefined) assertRequestId('a run', requestId);
  if (scopes !== undefined) assertScopes(scopes);
  if (tags !== undefined) assertTags(tags);
  if (budgetUsd !== undefined && !isUsd(budgetUsd)) throw noAmount('The budget of a run (budgetUsd)', budgetUsd);
  assertApproval(approval);
  if (concurrency !== undefined && !(typeof concurrency === 'number' && concurrency >= 1)) throw tooFew(concurrency);
}

/** A tag becomes a scope, so stores have to tell it from others. */
function assertTags(tags: Readonly<Record<string, unknown>>): void {
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) {
    throw new PolyphonyError('invalid-request', `The tags of a run must be an object of texts, not ${shown(tags)}.`);
  }
  for (const [name, value] of Object.entries(tags)) {
    if (typeof value === 'string') assertId(`The tag ${shown(name)} of a run`, `${name}=${value}`);
    else
      throw new PolyphonyError(
        'invalid-request',
        `The tag ${shown(name)} of a run must be a text, not ${shown(value)}.`,
      );
  }
}

const tooFew = (concurrency: unknown): PolyphonyError =>
  new PolyphonyError(
    'invalid-request',
    `The concurrency of a run cannot be ${String(concurrency)}: give a number from 1 on, or leave it out for 64.`,
  );
