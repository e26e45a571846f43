/** One call of the gateway for a node: who pays, what it cost even when it failed, what the node's fields ask for. */

import { PolyphonyError } from '../core/errors.ts';
import type { CallOptions } from '../core/gateway.ts';
import type { CallTrace, ModelResponse, RequestLimits, Usage } from '../core/model/model.ts';
import type { NodeCall, NodeOutput } from '../core/run/engine.ts';
import { chargeOf, chargeOfAttempts, withCharge } from '../runs/state/charge.ts';

/** `id` makes the ledger rows of a node that runs again the same rows. */
export function callOptions(call: NodeCall, id: string, trace: CallTrace): CallOptions {
  const { signal, scopes, session, level: _level } = call;
  return { signal, scopes, id, trace, ...(session === undefined ? {} : { session }) };
}

/** What the node says about every request of it. */
export function requestFields(call: NodeCall) {
  const { node, sensitivity, cache } = call;
  const limits = limitsOf(call);
  return {
    ...(node.model === undefined ? {} : { model: modelOf(node.model) }),
    ...(limits === undefined ? {} : { limits }),
    ...(node.escalate === undefined ? {} : { escalate: escalateOf(node.escalate) }),
    ...(sensitivity === undefined ? {} : { sensitivity }),
    ...(cache === undefined ? {} : { cache }),
  };
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Zod's optional fields may hold undefined, the contract's may not. */
function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Defined<T>;
}

const modelOf = (model: NonNullable<NodeCall['node']['model']>) => withoutUndefined(model);
const escalateOf = (rule: NonNullable<NodeCall['node']['escalate']>) => withoutUndefined(rule);

function limitsOf({ node }: NodeCall): RequestLimits | undefined {
  const { usd, seconds, retries } = node.limits ?? {};
  if (usd === undefined && seconds === undefined && retries === undefined) return undefined;
  return {
    ...(usd === undefined ? {} : { usd }),
    ...(seconds === undefined ? {} : { ms: seconds * 1000 }),
    ...(retries === undefined ? {} : { retries }),
  };
}

/** Runs one gateway call; a failure carries what its attempts cost. */
export async function charged<T>(run: (trace: CallTrace) => Promise<T>): Promise<T> {
  const trace: CallTrace = { attempts: [] };
  try {
    return await run(trace);
  } catch (error) {
    if (chargeOf(error).costNanoUsd !== 0) throw error;
    throw withCharge(error, chargeOfAttempts(trace.attempts));
  }
}

/** What the response says beside its value. */
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

/** The tokens that the cost is for: of every attempt, while `usage` is that of the one that answered. */
export function paidUsage({ attempts, usage }: ModelResponse): Usage {
  return attempts.length > 1 ? (chargeOfAttempts(attempts).usage ?? usage) : usage;
}

/** Tells the run about a ladder that was climbed. */
export function reportEscalation(call: NodeCall, { escalation }: ModelResponse): void {
  if (escalation !== undefined && escalation.rung > 0) call.report({ type: 'node-escalated', escalation });
}

/** The output of an operation, or why there is none. */
export function operationOutput<K extends NonNullable<ModelResponse['output']>['operation']>(
  response: ModelResponse,
  operation: K,
): Extract<NonNullable<ModelResponse['output']>, { operation: K }> {
  const { output, target } = response;
  if (output?.operation === operation) return output as Extract<typeof output, { operation: K }>;
  const message = `${target.provider}/${target.model} returned no result for the operation "${operation}": try another model.`;
  throw withCharge(new PolyphonyError('invalid-output', message), chargeOfAttempts(response.attempts));
}
