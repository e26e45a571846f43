/**
 * From a request to a plan: a prompt with the catalogue, an answer, validation with its own repairs, then rounds with the
 * issues, the last one with a stronger model.
 */
import { defined } from '../core/defined.ts';
import { abortError, errorRecord, PolyphonyError } from '../core/errors.ts';
import type { CallOptions, Gateway } from '../core/gateway.ts';
import type { AttemptRecord, CallTrace, ChatRequest, Message, ModelEvent, ModelResponse } from '../core/model/model.ts';
import { collect, textOf, totalCost } from '../core/model/response.ts';
import { addMoney } from '../core/money/money.ts';
import { addUsage, NO_USAGE, type Paid, usageOfAttempts } from '../core/money/usage.ts';
import type { PlanBounds, ValidPlan } from '../core/plan/plan.ts';
import type { PlanFailure, Planner, PlanningResult } from '../core/plan/planner.ts';
import type { Catalogue, Validate, Validation } from '../core/plan/validation.ts';
import { type DraftChecks, type Listener, listenInParts } from './drafts.ts';
import { keptSteps } from './kept-steps.ts';
import { pinnedPlanner } from './pinned-planner.ts';
import { planningMessages } from './prompt.ts';
import {
  type Answered,
  answered,
  cutValidation,
  isCut,
  namedError,
  planTokens,
  repairMessages,
  voids,
} from './repair.ts';
import { dearerMessages, revisionMessages } from './revision-messages.ts';

export interface PlannerOptions {
  /** A model's id or alias. @default a model that can plan, which the router chooses */
  readonly model?: string | undefined;
  /** Rounds with the same model before the planner itself escalates for one more. @default 3 */
  readonly rounds?: number | undefined;
}

/** In characters. Longer requests are refused before anything is sent. */
const LONGEST_REQUEST = 200_000;

/** What the planner needs: models, the catalogue, and the validator of what is written. */
export interface PlannerParts {
  readonly gateway: Gateway;
  /** The current catalogue: what is registered may change. */
  readonly catalogue: () => Catalogue;
  /** The current options: the config may be replaced. @default no model in particular, 3 rounds */
  readonly options?: () => PlannerOptions | undefined;
  readonly validator: PlanChecks;
}

/** The validator's part in planning. */
export interface PlanChecks extends DraftChecks {
  readonly validate: Validate;
  /** The plan of a request before anything of it is written. */
  readonly emptyPlan: (request: string, bounds: PlanBounds) => ValidPlan;
}

export function createPlanner(parts: PlannerParts): Planner {
  const { catalogue, validator, options = () => undefined } = parts;
  return {
    open(request) {
      checkRequest(request);
      return validator.emptyPlan(request, catalogue().bounds);
    },
    async plan(
      request,
      { input, onDraft, dearer, fresh: _fresh, approval: _approval, hasGate: _gate, ...planning } = {},
    ) {
      const { onDelta, onRestart, onCall, onAnswer, ...call } = planning;
      checkRequest(request);
      const listener: Listener = { onDelta, onRestart, onCall, onAnswer };
      const asking = askingOf(parts, call, listener);
      if (onDraft !== undefined) listenInParts(listener, validator, { catalogue: asking.catalogue, input, onDraft });
      const before = dearer === undefined ? [] : dearerMessages(dearer);
      const messages = [...planningMessages(request, asking.catalogue), ...before];
      const made = await planInRounds(messages, options() ?? {}, { ...asking, request });
      if (input !== undefined) validator.checkInput(made.plan.plan, input);
      return made;
    },
    async revise(failure, { onDelta, onRestart, onCall, onAnswer, approval: _approval, ...call } = {}) {
      const asking = askingOf(parts, call, { onDelta, onRestart, onCall, onAnswer });
      const request = failure.plan.goal ?? 'Reach the goal of the plan below.';
      const messages = [...planningMessages(request, asking.catalogue), ...revisionMessages(failure)];
      const planning = await planInRounds(messages, options() ?? {}, { ...asking, request });
      return { ...planning, ...keepSteps(failure, planning.plan, asking) };
    },
  };
}

