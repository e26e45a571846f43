/**
 * Climbs from rung to rung.
 *
 * E1. The first rung is the request as it was made; each further one the same request for the next of `to`.
 * E2. A next rung is tried only while the best answer is below the threshold, the caller waits and the budget suffices.
 * E3. Every attempt of every rung stays in `call.trace`, so the report contains every cost, whichever answer is kept.
 * E4. The answer with the best score is kept, the later one on a tie. An answer that was not judged ends the climb.
 */
import {
  abortError,
  asPolyphonyError,
  type Call,
  type Clock,
  type EscalationReport,
  type EscalationRule,
  type Evaluator,
  type FinishEvent,
  type Gateway,
  type Handler,
  type ModelEvent,
  type ModelRequest,
  PolyphonyError,
} from 'polyphony/kit';
import {
  type Answer,
  costOfAttempts,
  draftOf,
  isOfCaller,
  requestFor,
  sameModel,
  targetOf,
  tryRung,
  withDraft,
} from './rung.ts';
import { evaluated, type Verdict, wasNotJudged } from './verdict.ts';

type ReportedRung = EscalationReport['rungs'][number];

interface Kept {
  readonly rung: number;
  readonly answer: Answer;
  readonly verdict: Verdict;
}

interface Climb {
  readonly call: Call;
  readonly rule: EscalationRule;
  readonly below: number;
  readonly rungs: ReportedRung[];
  best: Kept | undefined;
  /** The rung whose answer the reader has received, if any. */
  shown: number | undefined;
  failure: unknown;
  /** Why the climb ended before the last rung. */
  ended: string | undefined;
}

export interface LadderParts {
  readonly gateway: Gateway;
  readonly clock: Clock;
  readonly evaluator: Evaluator;
  readonly rule: EscalationRule;
  readonly live: boolean;
}

const THRESHOLD = 0.7;
/** Scores are products of fractions: two that differ by less are equal. */
const TOLERANCE = 1e-9;

const reaches = (score: number | null, least: number): boolean => (score ?? 0) >= least - TOLERANCE;

const NOTICE = 'A better answer replaces this one.';

export async function* climb(parts: LadderParts, call: Call, next: Handler): AsyncGenerator<ModelEvent> {
  const { rule, live } = parts;
  const state: Climb = {
    call,
    rule,
    below: rule.below ?? THRESHOLD,
    rungs: [],
    best: undefined,
    shown: undefined,
    failure: undefined,
    ended: undefined,
  };
  for (let rung = 0; rung <= rule.to.length && !isDone(state, parts.clock); rung += 1) {
    const request = requestOf(state, rung);
    if (rung > 0 && skipped(state, parts.gateway, request, rung)) continue;
    if (state.shown !== undefined) yield { type: 'restart', notice: NOTICE };
    state.shown = undefined;
    for await (const event of attempt(state, parts.evaluator, rung, next({ ...call, request }))) {
      if (live) state.shown = rung;
      if (live) yield event;
    }
  }
  yield* keep(state);
}

function requestOf({ call, rule, best }: Climb, rung: number): ModelRequest {
  const to = rule.to[rung - 1];
  if (to === undefined) return call.request;
  const request = requestFor(call.request, to);
  const draft = best === undefined ? '' : draftOf(best.answer);
  return rule.context === 'with-draft' && request.operation === 'chat' && draft !== ''
    ? withDraft(request, draft)
    : request;
}

/** True when the climb is over; sets `ended` to the reason where rungs were left. */
function isDone(state: Climb, clock: Clock): boolean {
  const { best, call } = state;
  if (call.signal.aborted) throw abortError(call.signal);
  if (best !== undefined && (best.verdict.score === null || reaches(best.verdict.score, state.below))) return true;
  if (state.ended === undefined && call.deadline !== undefined && clock.now() >= call.deadline) {
    state.ended = 'the deadline passed';
  }
  return state.ended !== undefined;
}

/** Skips rungs whose model has already answered, because it would give the same answer. */
function skipped(state: Climb, gateway: Gateway, request: ModelRequest, rung: number): boolean {
  const target = targetOf(gateway, request);
  const answered = state.rungs.some(
    (one) => one.score !== null && target !== undefined && sameModel(one.target, target),
  );
  if (target === undefined || !answered) return false;
  state.rungs[rung] = { target, score: null, reasons: ['skipped: this model has already answered'], costNanoUsd: 0 };
  return true;
}

async function* attempt(
  state: Climb,
  evaluator: Evaluator,
  rung: number,
  stream: AsyncIterable<ModelEvent>,
): AsyncGenerator<ModelEvent> {
  const { call, rungs } = state;
  const before = call.trace.attempts.length;
  try {
    const answer = yield* tryRung(call, stream);
    const verdict = await evaluated(evaluator, call, answer.response);
    const { target } = answer.response;
    rungs[rung] = { target, score: verdict.score, reasons: verdict.reasons, costNanoUsd: answer.costNanoUsd };
    const { best } = state;
    if (best === undefined || reaches(verdict.score, best.verdict.score ?? 0)) state.best = { rung, answer, verdict };
  } catch (error) {
    // Once an answer can be kept, a failing rung does not fail the call.
    if (call.signal.aborted || (rung === 0 && isOfCaller(error))) throw error;
    const { code, message } = asPolyphonyError(error);
    const attempts = call.trace.attempts.slice(before);
    const target = attempts.at(-1)?.target ?? { provider: 'none', model: state.rule.to[rung - 1] ?? 'as asked' };
    rungs[rung] = { target, score: null, reasons: [`${code}: ${message}`], costNanoUsd: costOfAttempts(attempts) };
    state.failure ??= error;
    if (code === 'budget-exceeded') state.ended = 'the budget is spent';
  }
}

/** Emits the best answer, unless the reader already has it, and ends with its finish. */
async function* keep(state: Climb): AsyncGenerator<ModelEvent> {
  const { best, shown } = state;
  if (best === undefined)
    throw (
      state.failure ??
      new PolyphonyError('no-route', 'No rung of the escalation could be tried: name other models in "to".')
    );
  if (shown !== undefined && shown !== best.rung) yield { type: 'restart', notice: NOTICE };
  if (shown !== best.rung) yield* best.answer.events;
  if (wasNotJudged(best.verdict)) {
    const message = `The answer was kept without a verdict by "${state.rule.evaluator}": ${best.verdict.reasons[0]}`;
    yield { type: 'warning', warning: { code: 'not-judged', message } };
  } else if (best.verdict.score !== null && !reaches(best.verdict.score, state.below)) {
    const message = `No answer was good enough for "${state.rule.evaluator}": ${reasonOf(state, best.verdict)}.`;
    yield { type: 'warning', warning: { code: 'escalation-below', message } };
  }
  yield finishOf(state, best);
}

function finishOf(state: Climb, { answer, verdict, rung }: Kept): FinishEvent {
  const escalation: EscalationReport = {
    rung,
    evaluator: state.rule.evaluator,
    score: verdict.score,
    reason: reasonOf(state, verdict),
    rungs: state.rungs,
  };
  return { ...answer.finish, costNanoUsd: answer.costNanoUsd, escalation };
}

function reasonOf({ below, ended }: Climb, { score, reasons }: Verdict): string {
  if (score === null) return reasons[0] ?? 'not judged';
  if (reaches(score, below)) return `scored ${score.toFixed(2)}, at least ${below}`;
  return `the highest score was ${score.toFixed(2)}, below ${below}: ${ended ?? 'no rung is left'}`;
}
