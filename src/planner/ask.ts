/** One call of a planner's model, and what it cost. */
import { abortError, errorRecord } from '../core/errors.ts';
import type { CallOptions, Gateway } from '../core/gateway.ts';
import type { AttemptRecord, CallTrace, ChatRequest, ModelEvent, ModelResponse, Warning } from '../core/model/model.ts';
import { collect, totalCost } from '../core/model/response.ts';
import { addMoney } from '../core/money/money.ts';
import { addUsage, NO_USAGE, type Paid, usageOfAttempts } from '../core/money/usage.ts';
import type { PlannerAnswer, PlanningPreview } from '../core/plan/planner.ts';
import type { Catalogue, Validate, Validation } from '../core/plan/validation.ts';
import { nameOf, type PlannerModel } from './choice.ts';
import type { Listener } from './drafts.ts';
import { plainStream } from './form/plain-stream.ts';
import { formFields, isPlanIn, type PlanForm, planText, shapeOf, writtenIn } from './form/plan-form.ts';
import { isRefusal, mayAnotherHelp, type RefusedForms } from './form/refused-forms.ts';
import { pinnedPlanner } from './pinned-planner.ts';
import type { Preparation } from './preparation.ts';
import { namedError, type Repair } from './repair.ts';

export interface Asking {
  readonly gateway: Gateway;
  readonly catalogue: Catalogue;
  readonly validate: Validate;
  readonly options: CallOptions;
  readonly listener: Listener;
  readonly request: string;
  readonly refused: RefusedForms;
}

export interface Round {
  readonly round: number;
  /** In the order in which they are tried. Undefined: the pinned model. Empty: the router says why there is none. */
  readonly planners: readonly PlannerModel[] | undefined;
  readonly repair: Repair | undefined;
  /** What was paid before for this round: it is reported with it. */
  readonly before: Paid;
}

/** The response, and the plan in it in the form of the format. */
export interface Asked {
  readonly response: ModelResponse;
  readonly text: string;
  /** A provider refused the schema. @default none did */
  readonly warnings: readonly Warning[];
}

/** Most planners that one call tries. */
const MOST_TRIED = 8;

/**
 * Asks the planners in their order, those that write one form in one call. Where a provider refuses the schema, the same planners
 * are asked once more for plain JSON. Streams only when somebody listens to the text.
 */
export async function ask(preparation: Preparation, asked: Round, asking: Asking): Promise<Asked> {
  const { planners, before, round } = asked;
  const signal = asking.options.signal ?? new AbortController().signal;
  if (signal.aborted) throw abortError(signal);
  // Awaited only where there is something to wait for: a call that may be made is sent before another one exceeds the limit.
  const called = asking.listener.onCall?.();
  if (called !== undefined) await called;
  // A trace of its own, so that the response's cost is that of this round only.
  const calling: Calling = { trace: { attempts: [] }, signal, isTold: false, warnings: [] };
  try {
    return await askInTurn(turnsOf(preparation, planners, asking.refused), calling, preparation, asked, asking);
  } catch (error) {
    // The cost of an answer that never came is reported too.
    const { attempts } = calling.trace;
    if (attempts.length > 0 || before.costNanoUsd !== 0) {
      const paid = sumOf(before, paidFor(attempts));
      await asking.listener.onAnswer?.({ round, ...paid, error: errorRecord(error), ...toldOf(calling.warnings) });
    }
    const [first] = planners ?? [];
    const { model } = preparation.choice.rules;
    const isPinned = first === undefined && model !== undefined;
    throw namedError(error, first === undefined ? model : nameOf(first.target), isPinned);
  }
}

/** One call: planners that write the same form, each the next choice after the one before. */
interface Turn {
  readonly form: PlanForm;
  /** Undefined: the pinned model. Empty: the router says why there is none. */
  readonly planners: readonly PlannerModel[] | undefined;
}

function turnsOf(
  { choice }: Preparation,
  planners: readonly PlannerModel[] | undefined,
  refused: RefusedForms,
): readonly Turn[] {
  const formOf = (model: PlannerModel): PlanForm => (refused.has(model.target) ? 'json' : model.form);
  if (planners === undefined || planners.length === 0) {
    const forms = new Set(choice.planners.map(formOf));
    const [only = 'json'] = forms;
    return [{ form: planners === undefined && forms.size === 1 ? only : 'json', planners }];
  }
  const turns: { form: PlanForm; planners: PlannerModel[] }[] = [];
  for (const planner of planners.slice(0, MOST_TRIED)) {
    const last = turns.at(-1);
    if (last?.form === formOf(planner)) last.planners.push(planner);
    else turns.push({ form: formOf(planner), planners: [planner] });
  }
  return turns;
}

/** How the first one that is asked would write the plan. */
export function formAsked(preparation: Preparation, refused: RefusedForms): PlanningPreview['form'] {
  const { planners, rules } = preparation.choice;
  const [first] = turnsOf(preparation, rules.model === undefined ? planners : undefined, refused);
  const name = first?.form ?? 'json';
  return { name, tokens: preparation.forms.tokens[name] };
}

