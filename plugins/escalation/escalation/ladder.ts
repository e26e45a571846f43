/**
 * Climbs from rung to rung.
 *
 * E1. The first rung is the request as it was made; each further one the same request for the next of `to`.
 * E2. A next rung is tried only while the best answer is below the threshold, the caller waits and the budget suffices.
 * E3. Every attempt of every rung stays in `call.trace`, so the report contains every cost, whichever answer is kept.
 * E4. No rung asks a model that has already answered, not even as its fallback: it would be paid twice for the same answer. A
 *     rung that has no other model is left out with a warning.
 * E5. The answer with the best score is kept, the later one on a tie. An answer that was not judged ends the climb.
 * E6. Scores that differ by less than 1e-9 are equal: evaluators compute them with rounding errors.
 * E7. An answer that is kept below the threshold has the warning `below-threshold`.
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
  timeLeftMs,
  type Warning,
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
  /** For the response. */
  readonly warnings: Warning[];
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
const SAME_SCORE = 1e-9;
const NOTICE = 'A better answer replaces this one.';

export async function* climb(parts: LadderParts, call: Call, next: Handler): AsyncGenerator<ModelEvent> {
  const { rule, live } = parts;
  const state: Climb = {
    call,
    rule,
    below: rule.below ?? THRESHOLD,
    rungs: [],
    warnings: [],
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
    for await (const event of attempt(state, parts.evaluator, rung, next(rungCall(state, request)))) {
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

/** The call of a rung, which excludes the models that have answered. */
function rungCall({ call, rungs }: Climb, request: ModelRequest): Call {
  const answered = rungs.filter(({ score }) => score !== null);
  if (answered.length === 0) return { ...call, request };
  const spent = answered.map(({ target: { provider, model } }) => ({ provider, model }));
  return { ...call, request, exclude: [...(call.exclude ?? []), ...spent] };
}

/** True when the climb is over; sets `ended` to the reason where rungs were left. */
function isDone(state: Climb, clock: Clock): boolean {
  const { best, call } = state;
  if (call.signal.aborted) throw abortError(call.signal);
  if (best !== undefined && (best.verdict.score === null || isAtLeast(best.verdict.score, state.below))) return true;
  if (state.ended === undefined && timeLeftMs(call, clock) <= 0) {
    state.ended = 'the deadline passed';
  }
  return state.ended !== undefined;
}

/** Skips rungs whose model has already answered, because it would give the same answer. */
function skipped(state: Climb, gateway: Gateway, request: ModelRequest, rung: number): boolean {
  const target = targetOf(gateway, request, state.call);
  const answered = state.rungs.some(
    (one) => one.score !== null && target !== undefined && sameModel(one.target, target),
  );
  if (target === undefined || !answered) return false;
  state.rungs[rung] = { target, score: null, reasons: ['skipped: this model has already answered'], costNanoUsd: 0 };
  const to = state.rule.to[rung - 1];
  const message = `The rung "${to}" was left out, because its model, ${target.provider}/${target.model}, has already answered: register a better model, or name another one.`;
  state.warnings.push({ code: 'rung-skipped', message });
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
    if (best === undefined || isAtLeast(verdict.score ?? 0, best.verdict.score ?? 0))
      state.best = { rung, answer, verdict };
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

const isAtLeast = (score: number, other: number): boolean => score > other - SAME_SCORE;

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
  for (const warning of state.warnings) yield { type: 'warning', warning };
  if (wasNotJudged(best.verdict)) {
    const message = `The answer was kept without a verdict by "${state.rule.evaluator}": ${best.verdict.reasons[0]}`;
    yield { type: 'warning', warning: { code: 'not-judged', message } };
  }
  const { score } = best.verdict;
  if (score !== null && !isAtLeast(score, state.below)) {
    const message = `No answer reached the threshold of "${state.rule.evaluator}", so the best one was kept: ${reasonOf(state, best.verdict)}.`;
    yield { type: 'warning', warning: { code: 'below-threshold', message } };
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
  return Object.assign({}, answer.finish, { costNanoUsd: answer.costNanoUsd, escalation });
}

function reasonOf({ below, ended }: Climb, { score, reasons }: Verdict): string {
  if (score === null) return reasons[0] ?? 'not judged';
  if (isAtLeast(score, below)) return `scored ${score.toFixed(2)}, at least ${below}`;
  return `the highest score was ${score.toFixed(2)}, below ${below}: ${ended ?? 'no rung is left'}`;
}
