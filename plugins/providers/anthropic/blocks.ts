/**
 * Content blocks while they stream in. Blocks are keyed by their index in the answer, which is not the index of a tool
 * call: text, thinking and server tools count too.
 *
 * Calls and results of server tools are kept as reasoning parts without text whose `raw` is the block, so that they are
 * sent back unchanged to this provider and to no other.
 */
import {
  append,
  asList,
  asNumber,
  asRecord,
  asText,
  type Citation,
  defined,
  type FilePart,
  type JsonRecord,
  type JsonValue,
  type ModelEvent,
  type ReasoningPart,
  type ToolCallAssembler,
  toolCallAssembler,
  tryParseJson,
} from 'polyphony/kit';

/** Decided once, when a block starts. `answer`: the forced call whose input is the answer. */
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

export interface Blocks {
  readonly family: string;
  /** The tool whose input is the answer itself. */
  readonly answerTool: string | undefined;
  readonly emit: (event: ModelEvent) => void;
  /** A text of the answer; counts what is none. */
  readonly textOf: (value: unknown) => string | undefined;
  readonly open: Map<number, Block>;
  readonly citations: Citation[];
  /** Calls of the caller's tools so far. */
  calls: number;
}

export const newBlocks = (options: Pick<Blocks, 'family' | 'answerTool' | 'emit' | 'textOf'>): Blocks => ({
  ...options,
  open: new Map(),
  citations: [],
  calls: 0,
});

/** Drops every block, because the message starts again. */
export function resetBlocks(blocks: Blocks): void {
  blocks.open.clear();
  blocks.citations.length = 0;
  blocks.calls = 0;
}

export function startBlock(blocks: Blocks, index: number, start: JsonRecord): void {
  stopBlock(blocks, index);
  const kind = kindOf(start, blocks.answerTool);
  const call = kind === 'call' ? toolCallAssembler() : undefined;
  const block: Block = { kind, start, text: '', signature: '', call, callIndex: blocks.calls };
  blocks.open.set(index, block);
  if (call !== undefined) {
    blocks.calls += 1;
    sayPiece(blocks, block, call.push({ index: 0, id: asText(start.id), name: asText(start.name) }));
  }
  if (kind === 'text') emitText(blocks, 'text-delta', start.text);
  if (kind === 'thinking') addThinking(blocks, block, start.thinking);
  if (Array.isArray(start.citations)) append(blocks.citations, start.citations.flatMap(citationOf));
}

export function addDelta(blocks: Blocks, index: number, delta: JsonRecord): void {
  const block = blocks.open.get(index);
  if (block === undefined) return;
  switch (blocks.textOf(delta.type)) {
    case 'text_delta':
      emitText(blocks, 'text-delta', delta.text);
      break;
    case 'thinking_delta':
      addThinking(blocks, block, delta.thinking);
      break;
    case 'signature_delta':
      block.signature += asText(delta.signature) ?? '';
      break;
    case 'input_json_delta':
      addInput(blocks, block, blocks.textOf(delta.partial_json) ?? '');
      break;
    case 'citations_delta':
      blocks.citations.push(...citationOf(delta.citation));
  }
}

export function stopBlock(blocks: Blocks, index: number): void {
  const block = blocks.open.get(index);
  if (block === undefined) return;
  blocks.open.delete(index);
  const part = reasoningPart(block, blocks.family);
  if (part !== undefined) blocks.emit({ type: 'reasoning', part });
  if (block.kind === 'other')
    for (const file of filesOf(block.start, blocks.family)) blocks.emit({ type: 'media', part: file });
  // Without deltas, the start contains the input; `{}` there announces an input that follows.
  const whole = block.start.input;
  const isInput = block.kind === 'call' || block.kind === 'answer';
  if (isInput && block.text === '' && !isEmptyInput(whole))
    addInput(blocks, block, typeof whole === 'string' ? whole : JSON.stringify(whole));
  for (const event of block.call?.finish() ?? []) blocks.emit(event);
}

const isEmptyInput = (input: unknown): boolean =>
  input === undefined || input === null || (typeof input === 'object' && Object.keys(input).length === 0);

/** Closes open blocks. */
export function stopAll(blocks: Blocks): void {
  for (const index of [...blocks.open.keys()]) stopBlock(blocks, index);
}

// ---------------------------------------------------------------------------------------------------- pieces

function kindOf(start: JsonRecord, answerTool: string | undefined): Kind {
  const { type } = start;
  if (type === 'text' || type === 'thinking') return type;
  if (type === 'redacted_thinking') return 'redacted';
  if (type !== 'tool_use') return 'other';
  return answerTool !== undefined && start.name === answerTool ? 'answer' : 'call';
}

function emitText({ emit, textOf }: Blocks, type: 'text-delta' | 'reasoning-delta', given: unknown): void {
  const text = textOf(given);
  if (text !== undefined && text !== '') emit({ type, text });
}

function addThinking(blocks: Blocks, block: Block, text: unknown): void {
  block.text += asText(text) ?? '';
  emitText(blocks, 'reasoning-delta', text);
}

function addInput(blocks: Blocks, block: Block, piece: string): void {
  block.text += piece;
  if (block.kind === 'answer') emitText(blocks, 'text-delta', piece);
  else sayPiece(blocks, block, block.call?.push({ index: 0, arguments: piece }));
}

/** The assembler knows only one call, so the index among all calls is set here. */
function sayPiece({ emit }: Blocks, { callIndex }: Block, event: ModelEvent | undefined): void {
  if (event?.type === 'tool-call-delta') emit({ ...event, index: callIndex });
}

// ---------------------------------------------------------------------------------------------------- whole blocks

/** The part to send back to the provider unchanged; undefined for text and for calls of the caller's tools. */
function reasoningPart(block: Block, family: string): ReasoningPart | undefined {
  const { kind, start, text } = block;
  if (kind === 'redacted') return defined({ type: 'reasoning', text: '', redacted: asText(start.data), family });
  if (kind === 'other') {
    const input = text === '' ? start.input : (tryParseJson(text) ?? start.input);
    return { type: 'reasoning', text: '', family, raw: defined({ ...start, input }) as JsonValue };
  }
  if (kind !== 'thinking') return undefined;
  const signature = block.signature || asText(start.signature);
  return defined({ type: 'reasoning', text, signature: signature === '' ? undefined : signature, family });
}

/** Files that code of the provider's own tools made, by their ids. */
function filesOf({ content }: JsonRecord, family: string): FilePart[] {
  const made = asList(asRecord(content)?.content) ?? [];
  return made.flatMap((item): FilePart[] => {
    const id = asText(asRecord(item)?.file_id);
    return id === undefined ? [] : [{ type: 'file', source: { type: 'url', url: id }, family }];
  });
}

function citationOf(value: unknown): Citation[] {
  const record = asRecord(value);
  if (record === undefined) return [];
  const citation = defined({
    url: asText(record.url) ?? asText(record.source),
    title: asText(record.title) ?? asText(record.document_title),
    text: asText(record.cited_text),
    start: asNumber(record.start_char_index),
    end: asNumber(record.end_char_index),
    fileId: asText(record.file_id),
    document: asNumber(record.document_index),
    startPage: asNumber(record.start_page_number),
    endPage: asNumber(record.end_page_number),
  });
  return Object.keys(citation).length === 0 ? [] : [citation];
}
