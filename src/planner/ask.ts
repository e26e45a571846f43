/** One call of a planner's model, and what it cost. */
import { abortError, errorRecord } from '../core/errors.ts';
import type { CallOptions, Gateway } from '../core/gateway.ts';
import type { AttemptRecord, CallTrace, ChatRequest, Message, ModelEvent, ModelResponse } from '../core/model/model.ts';
import { collect, totalCost } from '../core/model/response.ts';
import { addMoney } from '../core/money/money.ts';
import { addUsage, NO_USAGE, type Paid, usageOfAttempts } from '../core/money/usage.ts';
import type { Catalogue, Validate, Validation } from '../core/plan/validation.ts';
import { nameOf, type PlannerModel } from './choice.ts';
import type { Listener } from './drafts.ts';
import { pinnedPlanner } from './pinned-planner.ts';
import type { Preparation } from './preparation.ts';
import { namedError } from './repair.ts';

export interface Asking {
  readonly gateway: Gateway;
  readonly catalogue: Catalogue;
  readonly validate: Validate;
  readonly options: CallOptions;
  readonly listener: Listener;
  readonly request: string;
}

export interface Round {
  readonly round: number;
  /** In the order in which they are tried. Undefined: the pinned model. Empty: the router says why there is none. */
  readonly planners: readonly PlannerModel[] | undefined;
  readonly repair: readonly Message[];
  /** What was paid before for this round: it is reported with it. */
  readonly before: Paid;
}

/** Most planners that one call tries. */
const MOST_TRIED = 8;

/** Streams only when there is an `onDelta`. */
export async function ask(
  { chat, choice }: Preparation,
  { round, planners, repair, before }: Round,
  asking: Asking,
): Promise<ModelResponse> {
  const { model } = choice.rules;
  const request: ChatRequest = {
    ...chat,
    messages: [...chat.messages, ...repair],
    ...(planners === undefined && model !== undefined ? { model: pinnedPlanner(model, asking.catalogue) } : {}),
  };
  const signal = asking.options.signal ?? new AbortController().signal;
  if (signal.aborted) throw abortError(signal);
  // Awaited only where there is something to wait for: a call that may be made is sent before another one exceeds the limit.
  const called = asking.listener.onCall?.();
  if (called !== undefined) await called;
  // A trace of its own, so that the response's cost is that of this round only.
  const trace: CallTrace = { attempts: [] };
  const order = planners?.slice(0, MOST_TRIED).map(({ target }) => target) ?? [];
  const options: CallOptions = {
    ...asking.options,
    signal,
    trace,
    purpose: 'planner',
    ...(order.length === 0 ? {} : { order }),
  };
  try {
    if (asking.listener.onDelta === undefined) return await asking.gateway.call(request, options);
    return await collect(watch(asking.gateway.stream(request, options), asking.listener), { trace, signal });
  } catch (error) {
    // The cost of an answer that never came is reported too.
    const { attempts } = trace;
    if (attempts.length > 0 || before.costNanoUsd !== 0)
      await asking.listener.onAnswer?.({ round, ...sumOf(before, paidFor(attempts)), error: errorRecord(error) });
    const [first] = planners ?? [];
    throw namedError(error, first === undefined ? model : nameOf(first.target));
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
  { plan, issues }: Validation,
): Promise<void> {
  const errors = issues.filter(({ severity }) => severity === 'error').slice(0, MAX_REPORTED_ISSUES);
  await onAnswer?.({ round, ...paid, ...(plan === undefined ? { issues: errors } : {}) });
}
