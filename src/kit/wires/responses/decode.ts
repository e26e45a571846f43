/**
 * Answers of the Responses wire, streamed or complete.
 *
 * R1. `finish` is sent once, from the response that ends the stream or is the complete body. Without one there is none, and
 *     the caller reports a truncation.
 * R2. Nothing is yielded before the first output: `response.created` and similar events do not commit the stream.
 * R3. An error in the final response fails the answer.
 * R4. If no item was streamed, the items of the final response are read.
 */
import { PolyphonyError } from '../../../core/errors.ts';
import type { CompletableStream } from '../../../core/model/complete.ts';
import type { ChatRequest, FinishReason, JsonSchema, Usage } from '../../../core/model/model.ts';
import type { TransportResponse, WireContext } from '../../../core/model/provider.ts';
import { type AnswerState, answerState, decodeAnswer, finishAnswer, textIn } from '../../http/decode-answer.ts';
import { failureOf, httpError, impliedStatus } from '../../http/http-errors.ts';
import { asList, asRecord, asText, type JsonRecord } from '../../json/json-shape.ts';
import { usageOf } from '../chat-completions/usage.ts';
import { laterCounts } from '../counts.ts';
import { finishReason } from '../finish-reason.ts';
import { type CostStatement, settledCost, statedCost } from '../stated-cost.ts';
import type { ResponsesFacts } from './facts.ts';
import {
  addArguments,
  addItem,
  addRefusal,
  addSummary,
  addText,
  closeItem,
  closeItems,
  indexOf,
  newItems,
  type ResponseItems,
} from './items.ts';

interface State extends AnswerState {
  readonly items: ResponseItems;
  model: string | undefined;
  id: string | undefined;
  serviceTier: string | undefined;
  counts: JsonRecord | undefined;
  usage: Usage | undefined;
  readonly keepsRaw: boolean;
  readonly costs: CostStatement;
  readonly report: WireContext['report'];
}

export function decodeChat(
  response: TransportResponse,
  request: ChatRequest,
  facts: ResponsesFacts,
  context: WireContext,
): CompletableStream {
  const state = stateOf(request, facts, context);
  return decodeAnswer(response, state, { read: (body, event) => readDocument(state, body, event) }, context);
}

function stateOf(request: ChatRequest, facts: ResponsesFacts, context: WireContext): State {
  const strict = facts.strictSchemas === true ? (request.tools ?? []).filter((tool) => tool.strict === true) : [];
  const state: State = {
    items: newItems({
      family: context.target.provider,
      emit: (event) => void state.events.push(event),
      textOf: (value) => textIn(state, value),
      strictTools: new Map<string, JsonSchema>(strict.map((tool) => [tool.name, tool.inputSchema])),
    }),
    model: undefined,
    id: undefined,
    serviceTier: undefined,
    counts: undefined,
    usage: undefined,
    keepsRaw: request.includeRaw === true,
    costs: facts,
    report: context.report,
    // No raw documents here, because the final response repeats all others.
    ...answerState({}),
  };
  return state;
}

function readDocument(state: State, body: JsonRecord, event: string | undefined): void {
  if (state.complete) return;
  const type = asText(body.type) ?? event ?? '';
  if (type.startsWith('response.')) readEvent(state, type, body);
  else if (type === 'error' || (body.error && body.output === undefined)) state.failure = errorOf(body, state.usage);
  else if (body.object === 'response' || body.output !== undefined) readFinal(state, body);
}

function readEvent(state: State, type: string, body: JsonRecord): void {
  const read = READERS.get(type);
  if (read !== undefined) read(state.items, indexOf(body), ITEM_EVENTS.has(type) ? (asRecord(body.item) ?? {}) : body);
  else if (ENDS.has(type)) readFinal(state, asRecord(body.response) ?? body);
  else readHead(state, asRecord(body.response) ?? {});
}