/** The revised plan with the steps that are not run again. Where none can be put back into it, it keeps their results. */
function keepSteps(
  failure: PlanFailure,
  revised: ValidPlan,
  { catalogue, validate }: Asking,
): Pick<PlanningResult, 'plan' | 'kept'> {
  const { plan: wanted, kept } = keptSteps(failure, revised.plan, catalogue);
  const plan = wanted === revised.plan ? revised : (validate(wanted, catalogue).plan ?? revised);
  const ids = new Set(plan.plan.nodes.map(({ id }) => id));
  const known = Object.entries(kept).filter(([id]) => ids.has(id));
  return known.length === 0 ? { plan } : { plan, kept: Object.fromEntries(known) };
}

const askingOf = (parts: PlannerParts, options: CallOptions, listener: Listener): Asking => ({
  gateway: parts.gateway,
  catalogue: parts.catalogue(),
  validate: parts.validator.validate,
  options,
  listener,
});

/** What the rounds before have left. */
interface Progress {
  asked: number;
  paid: Paid;
  validation: Validation;
  last: Answered | undefined;
  /** The last two answers are the same: the same model would only write it once more. */
  isRepeated: boolean;
  /** A plan that can run, of which something has no meaning. */
  doubtful: Validation | undefined;
  repair: readonly Message[];
}

async function planInRounds(messages: Message[], options: PlannerOptions, asking: Asking): Promise<PlanningResult> {
  const rounds = options.rounds ?? 3;
  const paid: Paid = { costNanoUsd: 0, usage: NO_USAGE };
  const validation: Validation = { issues: [], repaired: [] };
  const progress: Progress = {
    asked: 0,
    paid,
    validation,
    last: undefined,
    isRepeated: false,
    doubtful: undefined,
    repair: [],
  };
  while (progress.asked < rounds && !progress.isRepeated) {
    const made = await nextRound(messages, false, progress.asked + 1 >= rounds, options, progress, asking);
    if (made !== undefined) return made;
  }
  if (progress.doubtful === undefined && canEscalate(asking.catalogue, options.model)) {
    const made = await nextRound(messages, true, true, options, progress, asking);
    if (made !== undefined) return made;
  }
  if (progress.doubtful !== undefined) return result(progress.doubtful, progress.asked, progress.paid);
  throw unusable(progress.validation, progress.asked);
}

/** The result, if this round brings one. A plan with warnings that void something is asked for once more, and taken then. */
async function nextRound(
  messages: readonly Message[],
  escalated: boolean,
  isLast: boolean,
  options: PlannerOptions,
  progress: Progress,
  asking: Asking,
): Promise<PlanningResult | undefined> {
  progress.asked += 1;
  const { asked, last, doubtful } = progress;
  if (asked > 1) await asking.listener.onRestart?.();
  const response = await ask(
    [...messages, ...progress.repair],
    { round: asked, escalated, model: options.model },
    asking,
  );
  const price = paidFor(response.attempts);
  progress.paid = sumOf(progress.paid, price);
  const answer = answered(textOf(response), last);
  const cut = isCut(response, textOf(response));
  const validation = cut
    ? cutValidation()
    : asking.validate(answer.text, asking.catalogue, defined({ request: asking.request }));
  progress.validation = validation;
  await reportAnswer(asking.listener, asked, price, validation);
  const unclear = validation.plan === undefined ? [] : voids(validation, asking.catalogue);
  if (validation.plan !== undefined && (unclear.length === 0 || doubtful !== undefined || isLast))
    return result(validation, asked, progress.paid);
  if (doubtful !== undefined) return result(doubtful, asked, progress.paid);
  if (validation.plan !== undefined) progress.doubtful = validation;
  progress.isRepeated = last?.text.trim() === answer.text.trim();
  const issues = unclear.length > 0 ? unclear : validation.issues.filter(({ severity }) => severity === 'error');
  progress.repair = repairMessages(answer, issues, cut);
  progress.last = answer;
  return undefined;
}

/** @throws invalid-request when the request is empty or too long */
function checkRequest(request: string): void {
  if (request.trim() === '') {
    throw new PolyphonyError('invalid-request', 'The request is empty: describe the task in a sentence.');
  }
  if (request.length > LONGEST_REQUEST) {
    throw new PolyphonyError(
      'invalid-request',
      `The request has ${request.length} characters, but at most ${LONGEST_REQUEST} are allowed: put the material into files and name them in the request.`,
    );
  }
}

interface Asking {
  readonly gateway: Gateway;
  readonly catalogue: Catalogue;
  readonly validate: Validate;
  readonly options: CallOptions;
  readonly listener: Listener;
  readonly request?: string;
}

