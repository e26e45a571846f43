/** Makes a call from a request: adds an id, a signal, the scopes that pay, and a deadline. */
import {
  assertId,
  assertKnownFields,
  assertRequestId,
  assertScopes,
  CALLBACK,
  isFields,
  type KnownFields,
  oneOf,
  SIGNAL,
} from '../../core/checked-options.ts';
import type { Runtime } from '../../core/clock.ts';
import type { Growing } from '../../core/defined.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { CallOptions } from '../../core/gateway.ts';
import {
  type AskedChat,
  type Call,
  type CallTrace,
  type ChatRequest,
  type ModelRequest,
  PRIORITIES,
  type ProviderTool,
  PURPOSES,
  type Scope,
  type Target,
  type ToolDefinition,
} from '../../core/model/model.ts';
import { clockAheadMs } from '../../core/model/time-left.ts';
import { nearest } from '../../language/suggest.ts';
import { callStateOf, newTrace } from './call-state.ts';
import { assertRequest } from './checks/check-request.ts';
import { withLimits } from './request-limits.ts';
import { withMarkedResults } from './untrusted-results.ts';

const NO_SCOPES: readonly Scope[] = [];

const CALLS_PER_SIGNAL = 1000;
/** A property of the signals, not of a call: a thousand calls share one. */
const neverAborted = new WeakSet<AbortSignal>();
let shared: AbortSignal | undefined;
let uses = 0;

/**
 * A signal that nobody can abort, for calls without a signal. Creating one costs 4 µs, so a thousand calls share it. No more
 * than that, because signals derived from it (`AbortSignal.any`) stay attached to it for its life.
 */
function neverAbortedSignal(): AbortSignal {
  if (shared === undefined || uses >= CALLS_PER_SIGNAL) {
    shared = new AbortController().signal;
    neverAborted.add(shared);
    uses = 0;
  }
  uses += 1;
  return shared;
}

/** False for a signal of `neverAbortedSignal`, which needs no listener. */
export const canAbort = (signal: AbortSignal): boolean => !neverAborted.has(signal);

/** Adopts a caller's own trace once; its list of attempts continues to grow. */
const traceOf = ({ trace }: CallOptions): CallTrace => (trace === undefined ? newTrace() : callStateOf({ trace }));

export function callOf(
  given: ModelRequest,
  options: CallOptions = {},
  streaming: boolean,
  { clock, ids }: Runtime,
): Call {
  const checked = withToolsApart(given);
  assertRequest(checked);
  const request = withMarkedResults(withLimits(checked));
  assertCallOptions(options);
  const { session, requestId, urgency, exclude, order, priority, isAwaited } = options;
  const ms = request.limits?.ms;
  const call: Growing<Call> = new PlainCall(options.id ?? ids('call'), request, options, streaming);
  if (session !== undefined) call.session = session;
  if (requestId !== undefined) call.requestId = requestId;
  if (urgency !== undefined) call.urgency = urgency;
  if (exclude !== undefined) call.exclude = exclude;
  if (order !== undefined) call.order = order;
  if (priority !== undefined) call.priority = priority;
  if (isAwaited !== undefined) call.isAwaited = isAwaited;
  if (ms !== undefined) {
    call.deadline = clock.now() + ms;
    call.clockAheadMs = clockAheadMs(clock);
  }
  return call;
}

/** What every call has. A class: see docs/decisions/objects-of-a-call.md. */
class PlainCall implements Call {
  readonly id: string;
  readonly request: ModelRequest;
  readonly signal: AbortSignal;
  readonly purpose: Call['purpose'];
  readonly scopes: readonly Scope[];
  readonly trace: CallTrace;
  readonly streaming: boolean;
  /** Those of its attempts, which are copies of it: a copy with a field that the copied object lacks costs several times as much. */
  readonly target: Target | undefined = undefined;
  readonly number = 0;

  constructor(id: string, request: ModelRequest, options: CallOptions, streaming: boolean) {
    this.id = id;
    this.request = request;
    this.signal = options.signal ?? neverAbortedSignal();
    this.purpose = options.purpose ?? 'answer';
    this.scopes = options.scopes ?? NO_SCOPES;
    this.trace = traceOf(options);
    this.streaming = streaming;
  }
}

/** What a call may be given beside its request, and what each may be. */
export const CALL_FIELDS: KnownFields<CallOptions> = {
  signal: SIGNAL,
  session: true,
  urgency: true,
  scopes: true,
  purpose: oneOf(...PURPOSES),
  priority: oneOf(...PRIORITIES),
  trace: { fits: (value) => isFields(value) && Array.isArray(value.attempts), must: 'the trace of another call' },
  exclude: true,
  order: true,
  isAwaited: CALLBACK,
  requestId: true,
  id: true,
};

/** @throws invalid-request naming the option, its value and the rule */
function assertCallOptions(options: CallOptions): void {
  assertKnownFields('A call', options, CALL_FIELDS, nearest);
  const { id, session, scopes, exclude, order } = options;
  if (id !== undefined) assertId('The id of a call', id, Number.POSITIVE_INFINITY);
  if (session !== undefined) assertId('A session', session);
  if (options.requestId !== undefined) assertRequestId('a call', options.requestId);
  if (options.urgency !== undefined && options.urgency !== 'batch') throw unknownUrgency(options.urgency);
  if (scopes !== undefined) assertScopes(scopes);
  if (exclude !== undefined) assertTargets('exclude', exclude);
  if (order !== undefined) assertTargets('order', order);
}

const unknownUrgency = (urgency: unknown): PolyphonyError =>
  new PolyphonyError(
    'invalid-request',
    `The urgency ${JSON.stringify(urgency)} of a call is unknown: write "batch", or leave it out for a call that is made at once.`,
  );

/** @throws invalid-request: from JavaScript, a name in place of a target would exclude nothing */
function assertTargets(option: string, targets: unknown): void {
  const isTarget = (one: unknown): boolean =>
    typeof one === 'object' && one !== null && 'provider' in one && 'model' in one;
  if (Array.isArray(targets) && targets.every(isTarget)) return;
  throw new PolyphonyError(
    'invalid-request',
    `The option "${option}" must be a list of targets, such as [{ provider, model }]: take them from an answer or an explanation.`,
  );
}

// ---------------------------------------------------------------------------------------------------- tools

/** Takes the provider's own tools out of the list of tools; a request without any is passed on as it is. */
function withToolsApart(asked: ModelRequest | (AskedChat & { readonly operation: 'chat' })): ModelRequest {
  // What is no request at all is refused afterwards, in words.
  if (asked?.operation !== 'chat' || !Array.isArray(asked.tools)) return asked as ModelRequest;
  const listed: readonly (ToolDefinition | ProviderTool)[] = asked.tools;
  if (!listed.some(isProviderTool)) return asked as ChatRequest;
  const { tools: _, ...rest } = asked;
  const chat: ChatRequest = { ...rest, providerTools: listed.filter(isProviderTool) };
  const own = listed.filter((tool): tool is ToolDefinition => !isProviderTool(tool));
  return own.length === 0 ? chat : { ...chat, tools: own };
}

const isProviderTool = (tool: ToolDefinition | ProviderTool): tool is ProviderTool =>
  typeof tool === 'object' && tool !== null && 'type' in tool && tool.type === 'provider';
