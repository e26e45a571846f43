/**
 * Makes a request fit a target that does not support all of it natively, with a warning per change: a schema becomes part of
 * the prompt, system messages become user messages, and parameters that the model does not support are dropped. A preferred
 * length of the answer becomes the limit that this model can keep. Where it is allowed, tools become part of the prompt too, and
 * messages are left out of a conversation that is too long.
 */
import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import type {
  Attempt,
  Capability,
  ChatRequest,
  Handler,
  Message,
  Middleware,
  ModelEvent,
  ModelRequest,
  Warning,
} from '../../core/model/model.ts';
import type { ModelCard, Transport } from '../../core/model/provider.ts';
import { sendableJson } from '../../kit/json/sendable-json.ts';
import { observe, type StreamObserver } from '../../kit/streams/observe.ts';
import { withInstruction } from '../calls/instruction.ts';
import { maskOf } from '../calls/requirements.ts';
import { nameOf } from '../calls/target.ts';
import { answerLimit } from '../routing/estimate.ts';
import type { Deployment, Registry } from '../routing/registry.ts';
import { type Relaxed, relaxedOf } from '../routing/tools/relaxed.ts';
import { unsupportedTools } from '../routing/tools/tool-support.ts';
import { promptedAnswer } from './adapt/prompted-answer.ts';
import { withPromptedTools } from './adapt/prompted-tools.ts';
import { fitted, fittedByEstimate, mayExceed } from './adapt/window.ts';
import { ANSWER_LIMITS } from './answer-limits.ts';
import { isWatched, watched } from './watch-answer.ts';

export interface Adapted {
  readonly request: ChatRequest;
  readonly warnings: readonly Warning[];
}

interface Draft {
  request: ChatRequest;
  readonly warnings: Warning[];
  readonly model: string;
  /** Names of the tools that the prompt describes; undefined for a model with tools of its own. */
  prompted: ReadonlySet<string> | undefined;
}

export interface AdaptParts {
  readonly registry: () => Registry;
  readonly config: () => Config;
  readonly transport: Transport;
  readonly clock: Clock;
}

export function adapt(parts: AdaptParts): Middleware<Attempt> {
  return (attempt, next) => {
    const { request } = attempt;
    const deployment = request.operation === 'chat' ? parts.registry().find(attempt.target) : undefined;
    if (request.operation !== 'chat' || deployment === undefined) return next(attempt);
    const config = parts.config();
    const relaxed = relaxedOf(request, config);
    const isLong = relaxed?.window === true && mayExceed(request, deployment.card);
    if (!isLong && request.answerTokens === undefined && fits(request, deployment))
      return asked(attempt, request, next);
    const draft = draftOf(request, deployment, relaxed);
    const send = (): AsyncIterable<ModelEvent> => {
      draft.request = limited(draft.request, deployment.card);
      return sendDraft(draft, attempt, request, config, next);
    };
    if (isLong) return observe(new FittedAttempt(parts, attempt, deployment, draft, send));
    if (draft.warnings.length === 0) return send();
    return observe({ open: send, head: draft.warnings.map(asEvent) });
  };
}

const asEvent = (warning: Warning): ModelEvent => ({ type: 'warning', warning });

/** The answer is watched for what the caller asked, whatever became of the request. */
function asked(attempt: Attempt, request: ChatRequest, next: Handler<Attempt>): AsyncIterable<ModelEvent> {
  if (!isWatched(request)) return next(attempt);
  return watched({ ...attempt, request }, () => next(attempt));
}

function sendDraft(
  { request, prompted }: Draft,
  attempt: Attempt,
  given: ChatRequest,
  config: Config,
  next: Handler<Attempt>,
): AsyncIterable<ModelEvent> {
  const sent = request === given ? attempt : { ...attempt, request };
  if (prompted === undefined) return asked(sent, given, next);
  const { toolCalls = ANSWER_LIMITS.toolCalls } = config.limits?.answers ?? {};
  return asked(sent, given, () => promptedAnswer(sent, prompted, toolCalls, next));
}