/** What the calls of one round share. */
interface Calling {
  readonly trace: CallTrace;
  readonly signal: AbortSignal;
  /** Something of an answer was passed on, so no other planner may begin another one unseen. */
  isTold: boolean;
  /** Of providers that refused the schema. */
  readonly warnings: Warning[];
}

const toldOf = (warnings: readonly Warning[]): Pick<PlannerAnswer, 'warnings'> =>
  warnings.length === 0 ? {} : { warnings };

async function askInTurn(
  turns: readonly Turn[],
  calling: Calling,
  preparation: Preparation,
  round: Round,
  asking: Asking,
): Promise<Asked> {
  const { warnings } = calling;
  let failure: unknown;
  for (const [place, turn] of turns.entries()) {
    try {
      return { ...(await askOnce(turn, calling, preparation, round, asking)), warnings };
    } catch (error) {
      failure ??= error;
      if (calling.isTold || calling.signal.aborted) break;
      if (turn.form !== 'json' && isRefusal(error)) {
        const rest = turn.planners === undefined ? undefined : turns.slice(place).flatMap((one) => one.planners ?? []);
        // Those before the last attempt failed otherwise, and left the request to the next one.
        const target =
          calling.trace.attempts.at(-1)?.target ?? (turn.planners ?? preparation.choice.planners)[0]?.target;
        if (target !== undefined) warnings.push(asking.refused.add(target, turn.form));
        const plain = await askOnce({ form: 'json', planners: rest }, calling, preparation, round, asking);
        return { ...plain, warnings };
      }
      if (!mayAnotherHelp(error)) break;
    }
  }
  throw failure;
}

async function askOnce(
  { form, planners }: Turn,
  calling: Calling,
  { chat, choice, forms }: Preparation,
  { repair }: Round,
  asking: Asking,
): Promise<Omit<Asked, 'warnings'>> {
  const { model } = choice.rules;
  const { output: _any, ...rest } = chat;
  const request: ChatRequest = {
    ...rest,
    ...formFields(form, repair?.wanted ?? 'plan', forms),
    messages: [...chat.messages, ...(repair?.messages ?? [])],
    ...(planners === undefined && model !== undefined ? { model: pinnedPlanner(model, asking.catalogue) } : {}),
  };
  const order = planners?.map(({ target }) => target) ?? [];
  const options: CallOptions = {
    ...asking.options,
    signal: calling.signal,
    trace: calling.trace,
    purpose: 'planner',
    ...(order.length === 0 ? {} : { order }),
  };
  const { gateway, listener } = asking;
  const isStreamed = listener.onDelta !== undefined || listener.onPlanText !== undefined;
  const response = isStreamed
    ? await collect(watch(gateway.stream(request, options), form, calling, asking), calling)
    : await gateway.call(request, options);
  return { response, text: planText(response, form) };
}

async function* watch(
  events: AsyncIterable<ModelEvent>,
  form: PlanForm,
  calling: Calling,
  { listener, catalogue }: Asking,
): AsyncGenerator<ModelEvent> {
  const shape = shapeOf(form);
  const stream = shape === undefined ? undefined : plainStream(shape, catalogue.bounds.bytes);
  for await (const event of events) {
    const text = writtenIn(event, form);
    if (text !== undefined) calling.isTold = true;
    const told = text === undefined ? restarted(listener, event) : listener.onDelta?.(text);
    // A promise only where the listener gave one, so that a plain one costs the stream nothing.
    if (told !== undefined) await told;
    if (text !== undefined && isPlanIn(event, form)) listener.onPlanText?.(stream?.push(text) ?? text);
    yield event;
  }
}

const restarted = (listener: Listener, { type }: ModelEvent): unknown =>
  type === 'restart' ? listener.onRestart?.() : undefined;

/** Most issues that a listener is given per answer. */
const MAX_REPORTED_ISSUES = 40;

export const paidFor = (attempts: readonly AttemptRecord[]): Paid => ({
  costNanoUsd: totalCost(attempts),
  usage: usageOfAttempts(attempts),
});

export const sumOf = (a: Paid, b: Paid): Paid => ({
  costNanoUsd: addMoney(a.costNanoUsd, b.costNanoUsd),
  usage: addUsage(a.usage ?? NO_USAGE, b.usage),
});

export async function reportAnswer(
  { onAnswer }: Listener,
  round: number,
  paid: Paid,
  {
    validation: { plan, issues },
    warnings,
  }: { readonly validation: Validation; readonly warnings: readonly Warning[] },
): Promise<void> {
  const errors = issues.filter(({ severity }) => severity === 'error').slice(0, MAX_REPORTED_ISSUES);
  await onAnswer?.({ round, ...paid, ...(plan === undefined ? { issues: errors } : {}), ...toldOf(warnings) });
}
