/**
 * Makes a request fit a target that does not support all of it natively, with a warning per change: a schema becomes part of
 * the prompt, system messages become user messages, and parameters that the model does not support are dropped. A preferred
 * length of the answer becomes the limit that this model can keep.
 */
import type {
  Attempt,
  Capability,
  ChatRequest,
  Message,
  Middleware,
  ModelEvent,
  Warning,
} from '../../core/model/model.ts';
import type { ModelCard } from '../../core/model/provider.ts';
import { sendableJson } from '../../kit/json/sendable-json.ts';
import { observe } from '../../kit/streams/observe.ts';
import { nameOf } from '../calls/target.ts';
import { answerLimit } from '../routing/estimate.ts';
import type { Deployment, Registry } from '../routing/registry.ts';
import { maskOf } from '../routing/requirements.ts';
import { isWatched, watched } from './watch-answer.ts';

export interface Adapted {
  readonly request: ChatRequest;
  readonly warnings: readonly Warning[];
}

interface Draft {
  request: ChatRequest;
  readonly warnings: Warning[];
  readonly model: string;
}

export function adapt({ registry }: { registry: () => Registry }): Middleware<Attempt> {
  return (attempt, next) => {
    const { request } = attempt;
    const deployment = request.operation === 'chat' ? registry().find(attempt.target) : undefined;
    if (request.operation !== 'chat' || deployment === undefined) return next(attempt);
    const asked = isWatched(request) ? (inner: Attempt) => watched(inner, next) : next;
    if (request.answerTokens === undefined && fits(request, deployment.mask)) return asked(attempt);
    const draft = adapted(request, deployment);
    if (draft.warnings.length === 0)
      return asked(draft.request === request ? attempt : { ...attempt, request: draft.request });
    return observe({
      open: () => asked({ ...attempt, request: draft.request }),
      head: draft.warnings.map((warning): ModelEvent => ({ type: 'warning', warning })),
    });
  };
}

/** The request as this target supports it, with a warning per change. */
export function adapted(request: ChatRequest, { target, card }: Pick<Deployment, 'target' | 'card'>): Adapted {
  const draft: Draft = { request: limited(request, card), warnings: [], model: nameOf(target) };
  adaptSchema(draft, card);
  adaptSystem(draft, card);
  dropParameters(draft, card);
  return draft;
}

function limited(request: ChatRequest, card: ModelCard): ChatRequest {
  const limit = answerLimit(request, card);
  return limit === undefined ? request : { ...request, maxOutputTokens: limit };
}

const ALL = maskOf(['json-schema', 'json-mode', 'system', 'temperature', 'top-p', 'seed', 'stop', 'penalties']);
const WITHOUT_OUTPUT = ALL & ~maskOf(['json-schema', 'json-mode']);

/** The common case, decided without reading a parameter: the model supports everything that could be adapted. */
function fits(request: ChatRequest, mask: number): boolean {
  const all = request.output === undefined ? WITHOUT_OUTPUT : ALL;
  return (mask & all) === all;
}

const can = (card: ModelCard, capability: Capability): boolean => card.capabilities.includes(capability);

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

/** Inserts after the existing system messages, so that prompt caches keep their prefix. */
function withInstruction(messages: readonly Message[], text: string): readonly Message[] {
  const first = messages.findIndex(({ role }) => role !== 'system');
  const at = first === -1 ? messages.length : first;
  return [...messages.slice(0, at), { role: 'system', content: text }, ...messages.slice(at)];
}

function adaptSystem(draft: Draft, card: ModelCard): void {
  if (can(card, 'system') || !draft.request.messages.some(({ role }) => role === 'system')) return;
  const messages = draft.request.messages.map(
    (message): Message => (message.role === 'system' ? { ...message, role: 'user' } : message),
  );
  draft.request = { ...draft.request, messages };
  warn(draft, 'system-as-user', 'does not support system messages, so they were sent as user messages.');
}

/** The parameters that each capability covers. */
const PARAMETERS: readonly (readonly [Capability, readonly (keyof ChatRequest)[]])[] = [
  ['temperature', ['temperature']],
  ['top-p', ['topP', 'topK']],
  ['seed', ['seed']],
  ['stop', ['stop']],
  ['penalties', ['presencePenalty', 'frequencyPenalty']],
];

function dropParameters(draft: Draft, card: ModelCard): void {
  for (const [capability, names] of PARAMETERS) {
    const given = names.filter((name) => draft.request[name] !== undefined);
    if (given.length === 0 || can(card, capability)) continue;
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
