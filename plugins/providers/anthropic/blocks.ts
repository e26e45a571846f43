/**
 * Content blocks while they stream in. Blocks are keyed by their index in the answer, which is not the index of a tool
 * call: text, thinking and server tools count too.
 *
 * What a server tool did (its call, its result) is no part of ours; it is kept as a reasoning part without text whose
 * `raw` is the block, so that it goes back unchanged to this provider and to no other.
 */
import type { Citation, JsonValue, ModelEvent, ReasoningPart } from 'polyphony';
import {
  asNumber,
  asRecord,
  asText,
  defined,
  type JsonRecord,
  type ToolCallAssembler,
  toolCallAssembler,
  tryParseJson,
} from 'polyphony/kit';

/** Told apart once, when a block starts. */
type Kind = 'text' | 'thinking' | 'redacted' | 'call' | 'answer' | 'other';

interface Block {
  readonly kind: Kind;
  readonly start: JsonRecord;
  /** Thinking, or the JSON of an input, so far. */
  text: string;
  signature: string;
  readonly call: ToolCallAssembler | undefined;
  readonly callIndex: number;
}

export interface BlockReader {
  start(index: number, block: JsonRecord): void;
  delta(index: number, delta: JsonRecord): void;
  stop(index: number): void;
  /** Closes what is still open. */
  end(): void;
  /** Forgets what is open: the message starts anew. */
  reset(): void;
  readonly citations: readonly Citation[];
  /** Calls of the caller's tools so far. */
  readonly calls: number;
}

export interface BlockOptions {
  readonly family: string;
  /** The tool whose input is the answer itself. */
  readonly answerTool: string | undefined;
  readonly emit: (event: ModelEvent) => void;
}

export function blockReader({ family, answerTool, emit }: BlockOptions): BlockReader {
  const open = new Map<number, Block>();
  const citations: Citation[] = [];
  let calls = 0;

  const kindOf = (start: JsonRecord): Kind => {
    const { type } = start;
    if (type === 'text' || type === 'thinking') return type;
    if (type === 'redacted_thinking') return 'redacted';
    if (type !== 'tool_use') return 'other';
    return answerTool !== undefined && start.name === answerTool ? 'answer' : 'call';
  };

  const input = (block: Block, piece: string): void => {
    block.text += piece;
    if (block.kind === 'answer') {
      if (piece !== '') emit({ type: 'text-delta', text: piece });
      return;
    }
    const event = block.call?.push({ index: 0, arguments: piece });
    if (event?.type === 'tool-call-delta') emit({ ...event, index: block.callIndex });
  };

  const close = (block: Block): void => {
    const part = reasoningPart(block, family);
    if (part !== undefined) emit({ type: 'reasoning', part });
    // Without deltas, the input stands at the start; `{}` there announces one that follows.
    const whole = block.start.input;
    const isInput = block.kind === 'call' || block.kind === 'answer';
    if (isInput && block.text === '' && typeof whole === 'object' && whole !== null && Object.keys(whole).length > 0) {
      input(block, JSON.stringify(whole));
    }
    for (const event of block.call?.finish() ?? []) emit(event);
  };

  const readers: Readonly<Record<string, (block: Block, delta: JsonRecord) => void>> = {
    text_delta: (_, { text }) => say('text-delta', text),
    thinking_delta: (block, { thinking }) => {
      block.text += asText(thinking) ?? '';
      say('reasoning-delta', thinking);
    },
    signature_delta: (block, { signature }) => {
      block.signature += asText(signature) ?? '';
    },
    input_json_delta: (block, delta) => input(block, asText(delta.partial_json) ?? ''),
    citations_delta: (_, { citation }) => void citations.push(...citationOf(citation)),
  };

  const say = (type: 'text-delta' | 'reasoning-delta', text: unknown): void => {
    if (typeof text === 'string' && text !== '') emit({ type, text });
  };

  return {
    citations,
    get calls() {
      return calls;
    },
    start(index, start) {
      const before = open.get(index);
      if (before !== undefined) close(before);
      const kind = kindOf(start);
      const call = kind === 'call' ? toolCallAssembler() : undefined;
      const block: Block = { kind, start, text: '', signature: '', call, callIndex: calls };
      open.set(index, block);
      const said = call?.push({ index: 0, id: asText(start.id), name: asText(start.name) });
      if (said?.type === 'tool-call-delta') emit({ ...said, index: calls++ });
      if (kind === 'text') say('text-delta', start.text);
      if (kind === 'thinking') readers.thinking_delta?.(block, start);
      if (Array.isArray(start.citations)) citations.push(...start.citations.flatMap(citationOf));
    },
    delta(index, delta) {
      const block = open.get(index);
      if (block !== undefined && typeof delta.type === 'string') readers[delta.type]?.(block, delta);
    },
    stop(index) {
      const block = open.get(index);
      open.delete(index);
      if (block !== undefined) close(block);
    },
    end() {
      for (const block of open.values()) close(block);
      open.clear();
    },
    reset: () => open.clear(),
  };
}

/** What goes back to the provider unchanged; undefined for text and for calls of ours. */
function reasoningPart(block: Block, family: string): ReasoningPart | undefined {
  const { kind, start, text } = block;
  if (kind === 'redacted') return defined({ type: 'reasoning', text: '', redacted: asText(start.data), family });
  if (kind === 'other') {
    const input = text === '' ? undefined : (tryParseJson(text) ?? start.input);
    return {
      type: 'reasoning',
      text: '',
      family,
      raw: defined({ ...start, input: input ?? start.input }) as JsonValue,
    };
  }
  if (kind !== 'thinking') return undefined;
  const signature = block.signature || asText(start.signature);
  return defined({ type: 'reasoning', text, signature: signature === '' ? undefined : signature, family });
}

function citationOf(value: unknown): Citation[] {
  const told = asRecord(value);
  if (told === undefined) return [];
  const citation = defined({
    url: asText(told.url) ?? asText(told.source),
    title: asText(told.title) ?? asText(told.document_title),
    text: asText(told.cited_text),
    start: asNumber(told.start_char_index),
    end: asNumber(told.end_char_index),
  });
  return Object.keys(citation).length === 0 ? [] : [citation];
}