const READERS: ReadonlyMap<string, (items: ResponseItems, index: number, body: JsonRecord) => void> = new Map([
  ['response.output_text.delta', addText],
  ['response.reasoning_summary_text.delta', addSummary],
  ['response.function_call_arguments.delta', addArguments],
  ['response.refusal.delta', addRefusal],
  ['response.output_item.added', addItem],
  ['response.output_item.done', closeItem],
]);
const ITEM_EVENTS: ReadonlySet<string> = new Set(['response.output_item.added', 'response.output_item.done']);
const ENDS: ReadonlySet<string> = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
  'response.cancelled',
]);

function readHead(state: State, { id, model, usage, service_tier: serviceTier }: JsonRecord): void {
  state.id = asText(id) ?? state.id;
  state.model = asText(model) ?? state.model;
  state.serviceTier = asText(serviceTier) ?? state.serviceTier;
  const told = usage ? asRecord(usage) : undefined;
  if (told === undefined) return;
  state.counts = laterCounts(state.counts, told);
  state.usage = usageOf(state.counts) ?? state.usage;
}

function readFinal(state: State, response: JsonRecord): void {
  const { items } = state;
  readHead(state, response);
  if (items.open.size === 0) {
    for (const [index, value] of (asList(response.output) ?? []).entries()) {
      const item = asRecord(value) ?? {};
      addItem(items, index, item);
      closeItem(items, index, item);
    }
  }
  if (response.error) {
    state.failure = errorOf(response, state.usage);
    return;
  }
  if (response.status === 'queued' || response.status === 'in_progress') {
    state.failure = unfinished(response);
    return;
  }
  closeItems(items);
  finish(state, response);
}

/** The server answers later, under an address of its own, which nobody would ask. */
function unfinished({ id, status }: JsonRecord): PolyphonyError {
  const message = `The server took the request into the background and answered only that "${asText(id) ?? 'it'}" is ${asText(status)}, which is no answer: leave "background" out of providerOptions, or stream the answer.`;
  return new PolyphonyError('invalid-output', message, { retryable: false });
}

function finish(state: State, response: JsonRecord): void {
  const { items, model, id, serviceTier, keepsRaw } = state;
  const usage = withSearches(state.usage, items.searches);
  const { refusal, logprobs, citations } = items;
  const raw = keepsRaw ? response : undefined;
  const reason = reasonOf(response, items.calls);
  const costNanoUsd = statedCost(response.usage);
  if (costNanoUsd !== undefined) state.report({ costNanoUsd });
  const statedCostNanoUsd = settledCost(state.counts, state.costs);
  finishAnswer(state, { reason, usage, model, id, serviceTier, refusal, logprobs, citations, raw, statedCostNanoUsd });
}

/** Searches are billed by the items that made them. */
const withSearches = (usage: Usage | undefined, searches: number): Usage | undefined =>
  usage === undefined || searches === 0 ? usage : { ...usage, searches };

function reasonOf({ status, incomplete_details: details }: JsonRecord, calls: number): FinishReason {
  // Whatever the reason is, the answer is not whole.
  if (status === 'incomplete') {
    const reason = finishReason(asRecord(details)?.reason);
    return reason === 'other' ? 'length' : reason;
  }
  if (status === 'failed' || status === 'cancelled') return 'error';
  return calls > 0 ? 'tool-calls' : 'stop';
}

/** The error in `{ error: { code, message } }` or `{ code, message }`, with the usage so far, so that it can be charged. */
function errorOf(body: JsonRecord, usage: Usage | undefined): PolyphonyError {
  const error = asRecord(body.error) ?? (typeof body.error === 'string' ? { message: body.error } : body);
  // The type of the event is not the type of the error.
  const { type, ...rest } = error;
  const named = type === undefined || type === 'error' ? rest : error;
  const status = impliedStatus(named);
  const failure = failureOf({ error: named }, status) ?? { status, message: '' };
  return httpError(usage === undefined ? failure : { ...failure, details: { usage } });
}