/** The attempt waits for the provider's count of its tokens, so it begins later than others. */
class FittedAttempt implements StreamObserver {
  readonly #parts: AdaptParts;
  readonly #attempt: Attempt;
  readonly #deployment: Deployment;
  readonly #draft: Draft;
  readonly open: () => AsyncIterable<ModelEvent>;
  head: readonly ModelEvent[] = [];

  constructor(
    parts: AdaptParts,
    attempt: Attempt,
    deployment: Deployment,
    draft: Draft,
    send: () => AsyncIterable<ModelEvent>,
  ) {
    this.#parts = parts;
    this.#attempt = attempt;
    this.#deployment = deployment;
    this.#draft = draft;
    this.open = send;
  }

  async start(): Promise<void> {
    const { transport, clock } = this.#parts;
    const context = { transport, clock, report: (): void => {} };
    const draft = this.#draft;
    const result = await fitted(draft.request, { attempt: this.#attempt, deployment: this.#deployment, context });
    draft.request = result.request;
    if (result.warning !== undefined) draft.warnings.push(result.warning);
    this.head = draft.warnings.map(asEvent);
  }
}

/** What would be changed in the request for the target, in sentences; lengths by estimate. */
export function adaptationsOf(
  request: ChatRequest,
  deployment: Deployment,
  config: Config,
  nowMs: number,
): readonly string[] {
  const relaxed = relaxedOf(request, config);
  const draft = draftOf(request, deployment, relaxed);
  const long = relaxed?.window === true ? fittedByEstimate(draft.request, deployment, nowMs).warning : undefined;
  return [...draft.warnings, ...(long === undefined ? [] : [long])].map(({ message }) => message);
}

/** Whether the target would be told the tools in its prompt, or sent a part of the conversation. */
export function isRelaxedFor(request: ModelRequest, deployment: Deployment, config: Config, nowMs: number): boolean {
  const relaxed = relaxedOf(request, config);
  if (request.operation !== 'chat' || relaxed === undefined) return false;
  const { card } = deployment;
  if (relaxed.tools && (request.tools ?? []).length > 0 && !can(card, 'tools')) return true;
  if (!relaxed.window || !mayExceed(request, card)) return false;
  return fittedByEstimate(request, deployment, nowMs).warning !== undefined;
}

/** The request as this target supports it, with a warning per change, for one that is neither shortened nor told its tools in the prompt. */
export function adapted(request: ChatRequest, deployment: Deployment): Adapted {
  const draft = draftOf(request, deployment, undefined);
  return { request: limited(draft.request, deployment.card), warnings: draft.warnings };
}

function draftOf(request: ChatRequest, deployment: Deployment, relaxed: Relaxed | undefined): Draft {
  const draft: Draft = { request, warnings: [], model: nameOf(deployment.target), prompted: undefined };
  const { card } = deployment;
  adaptTools(draft, card, relaxed);
  adaptSchema(draft, card);
  adaptSystem(draft, card);
  dropParameters(draft, deployment);
  return draft;
}

function limited(request: ChatRequest, card: ModelCard): ChatRequest {
  const limit = answerLimit(request, card);
  if (limit === undefined) return request;
  // A new field stands before the copy: see docs/decisions/objects-of-a-call.md.
  return 'maxOutputTokens' in request ? { ...request, maxOutputTokens: limit } : { maxOutputTokens: limit, ...request };
}

/** The common case: the model supports all that could be adapted, or all of it that the request has. */
function fits(request: ChatRequest, { mask, card }: Deployment): boolean {
  if ((mask & ALL) !== ALL && (adaptable(request) & ~mask) !== 0) return false;
  return request.tools === undefined || (card.toolSupport === undefined && (mask & TOOLS) !== 0);
}

const OUTPUT = maskOf(['json-schema', 'json-mode']);
const SYSTEM = maskOf(['system']);
const TEMPERATURE = maskOf(['temperature']);
const TOP = maskOf(['top-p']);
const SEED = maskOf(['seed']);
const STOP = maskOf(['stop']);
const PENALTIES = maskOf(['penalties']);
const ALL = OUTPUT | SYSTEM | TEMPERATURE | TOP | SEED | STOP | PENALTIES;

/** What would be adapted for a model without it. Each field by its name: a loop over names costs several times as much. */
function adaptable(request: ChatRequest): number {
  let mask = request.output === undefined ? 0 : OUTPUT;
  if (request.messages.some(isSystem)) mask |= SYSTEM;
  if (request.temperature !== undefined) mask |= TEMPERATURE;
  if (request.topP !== undefined || request.topK !== undefined) mask |= TOP;
  if (request.seed !== undefined) mask |= SEED;
  if (request.stop !== undefined) mask |= STOP;
  if (request.presencePenalty !== undefined || request.frequencyPenalty !== undefined) mask |= PENALTIES;
  return mask;
}

const isSystem = ({ role }: Message): boolean => role === 'system';

const TOOLS = maskOf(['tools']);

const can = (card: ModelCard, capability: Capability): boolean => card.capabilities.includes(capability);

function adaptTools(draft: Draft, { capabilities, toolSupport }: ModelCard, relaxed: Relaxed | undefined): void {
  const { request } = draft;
  const { tools = [] } = request;
  if (tools.length === 0) return;
  if (!capabilities.includes('tools')) {
    if (relaxed?.tools !== true) return;
    const { request: given, instruction } = withPromptedTools(request);
    draft.prompted = new Set(instruction === undefined ? [] : tools.map(({ name }) => name));
    draft.request =
      instruction === undefined ? given : { ...given, messages: withInstruction(given.messages, instruction) };
    warn(draft, 'tools-in-prompt', 'has no tools of its own, so the prompt describes them.');
  } else if (toolSupport !== undefined) {
    for (const failed of unsupportedTools(request, toolSupport)) {
      warn(draft, 'tool-schema', `${failed}, by what is known of it: it may call them wrongly.`);
    }
  }
}

function adaptSchema(draft: Draft, card: ModelCard): void {
  const { output } = draft.request;
  if (output === undefined || can(card, output.schema === undefined ? 'json-mode' : 'json-schema')) return;
  const wanted =
    output.schema === undefined
      ? 'Answer with one JSON value and nothing else: no prose, no code fence.'
      : `Answer with one JSON value that matches this JSON Schema and nothing else: no prose, no code fence.\n${sendableJson(output.schema)}`;
  const { output: _native, ...rest } = draft.request;
  const kept: ChatRequest = can(card, 'json-mode') ? { ...rest, output: { type: 'json' } } : rest;
  draft.request = { ...kept, messages: withInstruction(kept.messages, wanted) };
  const lacking = output.schema === undefined ? 'JSON mode' : 'JSON Schema';
  warn(draft, 'schema-in-prompt', `does not support ${lacking}, so the prompt now asks for the format.`);
}

function adaptSystem(draft: Draft, card: ModelCard): void {
  if (can(card, 'system') || !draft.request.messages.some(isSystem)) return;
  const messages = draft.request.messages.map(
    (message): Message => (message.role === 'system' ? { ...message, role: 'user' } : message),
  );
  draft.request = { ...draft.request, messages };
  warn(draft, 'system-as-user', 'does not support system messages, so they were sent as user messages.');
}

/** The parameters that each capability covers. */
const PARAMETERS: readonly (readonly [capability: number, readonly (keyof ChatRequest)[]])[] = [
  [TEMPERATURE, ['temperature']],
  [TOP, ['topP', 'topK']],
  [SEED, ['seed']],
  [STOP, ['stop']],
  [PENALTIES, ['presencePenalty', 'frequencyPenalty']],
];

function dropParameters(draft: Draft, { mask }: Deployment): void {
  for (const [capability, names] of PARAMETERS) {
    if ((mask & capability) !== 0) continue;
    const given = names.filter((name) => draft.request[name] !== undefined);
    if (given.length === 0) continue;
    draft.request = without(draft.request, given);
    warn(draft, 'parameter-dropped', `does not support ${given.join(' or ')}: dropped from the request.`);
  }
}

function without(request: ChatRequest, names: readonly (keyof ChatRequest)[]): ChatRequest {
  const { operation, messages, ...rest } = request;
  const kept = Object.entries(rest).filter(([name]) => !names.some((dropped) => dropped === name));
  return { ...Object.fromEntries(kept), operation, messages };
}

function warn(draft: Draft, code: string, what: string): void {
  draft.warnings.push({ code, message: `${draft.model} ${what}` });
}
