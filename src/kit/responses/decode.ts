/**
 * Answers of the Responses wire, streamed or whole.
 *
 * R1. `finish` comes once, from the response that ends the stream or is the whole body. Without one there is none, and the
 *     caller reports a truncation.
 * R2. Nothing is yielded before the model speaks: `response.created` and its like commit nobody.
 * R3. An error event, or an error in a response that ends, is thrown once the events before it have gone out.
 * R4. Where no item was streamed, those of the final response are read.
 */
import type { PolyphonyError } from '../../core/errors.ts';
import type { ChatRequest, FinishReason, JsonSchema, ModelEvent, Usage } from '../../core/model.ts';
import type { TransportResponse, WireContext } from '../../core/provider.ts';
import { answerEvents } from '../answer.ts';
import { usageOf } from '../chat-completions/usage.ts';
import { failureOf, httpError, impliedStatus } from '../http-errors.ts';
import { asList, asRecord, asText, defined, type JsonRecord, tryParseJson } from '../json-shape.ts';
import type { ResponsesFacts } from './facts.ts';
import {
  addArguments,
  addItem,
  addRefusal,
  addSummary,
  addText,
  closeAll,
  closeItem,
  type Items,
  indexOf,
  newItems,
} from './items.ts';

interface State {
  events: ModelEvent[];
  readonly items: Items;
  model: string | undefined;
  id: string | undefined;
  serviceTier: string | undefined;
  usage: Usage | undefined;
  malformed: number;
  finished: boolean;
  failure: PolyphonyError | undefined;
  readonly keepsRaw: boolean;
}

export async function* decodeChat(
  response: TransportResponse,
  request: ChatRequest,
  facts: ResponsesFacts,
  context: WireContext,
): AsyncGenerator<ModelEvent> {
  const state = stateOf(request, facts, context);
  for await (const batch of answerEvents(response)) {
    for (const { data, event } of batch)
      if (state.failure === undefined && !state.finished) readData(state, data, event);
    const { events } = state;
    state.events = [];
    for (const event of events) yield event;
    if (state.failure !== undefined) throw state.failure;
  }
}

function stateOf(request: ChatRequest, facts: ResponsesFacts, context: WireContext): State {
  const strict = facts.strictSchemas === true ? (request.tools ?? []).filter((tool) => tool.strict === true) : [];
  const state: State = {
    events: [],
    items: newItems({
      family: context.target.provider,
      emit: (event) => void state.events.push(event),
      strictTools: new Map<string, JsonSchema>(strict.map((tool) => [tool.name, tool.inputSchema])),
    }),
    model: undefined,
    id: undefined,
    serviceTier: undefined,
    usage: undefined,
    malformed: 0,
    finished: false,
    failure: undefined,
    keepsRaw: request.includeRaw === true,
  };
  return state;
}

function readData(state: State, data: string, event: string | undefined): void {
  const body = asRecord(tryParseJson(data));
  if (body === undefined) {
    if (data.trim() !== '' && data.trim() !== '[DONE]') state.malformed += 1;
    return;
  }
  const type = asText(body.type) ?? event ?? '';
  if (type.startsWith('response.')) readEvent(state, type, body);
  else if (type === 'error' || (body.error && body.output === undefined)) state.failure = errorOf(body, state.usage);
  else if (body.object === 'response' || body.output !== undefined) readFinal(state, body);
}

function readEvent(state: State, type: string, body: JsonRecord): void {
  const read = READERS[type];
  if (read !== undefined) read(state.items, indexOf(body), ITEM_EVENTS.has(type) ? (asRecord(body.item) ?? {}) : body);
  else if (ENDS.has(type)) readFinal(state, asRecord(body.response) ?? body);
  else readHead(state, asRecord(body.response) ?? {});
}

const READERS: Readonly<Record<string, (items: Items, index: number, body: JsonRecord) => void>> = {
  'response.output_text.delta': addText,
  'response.reasoning_summary_text.delta': addSummary,
  'response.function_call_arguments.delta': addArguments,
  'response.refusal.delta': addRefusal,
  'response.output_item.added': addItem,
  'response.output_item.done': closeItem,
};
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
  if (usage) state.usage = usageOf(usage) ?? state.usage;
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
  closeAll(items);
  finish(state, response);
}

function finish(state: State, response: JsonRecord): void {
  state.finished = true;
  const { events, items, usage, model, id, serviceTier, malformed } = state;
  const { refusal, logprobs, citations } = items;
  if (malformed > 0) events.push(warning('malformed-chunk', `${malformed} pieces of the stream could not be read.`));
  if (usage === undefined) events.push(warning('usage-missing', 'The provider told no usage: the counts are zero.'));
  events.push({
    type: 'finish',
    reason: reasonOf(response, items.calls),
    usage: usage ?? { input: 0, output: 0 },
    ...defined({
      model,
      id,
      serviceTier,
      refusal: refusal === '' ? undefined : refusal,
      logprobs: logprobs.length === 0 ? undefined : logprobs,
      citations: citations.length === 0 ? undefined : citations,
      raw: state.keepsRaw ? response : undefined,
    }),
  });
}

const INCOMPLETE: Readonly<Record<string, FinishReason>> = {
  max_output_tokens: 'length',
  max_tokens: 'length',
  length: 'length',
  content_filter: 'content-filter',
};

function reasonOf({ status, incomplete_details: details }: JsonRecord, calls: number): FinishReason {
  if (status === 'incomplete') return INCOMPLETE[asText(asRecord(details)?.reason) ?? ''] ?? 'other';
  if (status === 'failed') return 'error';
  if (status === 'in_progress' || status === 'queued' || status === 'cancelled') return 'other';
  return calls > 0 ? 'tool-calls' : 'stop';
}

const warning = (code: string, message: string): ModelEvent => ({ type: 'warning', warning: { code, message } });

/** `{ error: { code, message } }`, or the code and the message themselves; what was used goes along, to be charged. */
function errorOf(body: JsonRecord, usage: Usage | undefined): PolyphonyError {
  const told = asRecord(body.error) ?? (typeof body.error === 'string' ? { message: body.error } : body);
  // The type of the event is no type of an error.
  const { type, ...rest } = told;
  const named = type === undefined || type === 'error' ? rest : told;
  const status = impliedStatus(named);
  const failure = failureOf({ error: named }, status) ?? { status, message: '' };
  return httpError(usage === undefined ? failure : { ...failure, details: { usage } });
}
