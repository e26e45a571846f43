/** One gateway call for a node: what it is charged to, its cost even when it failed, and the node's request fields. */

import { defined } from '../core/defined.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { CallOptions, Gateway } from '../core/gateway.ts';
import type { CallTrace, Intent, ModelChoice, ModelResponse, RequestLimits, Usage } from '../core/model/model.ts';
import { timeLimitsOf } from '../core/plan/steps.ts';
import type { NodeCall, NodeOutput } from '../core/run/engine.ts';
import { chargeOf, chargeOfAttempts, withCharge } from '../runs/state/charge.ts';

/**
 * Of the next call, which is counted. A node that runs again has the same `id`, and so writes the same ledger rows.
 *
 * @throws limit-exceeded
 */
export function callOptions(call: NodeCall, id: string, trace: CallTrace): CallOptions {
  call.count?.('calls');
  const { signal, scopes, session, requestId, isAwaited } = call;
  return { signal, scopes, id, trace, ...defined({ session, requestId, isAwaited }) };
}

/**
 * A call of a node that may wait for a batch: its deadline is the end of what the node and the run may take, and it leaves its slot
 * to others meanwhile. Any other call is made as it is.
 */
export async function unhurried<R extends { readonly limits?: RequestLimits }, T>(
  { call, gateway, request, options }: Unhurried<R>,
  make: (request: R, options: CallOptions) => Promise<T>,
): Promise<T> {
  const { urgency } = call.node;
  if (urgency === undefined) return make(request, options);
  const leftMs = call.timeLeftMs?.() ?? Number.POSITIVE_INFINITY;
  const ms = Math.min(request.limits?.ms ?? leftMs, Math.max(1, Math.floor(leftMs)));
  const limited = ms === Number.POSITIVE_INFINITY ? request : { ...request, limits: { ...request.limits, ms } };
  // Where nothing is collected the call is made at once, and counts as any other.
  const workOn = gateway.batches === undefined ? undefined : call.standBy?.();
  try {
    return await make(limited, { ...options, urgency });
  } finally {
    await workOn?.();
  }
}

interface Unhurried<R> {
  readonly call: NodeCall;
  readonly gateway: Gateway;
  readonly request: R;
  readonly options: CallOptions;
}

/** The fields that the node sets in each of its requests. */
export function requestFields(call: NodeCall) {
  const { node, sensitivity, cache } = call;
  const limits = limitsOf(call);
  const escalate = node.escalate && escalateOf(node.escalate);
  const asked = node.model === undefined ? undefined : modelFields(node.model);
  return defined({ model: asked?.model, intent: asked?.intent, limits, escalate, sensitivity, cache });
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Zod's optional fields may hold undefined, the contract's may not. */
function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>;
}

/** The engine has put the names that data decides in the place of references. A plan has the bounds of a call beside its model. */
function modelFields({ intent, ...model }: NonNullable<NodeCall['node']['model']>): {
  readonly model?: ModelChoice;
  readonly intent?: string | Intent;
} {
  if (intent === undefined) return { model: withoutUndefined(model as ModelChoice) };
  const isChosen = Object.keys(model).length > 0;
  return { intent, ...(isChosen ? { model: withoutUndefined(model as ModelChoice) } : {}) };
}

const escalateOf = (rule: NonNullable<NodeCall['node']['escalate']>) => withoutUndefined(rule);

function limitsOf({ node }: NodeCall): RequestLimits | undefined {
  const { usd, retries } = node.limits ?? {};
  const { seconds, attemptSeconds } = timeLimitsOf(node);
  if (usd === undefined && seconds === undefined && attemptSeconds === undefined && retries === undefined)
    return undefined;
  return defined({
    usd,
    ms: seconds === undefined ? undefined : seconds * 1000,
    attemptMs: attemptSeconds === undefined ? undefined : attemptSeconds * 1000,
    retries,
  });
}

/** Runs one gateway call; a failure carries the cost of its attempts. */
export async function charged<T>(run: (trace: CallTrace) => Promise<T>): Promise<T> {
  const trace: CallTrace = { attempts: [] };
  try {
    return await run(trace);
  } catch (error) {
    if (chargeOf(error).costNanoUsd !== 0) throw error;
    throw withCharge(error, chargeOfAttempts(trace.attempts));
  }
}

/** The output of a node: `value`, with what the response says about it. */
export function outputOf(value: unknown, response: ModelResponse): NodeOutput {
  const { target, costNanoUsd, escalation, warnings } = response;
  const confidence = response.confidence ?? escalation?.score ?? undefined;
  return {
    value,
    usage: paidUsage(response),
    costNanoUsd,
    model: response.model ?? target.model,
    provider: target.provider,
    ...(confidence === undefined ? {} : { confidence }),
    ...(escalation === undefined ? {} : { escalation }),
    warnings,
  };
}

/** The tokens that the cost covers: those of all attempts. `usage` of a response covers only the one that answered. */
export function paidUsage({ attempts, usage }: ModelResponse): Usage {
  return attempts.length > 1 ? (chargeOfAttempts(attempts).usage ?? usage) : usage;
}

/** Reports to the run that a later rung of an escalation answered. */
export function reportEscalation(call: NodeCall, { escalation }: ModelResponse): void {
  if (escalation !== undefined && escalation.rung > 0) call.report({ type: 'node-escalated', escalation });
}

/** The output of an operation. Throws invalid-output when there is none. */
export function operationOutput<K extends NonNullable<ModelResponse['output']>['operation']>(
  response: ModelResponse,
  operation: K,
): Extract<NonNullable<ModelResponse['output']>, { operation: K }> {
  const { output, target } = response;
  if (output?.operation === operation) return output as Extract<typeof output, { operation: K }>;
  const message = `${target.provider}/${target.model} returned no result for the operation "${operation}": try another model.`;
  throw withCharge(new PolyphonyError('invalid-output', message), chargeOfAttempts(response.attempts));
}
