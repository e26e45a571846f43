/**
 * Answers of this wire format, streamed or whole.
 *
 * A1. `finish` is emitted once, at the end of a body with a stop reason, a `message_stop` or one whole message, or a second
 *     after them if the connection stays open. Without these there is no `finish`, and the caller reports a truncation.
 * A2. A whole message is read as the equivalent stream.
 * A3. A second `message_start` starts the message again: what was emitted is void (`restart`), counts are kept.
 */
import {
  type AnswerState,
  answerState,
  asList,
  asNumber,
  asRecord,
  asText,
  type ChatRequest,
  decodeAnswer,
  finishAnswer,
  finishReason,
  type JsonRecord,
  laterCounts,
  type ModelEvent,
  type TransportResponse,
  textIn,
  type WireContext,
} from 'polyphony/kit';
import { addDelta, type Blocks, newBlocks, resetBlocks, startBlock, stopAll, stopBlock } from './blocks.ts';
import { errorInside } from './errors.ts';
import { factsOf } from './facts.ts';
import { outputPlan } from './output.ts';
import { usageOf } from './usage.ts';

interface State extends AnswerState {
  readonly blocks: Blocks;
  counts: JsonRecord;
  readonly answersByTool: boolean;
  reason: string | undefined;
  refusal: string | undefined;
  stopSequence: string | undefined;
  model: string | undefined;
  id: string | undefined;
  /** True once something was emitted that a new message makes void. */
  spoke: boolean;
}

export function decodeChat(
  response: TransportResponse,
  request: ChatRequest,
  context: WireContext,
): AsyncIterable<ModelEvent> {
  const state = stateOf(request, context);
  return decodeAnswer(
    response,
    state,
    {
      read(body) {
        const read = READERS.get(textIn(state, body.type) ?? '');
        if (read !== undefined) read(state, body);
        else if (body.error !== undefined) state.failure = errorInside(body);
      },
      end() {
        if (state.reason !== undefined || state.complete) finish(state);
      },
      reasonTold: () => state.reason !== undefined,
    },
    context,
  );
}

function stateOf(request: ChatRequest, context: WireContext): State {
  const plan = outputPlan(request, factsOf(context.card));
  const answerTool = plan.way === 'tool' ? plan.name : undefined;
  const state: State = {
    blocks: newBlocks({
      family: context.target.provider,
      answerTool,
      emit(event) {
        state.spoke = true;
        state.events.push(event);
      },
      textOf: (value) => textIn(state, value),
    }),
    counts: {},
    answersByTool: answerTool !== undefined,
    reason: undefined,
    refusal: undefined,
    stopSequence: undefined,
    model: undefined,
    id: undefined,
    spoke: false,
    ...answerState(request),
  };
  return state;
}

const READERS: ReadonlyMap<string, (state: State, body: JsonRecord) => void> = new Map(
  Object.entries<(state: State, body: JsonRecord) => void>({
    content_block_delta: (state, body) => addDelta(state.blocks, indexOf(body), asRecord(body.delta) ?? {}),
    content_block_start: (state, body) => startBlock(state.blocks, indexOf(body), asRecord(body.content_block) ?? {}),
    content_block_stop: (state, body) => stopBlock(state.blocks, indexOf(body)),
    message_start(state, { message }) {
      if (state.spoke) state.events.push({ type: 'restart', notice: 'The provider restarted its answer.' });
      Object.assign(state, { spoke: false, complete: false, reason: undefined, stopSequence: undefined });
      resetBlocks(state.blocks);
      readMessage(state, asRecord(message) ?? {});
    },
    message_delta(state, { delta, usage }) {
      readEnding(state, asRecord(delta) ?? {});
      readCounts(state, usage);
    },
    message_stop(state) {
      state.complete = true;
    },
    message: readWhole,
    error(state, body) {
      state.failure = errorInside(body);
    },
  }),
);

const indexOf = (body: JsonRecord): number => asNumber(body.index) ?? 0;

function readWhole(state: State, message: JsonRecord): void {
  readMessage(state, message);
  for (const [index, block] of (asList(message.content) ?? []).entries()) {
    startBlock(state.blocks, index, asRecord(block) ?? {});
    stopBlock(state.blocks, index);
  }
  state.complete = true;
}

function readMessage(state: State, message: JsonRecord): void {
  state.model = asText(message.model) ?? state.model;
  state.id = asText(message.id) ?? state.id;
  readEnding(state, message);
  readCounts(state, message.usage);
}

function readEnding(state: State, { stop_reason, stop_details, stop_sequence }: JsonRecord): void {
  state.stopSequence = asText(stop_sequence) ?? state.stopSequence;
  state.reason = asText(stop_reason) ?? state.reason;
  const details = asRecord(stop_details);
  state.refusal = asText(details?.explanation) ?? asText(details?.category) ?? state.refusal;
}

function readCounts(state: State, usage: unknown): void {
  const reported = asRecord(usage);
  if (reported !== undefined) state.counts = laterCounts(state.counts, reported);
}

/** Emits the last events. */
function finish(state: State): void {
  stopAll(state.blocks);
  const { blocks, model, id, refusal, stopSequence } = state;
  const reason = finishReason(state.reason);
  finishAnswer(state, {
    // The forced call whose input is the answer is not a tool call of the caller.
    reason: reason === 'tool-calls' && isAnswered(state) ? 'stop' : reason,
    usage: usageOf(state.counts),
    model,
    id,
    serviceTier: asText(state.counts.service_tier),
    refusal: reason === 'content-filter' ? refusal : undefined,
    citations: blocks.citations,
    stopSequence,
  });
}

const isAnswered = ({ answersByTool, blocks }: State): boolean => answersByTool && blocks.calls === 0;