/** Most issues that a listener is given per answer. */
const MAX_REPORTED_ISSUES = 40;

const paidFor = (attempts: readonly AttemptRecord[]): Paid => ({
  costNanoUsd: totalCost(attempts),
  usage: usageOfAttempts(attempts),
});

const sumOf = (a: Paid, b: Paid): Paid => ({
  costNanoUsd: addMoney(a.costNanoUsd, b.costNanoUsd),
  usage: addUsage(a.usage ?? NO_USAGE, b.usage),
});

async function reportAnswer(
  { onAnswer }: Listener,
  round: number,
  paid: Paid,
  { plan, issues }: Validation,
): Promise<void> {
  const errors = issues.filter(({ severity }) => severity === 'error').slice(0, MAX_REPORTED_ISSUES);
  await onAnswer?.({ round, ...paid, ...(plan === undefined ? { issues: errors } : {}) });
}

interface Round {
  readonly round: number;
  readonly escalated: boolean;
  readonly model: string | undefined;
}

/** One round. Streams only when there is an `onDelta`. */
async function ask(
  messages: readonly Message[],
  { round, escalated, model }: Round,
  asking: Asking,
): Promise<ModelResponse> {
  const request: ChatRequest = {
    operation: 'chat',
    messages: [...messages],
    model: escalated
      ? { tier: 'premium', can: ['planning'] }
      : model === undefined
        ? { can: ['planning'], strengths: ['planning', 'reasoning'] }
        : pinnedPlanner(model, asking.catalogue),
    output: { type: 'json' },
    answerTokens: planTokens(asking.catalogue.bounds),
    temperature: 0,
  };
  const signal = asking.options.signal ?? new AbortController().signal;
  if (signal.aborted) throw abortError(signal);
  // Awaited only where there is something to wait for: a call that may be made is sent before another one exceeds the limit.
  const called = asking.listener.onCall?.();
  if (called !== undefined) await called;
  // A trace of its own, so that the response's cost is that of this round only.
  const trace: CallTrace = { attempts: [] };
  const options: CallOptions = { ...asking.options, signal, trace, purpose: 'planner' };
  try {
    if (asking.listener.onDelta === undefined) return await asking.gateway.call(request, options);
    return await collect(watch(asking.gateway.stream(request, options), asking.listener), { trace, signal });
  } catch (error) {
    // The cost of an answer that never came is reported too.
    const { attempts } = trace;
    if (attempts.length > 0)
      await asking.listener.onAnswer?.({ round, ...paidFor(attempts), error: errorRecord(error) });
    throw namedError(error, model);
  }
}

async function* watch(events: AsyncIterable<ModelEvent>, listener: Listener): AsyncGenerator<ModelEvent> {
  for await (const event of events) {
    const told = tell(listener, event);
    if (told !== undefined) await told;
    yield event;
  }
}

/** A promise only where the listener gave one, so that a plain one costs the stream nothing. */
function tell(listener: Listener, event: ModelEvent): unknown {
  if (event.type === 'text-delta') return listener.onDelta?.(event.text);
  return event.type === 'restart' ? listener.onRestart?.() : undefined;
}

/** A stronger planner exists, and no model was pinned. */
function canEscalate(catalogue: Catalogue, pinned: string | undefined): boolean {
  return (
    pinned === undefined &&
    catalogue.models.some(({ card }) => card.tier === 'premium' && card.capabilities.includes('planning'))
  );
}

function result(validation: Validation, rounds: number, paid: Paid): PlanningResult {
  if (validation.plan === undefined) throw unusable(validation, rounds);
  return { plan: validation.plan, issues: validation.issues, repaired: validation.repaired, rounds, ...paid };
}

function unusable(validation: Validation, rounds: number): PolyphonyError {
  const errors = validation.issues.filter((issue) => issue.severity === 'error');
  const first = errors[0];
  const shown =
    first === undefined
      ? 'its answer held no plan'
      : `the first of ${errors.length} errors is ${first.code} at ${first.path}: ${first.message}`;
  return new PolyphonyError(
    'invalid-plan',
    `The planner wrote no valid plan in ${rounds} rounds; ${shown}. Word the request more plainly, or set a stronger planner model in the config (planner.model).`,
    { details: { issues: validation.issues } },
  );
}
