/**
 * Answers of this wire format: a binary event stream, or one JSON document. The first byte decides which.
 *
 * B1. `finish` is emitted once, at the end of a body with a stop reason, because the usage follows the reason. Without a
 *     reason there is no `finish`, and the caller reports a truncation.
 * B2. A stream that ends inside a message is truncated, whatever came before.
 */
import {
  type AnswerState,
  answerState,
  asCount,
  asList,
  asNumber,
  asRecord,
  asText,
  type ChatRequest,
  decodeBody,
  defined,
  finishAnswer,
  finishReason,
  type JsonRecord,
  laterCounts,
  type ModelEvent,
  PolyphonyError,
  parseDocument,
  type TransportResponse,
  textIn,
  tryParseJson,
  type Usage,
  type WireContext,
} from 'polyphony/kit';
import { addDelta, type Blocks, newBlocks, readBlock, startBlock, stopAll, stopBlock } from './blocks.ts';
import { exceptionInside } from './errors.ts';
import { createEventStreamDecoder, type EventMessage } from './event-stream.ts';
import { factsOf, outputPlan } from './facts.ts';

interface State extends AnswerState {
  readonly blocks: Blocks;
  readonly answersByTool: boolean;
  reason: string | undefined;
  counts: JsonRecord | undefined;
  usage: Usage | undefined;
  serviceTier: string | undefined;
}

const OPENINGS: ReadonlySet<number | undefined> = new Set([0x7b, 0x20, 0x0a, 0x0d, 0x09, 0xef]);

/** The same limit as for the documents of other wires. */
const MAX_DOCUMENT_BYTES = 67_108_864;

export function decodeChat(
  response: TransportResponse,
  request: ChatRequest,
  context: WireContext,
): AsyncIterable<ModelEvent> {
  const state = stateOf(request, context);
  const stream = createEventStreamDecoder((message) => {
    if (state.failure === undefined) readMessage(state, message);
  });
  const document: Uint8Array[] = [];
  let length = 0;
  const mostBytes = Math.min(context.wholeBytes ?? MAX_DOCUMENT_BYTES, MAX_DOCUMENT_BYTES);
  let whole: boolean | undefined;
  return decodeBody(
    response,
    state,
    {
      push(chunk) {
        if (chunk.length === 0) return;
        // A document may begin with white space; the length of a message never begins with one of these bytes.
        whole ??= OPENINGS.has(chunk[0]);
        if (!whole) stream.push(chunk);
        else {
          length += chunk.length;
          if (length > mostBytes) throw tooLong(mostBytes, length);
          document.push(chunk);
        }
      },
      end() {
        if (whole === true) readWhole(state, Buffer.concat(document).toString('utf8'));
        else stream.end();
        if (state.reason !== undefined) finish(state, response.headers);
      },
      reasonTold: () => state.reason !== undefined,
    },
    context,
  );
}

function tooLong(mostBytes: number, receivedBytes: number): PolyphonyError {
  const message = `The answer has more than ${mostBytes} bytes, which is its limit, so it was cut off: ask for a shorter one.`;
  return new PolyphonyError('truncated', message, { retryable: false, details: { receivedBytes } });
}

function stateOf(request: ChatRequest, context: WireContext): State {
  const plan = outputPlan(request, factsOf(context.card));
  const answerTool = plan.way === 'tool' ? plan.name : undefined;
  const emit = (event: ModelEvent): void => void state.events.push(event);
  const state: State = {
    blocks: newBlocks({
      family: context.target.provider,
      answerTool,
      emit,
      textOf: (value) => textIn(state, value),
    }),
    answersByTool: answerTool !== undefined,
    reason: undefined,
    counts: undefined,
    usage: undefined,
    serviceTier: undefined,
    ...answerState(request),
  };
  return state;
}

function readMessage(state: State, { headers, payload }: EventMessage): void {
  const kind = headers[':message-type'];
  if (kind === 'exception' || kind === 'error') {
    const type = headers[':exception-type'] ?? headers[':error-code'] ?? '';
    state.failure = exceptionInside(type, headers[':error-message'] ?? payload);
    return;
  }
  const body = asRecord(tryParseJson(payload));
  if (body === undefined) {
    state.malformed += 1;
    return;
  }
  const type = headers[':event-type'] ?? '';
  state.raw?.push({ [type]: body });
  READERS.get(type)?.(state, body);
}

const READERS: ReadonlyMap<string, (state: State, body: JsonRecord) => void> = new Map(
  Object.entries<(state: State, body: JsonRecord) => void>({
    contentBlockStart: (state, body) => void startBlock(state.blocks, indexOf(body), asRecord(body.start) ?? {}),
    contentBlockDelta: (state, body) => addDelta(state.blocks, indexOf(body), asRecord(body.delta) ?? {}),
    contentBlockStop: (state, body) => stopBlock(state.blocks, indexOf(body)),
    messageStop(state, { stopReason }) {
      state.reason = asText(stopReason) ?? 'unknown';
    },
    metadata(state, { usage, serviceTier }) {
      const counts = asRecord(usage);
      if (counts !== undefined) state.counts = laterCounts(state.counts, counts);
      state.usage = usageOf(state.counts) ?? state.usage;
      state.serviceTier = tierOf(serviceTier) ?? state.serviceTier;
    },
  }),
);

const tierOf = (value: unknown): string | undefined => asText(asRecord(value)?.type);
const indexOf = (body: JsonRecord): number => asNumber(body.contentBlockIndex) ?? 0;

function readWhole(state: State, text: string): void {
  const body = asRecord(parseDocument(text.replace(/^\uFEFF/, ''))) ?? {};
  state.raw?.push(body);
  const message = asRecord(asRecord(body.output)?.message) ?? {};
  for (const [index, block] of (asList(message.content) ?? []).entries()) {
    readBlock(state.blocks, index, asRecord(block) ?? {});
  }
  state.usage = usageOf(body.usage);
  state.serviceTier = tierOf(body.serviceTier);
  state.reason = asText(body.stopReason);
}

function finish(state: State, headers: TransportResponse['headers']): void {
  stopAll(state.blocks);
  const { blocks, usage } = state;
  const reason = finishReason(state.reason);
  // The forced call whose input is the answer is not a tool call of the caller.
  const answered = state.answersByTool && blocks.calls === 0 && reason === 'tool-calls';
  finishAnswer(state, {
    reason: answered ? 'stop' : reason,
    usage,
    id: headers['x-amzn-requestid'],
    serviceTier: state.serviceTier,
    citations: blocks.citations,
  });
}

/** This wire format excludes cache reads and writes from the input; canonical usage includes them. */
function usageOf(value: unknown): Usage | undefined {
  const reported = asRecord(value);
  const fresh = asCount(reported?.inputTokens);
  const output = asCount(reported?.outputTokens);
  if (fresh === undefined && output === undefined) return undefined;
  const cacheRead = asCount(reported?.cacheReadInputTokens);
  const cacheWrite = asCount(reported?.cacheWriteInputTokens);
  const long = (asList(reported?.cacheDetails) ?? []).reduce<number>((sum, item) => {
    const detail = asRecord(item);
    return detail?.ttl === '1h' ? sum + (asCount(detail.inputTokens) ?? 0) : sum;
  }, 0);
  return defined({
    input: (fresh ?? 0) + (cacheRead ?? 0) + (cacheWrite ?? 0),
    output: output ?? 0,
    cacheRead,
    cacheWrite,
    cacheWriteLong: long === 0 ? undefined : Math.min(long, cacheWrite ?? 0),
  });
}
