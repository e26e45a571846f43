/**
 * From a request to a plan: a prompt with the catalogue, an answer, validation with its own repairs, then rounds with the
 * issues, the last one with a stronger model.
 */
import { abortError, PolyphonyError } from '../core/errors.ts';
import type { CallOptions, Gateway } from '../core/gateway.ts';
import type { Target, Warning } from '../core/model/model.ts';
import type { Paid } from '../core/money/usage.ts';
import type { PlanBounds, ValidPlan } from '../core/plan/plan.ts';
import type { PlanFailure, Planner, PlanningResult } from '../core/plan/planner.ts';
import type { Catalogue, Validate, Validation } from '../core/plan/validation.ts';
import { type Asking, ask, formAsked, paidFor, reportAnswer, sumOf } from './ask.ts';
import { nameOf, type PlannerModel, type PlannerRules, strongerPlanners } from './choice.ts';
import { type DraftChecks, type Listener, listenInParts } from './drafts.ts';
import { explainedChoice } from './explained-choice.ts';
import { refusedForms } from './form/refused-forms.ts';
import { keptSteps } from './kept-steps.ts';
import { type PlanningTask, type Preparation, prepare, sensitivityOf } from './preparation.ts';
import {
  type Answered,
  answered,
  cutValidation,
  isCut,
  type Repair,
  repairCharacters,
  repairOf,
  voids,
} from './repair.ts';
import { dearerMessages, revisionMessages } from './revision-messages.ts';
import { type KeptVectors, keptVectors, NOTHING, vectorsFor } from './tool-vectors.ts';

