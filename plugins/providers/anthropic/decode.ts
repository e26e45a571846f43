/**
 * Answers of this wire, streamed or whole.
 *
 * A1. `finish` comes once, at the end of a body that told a stop reason, stopped its message or was one whole message.
 *     Without these there is none, and the caller reports a truncation. What breaks behind the end breaks nothing.
 * A2. A whole message is read as the stream that would have made it.
 * A3. An error event is thrown once the events before it have gone out.
 * A4. A second `message_start` begins the message anew: what was said is void (`restart`), counts are kept.
 */
import {
  type ChatRequest,
  type FinishReason,
  type ModelEvent,
  PolyphonyError,
  type TransportResponse,
  type WireContext,
} from 'polyphony';
import {
  answerEvents,
  asList,
  asNumber,
  asRecord,
  asText,
  defined,
  type JsonRecord,
  tryParseJson,
} from 'polyphony/kit';
import { addDelta, type Blocks, newBlocks, resetBlocks, startBlock, stopAll, stopBlock } from './blocks.ts';
import { errorInside } from './errors.ts';
import { factsOf } from './facts.ts';
import { outputPlan } from './output.ts';
import { addCounts, type Counts, usageOf } from './usage.ts';

interface State {
  events: ModelEvent[];
  readonly blocks: Blocks;
  readonly counts: Counts;
  readonly answersByTool: boolean;
  readonly raw: unknown[] | undefined;
  reason: string | undefined;
  refusal: string | undefined;
  model: string | undefined;
  id: string | undefined;
  /** The message is complete, whatever it says of a reason. */
  whole: boolean;
  /** Something was said that a new message makes void. */
  spoke: boolean;
  malformed: number;
  failure: PolyphonyError | undefined;
}

export async function* decodeChat(
  response: TransportResponse,
  request: ChatRequest,
  context: WireContext,
): AsyncGenerator<ModelEvent> {
  const state = stateOf(request, context);
  try {
    for await (const batch of answerEvents(response)) {
      for (const { data } of batch) if (state.failure === undefined) readData(state, data);
      const { events } = state;
      state.events = [];
      for (const event of events) yield event;
      if (state.failure !== undefined) throw state.failure;
    }
  } catch (error) {
    const cancelled = error instanceof PolyphonyError && error.code === 'cancelled';
    if (!state.whole || cancelled || state.failure !== undefined) throw error;
  }
  if (state.reason !== undefined || state.whole) yield* finish(state);
}

function stateOf(request: ChatRequest, context: WireContext): State {
  const plan = outputPlan(request, factsOf(context.card));
  const answerTool = plan.way === 'tool' ? plan.name : undefined;
  const state: State = {
    events: [],
    blocks: newBlocks({
      family: context.target.provider,
      answerTool,
      emit(event) {
        state.spoke = true;
        state.events.push(event);
      },
    }),
    counts: {},
    answersByTool: answerTool !== undefined,
    raw: request.includeRaw === true ? [] : undefined,
    reason: undefined,
    refusal: undefined,
    model: undefined,
    id: undefined,
    whole: false,
    spoke: false,
    malformed: 0,
    failure: undefined,
  };
  return state;
}

function readData(state: State, data: string): void {
  const body = asRecord(tryParseJson(data));
  if (body === undefined) {
    if (data.trim() !== '' && data.trim() !== '[DONE]') state.malformed += 1;
    return;
  }
  state.raw?.push(body);
  const type = asText(body.type) ?? '';
  if (Object.hasOwn(READERS, type)) READERS[type]?.(state, body);
  else if (body.error !== undefined) state.failure = errorInside(body);
}

const READERS: Readonly<Record<string, (state: State, body: JsonRecord) => void>> = {
  content_block_delta: (state, body) => addDelta(state.blocks, indexOf(body), asRecord(body.delta) ?? {}),
  content_block_start: (state, body) => startBlock(state.blocks, indexOf(body), asRecord(body.content_block) ?? {}),
  content_block_stop: (state, body) => stopBlock(state.blocks, indexOf(body)),
  message_start(state, { message }) {
    if (state.spoke) state.events.push({ type: 'restart', notice: 'The provider began its answer anew.' });
    Object.assign(state, { spoke: false, whole: false, reason: undefined });
    resetBlocks(state.blocks);
    readMessage(state, asRecord(message) ?? {});
  },
  message_delta(state, { delta, usage }) {
    readEnding(state, asRecord(delta) ?? {});
    readCounts(state, usage);
  },
  message_stop(state) {
    state.whole = true;
  },
  message: readWhole,
  error(state, body) {
    state.failure = errorInside(body);
  },
};

const indexOf = (body: JsonRecord): number => asNumber(body.index) ?? 0;

function readWhole(state: State, message: JsonRecord): void {
  readMessage(state, message);
  for (const [index, block] of (asList(message.content) ?? []).entries()) {
    startBlock(state.blocks, index, asRecord(block) ?? {});
    stopBlock(state.blocks, index);
  }
  state.whole = true;
}

function readMessage(state: State, message: JsonRecord): void {
  state.model = asText(message.model) ?? state.model;
  state.id = asText(message.id) ?? state.id;
  readEnding(state, message);
  readCounts(state, message.usage);
}

function readEnding(state: State, { stop_reason, stop_details }: JsonRecord): void {
  state.reason = asText(stop_reason) ?? state.reason;
  const details = asRecord(stop_details);
  state.refusal = asText(details?.explanation) ?? asText(details?.category) ?? state.refusal;
}

function readCounts(state: State, usage: unknown): void {
  const told = asRecord(usage);
  if (told !== undefined) addCounts(state.counts, told);
}

const REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool-calls'],
  ['refusal', 'content-filter'],
  ['pause_turn', 'pause'],
]);

/** The last events. */
function finish(state: State): readonly ModelEvent[] {
  stopAll(state.blocks);
  const { events, blocks, model, id, raw, malformed, refusal } = state;
  if (malformed > 0) events.push(warning('malformed-chunk', `${malformed} pieces of the stream could not be read.`));
  const usage = usageOf(state.counts);
  if (usage === undefined) events.push(warning('usage-missing', 'The provider told no usage: the counts are zero.'));
  const reason = REASONS.get(state.reason ?? '') ?? 'other';
  const { citations } = blocks;
  events.push({
    type: 'finish',
    // The call that was forced for the sake of its input is the answer.
    reason: reason === 'tool-calls' && isAnswered(state) ? 'stop' : reason,
    usage: usage ?? { input: 0, output: 0 },
    ...defined({
      model,
      id,
      serviceTier: asText(state.counts.service_tier),
      refusal: reason === 'content-filter' ? refusal : undefined,
      citations: citations.length === 0 ? undefined : citations,
      raw: raw === undefined || raw.length > 1 ? raw : raw[0],
    }),
  });
  return events;
}

const isAnswered = ({ answersByTool, blocks }: State): boolean => answersByTool && blocks.calls === 0;

const warning = (code: string, message: string): ModelEvent => ({ type: 'warning', warning: { code, message } });