export interface PlannerOptions extends PlannerRules {
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

export function createPlanner(parts: PlannerParts): Required<Planner> {
  const { catalogue, validator, options = () => undefined } = parts;
  const kept: Kept = { vectors: keptVectors(), refused: refusedForms() };
  return {
    open(request) {
      checkRequest(request);
      return validator.emptyPlan(request, catalogue().bounds);
    },
    preview(request, { seconds, sensitivity, ...call } = {}) {
      checkRequest(request);
      const prepared = prepare({ request, seconds, sensitivity }, options() ?? {}, call, {
        gateway: parts.gateway,
        catalogue: catalogue(),
      });
      return {
        parts: prepared.parts,
        tokens: prepared.choice.promptTokens,
        form: formAsked(prepared, kept.refused),
        because: explainedChoice(prepared.choice),
      };
    },
    async plan(request, given = {}) {
      checkRequest(request);
      const { dearer, fresh: _fresh, approval: _approval, hasGate: _gate, ...others } = given;
      const { input, onDraft, onDelta, onRestart, onCall, onAnswer, seconds, sensitivity, ...call } = others;
      const listener: Listener = { onDelta, onRestart, onCall, onAnswer };
      const asking = askingOf(parts, call, listener, request, kept);
      if (onDraft !== undefined) listenInParts(listener, validator, { catalogue: asking.catalogue, input, onDraft });
      const further = dearer === undefined ? {} : { further: dearerMessages(dearer) };
      const planning = await planInRounds({ request, ...further, seconds, sensitivity }, options() ?? {}, asking);
      if (input !== undefined) validator.checkInput(planning.plan.plan, input);
      return planning;
    },
    async revise(failure, given = {}) {
      const { onDelta, onRestart, onCall, onAnswer, seconds, sensitivity, approval: _approval, ...call } = given;
      const request = failure.plan.goal ?? 'Reach the goal of the plan below.';
      const asking = askingOf(parts, call, { onDelta, onRestart, onCall, onAnswer }, request, kept);
      const task: PlanningTask = {
        request,
        further: revisionMessages(failure),
        needed: new Set(failure.plan.nodes.map(({ use }) => use)),
        seconds,
        sensitivity: sensitivityOf(failure.plan, sensitivity),
      };
      const planning = await planInRounds(task, options() ?? {}, asking);
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

const askingOf = (
  parts: PlannerParts,
  options: CallOptions,
  listener: Listener,
  request: string,
  kept: Kept,
): PlannerAsking => ({
  ...kept,
  gateway: parts.gateway,
  catalogue: parts.catalogue(),
  validate: parts.validator.validate,
  options,
  listener,
  request,
});

/** What one planning leaves for the next: vectors of tools, and models that refused the schema. */
interface Kept extends Pick<Asking, 'refused'> {
  readonly vectors: KeptVectors;
}
type PlannerAsking = Asking & Kept;

/** What the rounds before have left. */
interface Progress {
  asked: number;
  paid: Paid;
  /** Paid for the next round before it is asked. */
  before: Paid;
  validation: Validation;
  last: Answered | undefined;
  /** The model of the last answer. */
  model: PlannerModel | undefined;
  /** The last two answers are the same: the same model would only write it once more. */
  isRepeated: boolean;
  /** A plan that can run, of which something has no meaning, and the model that wrote it. */
  doubtful: Written | undefined;
  repair: Repair | undefined;
  warnings: readonly Warning[];
}

interface Written {
  readonly validation: Validation;
  readonly model: Target;
}

async function planInRounds(
  task: PlanningTask,
  options: PlannerOptions,
  asking: PlannerAsking,
): Promise<PlanningResult> {
  const { signal } = asking.options;
  if (signal?.aborted === true) throw abortError(signal);
  // First without vectors, so that nothing is paid for them where nobody can plan.
  let prepared = prepare(task, options, asking.options, asking);
  const finding = vectorsFor({ ...asking, sensitivity: task.sensitivity }, asking.vectors);
  const found = finding === undefined ? undefined : await finding;
  if (found?.vectors !== undefined)
    prepared = prepare({ ...task, vectors: found.vectors }, options, asking.options, asking);
  const rounds = options.rounds ?? 3;
  const progress: Progress = {
    asked: 0,
    paid: NOTHING,
    before: found?.paid ?? NOTHING,
    validation: { issues: [], repaired: [] },
    last: undefined,
    model: prepared.choice.planners[0],
    isRepeated: false,
    doubtful: undefined,
    repair: undefined,
    warnings: [],
  };
  const made = await allRounds(prepared, rounds, options, progress, asking);
  const { warnings } = progress;
  return { ...made, because: explainedChoice(prepared.choice), ...(warnings.length === 0 ? {} : { warnings }) };
}

async function allRounds(
  prepared: Preparation,
  rounds: number,
  options: PlannerOptions,
  progress: Progress,
  asking: Asking,
): Promise<PlanningResult> {
  const { planners } = prepared.choice;
  // A pinned model is asked by its name, so that its route is that of any other call.
  const first = options.model === undefined ? planners : undefined;
  while (progress.asked < rounds && !progress.isRepeated) {
    const made = await nextRound(prepared, first, progress.asked + 1 >= rounds, progress, asking);
    if (made !== undefined) return made;
  }
  const stronger = progress.doubtful === undefined ? strongerPlanners(prepared.choice, progress.model) : [];
  if (stronger.length > 0) {
    const made = await nextRound(prepared, stronger, true, progress, asking);
    if (made !== undefined) return made;
  }
  if (progress.doubtful !== undefined) return result(progress.doubtful, progress.asked, progress.paid);
  throw unusable(progress.validation, progress.asked);
}

/** The result, if this round brings one. A plan with warnings that void something is asked for once more, and taken then. */
async function nextRound(
  prepared: Preparation,
  planners: readonly PlannerModel[] | undefined,
  isLast: boolean,
  progress: Progress,
  asking: Asking,
): Promise<PlanningResult | undefined> {
  progress.asked += 1;
  const { asked, last, doubtful } = progress;
  if (asked > 1) await asking.listener.onRestart?.();
  const { repair, before } = progress;
  const { response, text, warnings } = await ask(prepared, { round: asked, planners, repair, before }, asking);
  progress.warnings = [...progress.warnings, ...warnings];
  progress.before = NOTHING;
  progress.model = prepared.choice.able.find(({ target }) => isSameModel(target, response.target)) ?? progress.model;
  const price = sumOf(before, paidFor(response.attempts));
  progress.paid = sumOf(progress.paid, price);
  const answer = answered(text, last);
  const cut = isCut(response, text);
  const validation = cut
    ? cutValidation()
    : asking.validate(answer.text, asking.catalogue, { request: asking.request });
  const written: Written = { validation, model: response.target };
  progress.validation = validation;
  await reportAnswer(asking.listener, asked, price, { validation, warnings });
  const unclear = validation.plan === undefined ? [] : voids(validation, asking.catalogue);
  if (validation.plan !== undefined && (unclear.length === 0 || doubtful !== undefined || isLast))
    return result(written, asked, progress.paid);
  if (doubtful !== undefined) return result(doubtful, asked, progress.paid);
  if (validation.plan !== undefined) progress.doubtful = written;
  progress.isRepeated = last?.text.trim() === answer.text.trim();
  const issues = unclear.length > 0 ? unclear : validation.issues.filter(({ severity }) => severity === 'error');
  progress.repair = repairOf(answer, issues, cut, roomForRepair(prepared, progress.model));
  progress.last = answer;
  return undefined;
}

const isSameModel = (a: Target, b: Target): boolean => a.provider === b.provider && a.model === b.model;

const roomForRepair = ({ choice }: Preparation, model: PlannerModel | undefined): number | undefined =>
  model === undefined ? undefined : repairCharacters(model.contextTokens, choice.promptTokens);

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

function result({ validation, model }: Written, rounds: number, paid: Paid): PlanningResult {
  if (validation.plan === undefined) throw unusable(validation, rounds);
  const { plan, issues, repaired } = validation;
  return { plan, issues, repaired, rounds, model: nameOf(model), ...paid };
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
