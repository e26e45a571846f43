/**
 * Content blocks of an answer, streamed or whole. The calls and results of the provider's own tools are kept as reasoning
 * parts without text whose `raw` is the block, so that they are sent back unchanged to this provider.
 */
import {
  append,
  asList,
  asNumber,
  asRecord,
  asText,
  type Citation,
  defined,
  type JsonRecord,
  type JsonValue,
  type MediaPart,
  type ModelEvent,
  type ReasoningPart,
  type ToolCallAssembler,
  toolCallAssembler,
  tryParseJson,
} from 'polyphony/kit';

interface Block {
  /** Reasoning so far. */
  text: string;
  signature: string;
  /** Pieces of encrypted reasoning, which only the provider can read. */
  readonly redacted: Buffer[];
  readonly call: JsonRecord | undefined;
  /** `call`: of a tool of the caller; `server`: of the provider; `answer`: the forced call whose input is the answer. */
  readonly kind: 'content' | 'call' | 'server' | 'answer';
  /** The input of a call of the provider's own tool. */
  input: string;
  readonly calls: ToolCallAssembler;
  readonly position: number;
}

export interface Blocks {
  readonly family: string;
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

export function startBlock(blocks: Blocks, index: number, start: JsonRecord): Block {
  stopBlock(blocks, index);
  const call = asRecord(start.toolUse);
  const kind = call === undefined ? 'content' : kindOf(call, blocks.answerTool);
  const calls = toolCallAssembler();
  const block: Block = { text: '', signature: '', redacted: [], call, kind, input: '', calls, position: blocks.calls };
  blocks.open.set(index, block);
  if (kind === 'call') {
    blocks.calls += 1;
    push(blocks, block, undefined);
  }
  return block;
}

function kindOf(call: JsonRecord, answerTool: string | undefined): Block['kind'] {
  if (call.type === 'server_tool_use') return 'server';
  return answerTool !== undefined && call.name === answerTool ? 'answer' : 'call';
}

export function addDelta(blocks: Blocks, index: number, delta: JsonRecord): void {
  const call = asRecord(delta.toolUse);
  // Most models do not announce text blocks; an unannounced call has neither id nor name to identify it.
  const block = blocks.open.get(index) ?? startBlock(blocks, index, {});
  const text = blocks.textOf(delta.text);
  if (text !== undefined && text !== '') blocks.emit({ type: 'text-delta', text });
  if (call !== undefined) addInput(blocks, block, call.input);
  const reasoning = asRecord(delta.reasoningContent);
  if (reasoning !== undefined) addReasoning(blocks, block, reasoning);
  if (delta.citation !== undefined) blocks.citations.push(...citationOf(delta.citation));
}

function addInput(blocks: Blocks, block: Block, input: unknown): void {
  if (block.kind === 'call') push(blocks, block, input);
  const text = typeof input === 'string' ? input : input === undefined ? '' : JSON.stringify(input);
  if (block.kind === 'server') block.input += text;
  if (block.kind === 'answer' && text !== '') blocks.emit({ type: 'text-delta', text });
}

function push(blocks: Blocks, block: Block, input: unknown): void {
  const { call, calls, position } = block;
  const piece = { index: 0, id: asText(call?.toolUseId), name: asText(call?.name), arguments: input };
  const event = calls.push(piece);
  // Each block has its own assembler, so the index among all calls is set here.
  if (event?.type === 'tool-call-delta') blocks.emit({ ...event, index: position });
}

function addReasoning(blocks: Blocks, block: Block, { text, signature, redactedContent }: JsonRecord): void {
  block.signature += asText(signature) ?? '';
  // Each piece is base64 of its own and may be padded, so it is decoded separately.
  if (typeof redactedContent === 'string') block.redacted.push(Buffer.from(redactedContent, 'base64'));
  const piece = asText(text) ?? '';
  block.text += piece;
  if (piece !== '') blocks.emit({ type: 'reasoning-delta', text: piece });
}

export function stopBlock(blocks: Blocks, index: number): void {
  const block = blocks.open.get(index);
  if (block === undefined) return;
  blocks.open.delete(index);
  const part = reasoningPart(block, blocks.family);
  if (part !== undefined) blocks.emit({ type: 'reasoning', part });
  if (block.kind === 'call') for (const event of block.calls.finish()) blocks.emit(event);
  if (block.kind === 'server') {
    const input = tryParseJson(block.input) ?? {};
    keep(blocks, { toolUse: { ...block.call, input } });
  }
}

/** Closes open blocks. */
export function stopAll(blocks: Blocks): void {
  for (const index of [...blocks.open.keys()]) stopBlock(blocks, index);
}

function reasoningPart({ text, signature, redacted: pieces }: Block, family: string): ReasoningPart | undefined {
  const redacted = Buffer.concat(pieces).toString('base64');
  if (text === '' && signature === '' && redacted === '') return undefined;
  const known = defined({ text, signature: signature || undefined });
  const raw =
    redacted === ''
      ? { reasoningContent: { reasoningText: known } }
      : { reasoningContent: { redactedContent: redacted } };
  return defined({
    type: 'reasoning' as const,
    text,
    signature: signature || undefined,
    redacted: redacted || undefined,
    family,
    raw: raw as JsonValue,
  });
}

function keep(blocks: Blocks, block: JsonRecord): void {
  const raw = block as JsonValue;
  blocks.emit({ type: 'reasoning', part: { type: 'reasoning', text: '', family: blocks.family, raw } });
}

/** Reads a block of a whole answer as the equivalent stream. */
export function readBlock(blocks: Blocks, index: number, block: JsonRecord): void {
  const reasoning = asRecord(block.reasoningContent);
  const call = asRecord(block.toolUse);
  const cited = asRecord(block.citationsContent);
  if (call !== undefined) {
    const { input, ...start } = call;
    startBlock(blocks, index, { toolUse: start });
    addDelta(blocks, index, { toolUse: { input } });
  } else if (reasoning !== undefined) {
    const { redactedContent } = reasoning;
    addDelta(blocks, index, { reasoningContent: { ...asRecord(reasoning.reasoningText), redactedContent } });
  } else if (cited !== undefined) {
    for (const item of asList(cited.content) ?? []) addDelta(blocks, index, { text: asRecord(item)?.text });
    append(blocks.citations, (asList(cited.citations) ?? []).flatMap(citationOf));
  } else if (typeof block.text === 'string') addDelta(blocks, index, { text: block.text });
  else {
    const media = mediaOf(block, blocks.family);
    if (media === undefined) keep(blocks, block);
    else blocks.emit({ type: 'media', part: media });
  }
  stopBlock(blocks, index);
}

/** A block with bytes of an image, sound, video or document. */
function mediaOf(block: JsonRecord, family: string): MediaPart | undefined {
  for (const kind of ['image', 'audio', 'video', 'document'] as const) {
    const media = asRecord(block[kind]);
    const data = asText(asRecord(media?.source)?.bytes);
    if (media === undefined || !data) continue;
    const format = asText(media.format) ?? 'octet-stream';
    const source = {
      type: 'base64' as const,
      data,
      mediaType: `${kind === 'document' ? 'application' : kind}/${format}`,
    };
    if (kind !== 'document') return { type: kind, source, family };
    return defined({ type: 'file' as const, source, family, name: asText(media.name) });
  }
  return undefined;
}

function citationOf(value: unknown): Citation[] {
  const record = asRecord(value);
  if (record === undefined) return [];
  const location = asRecord(record.location);
  const document =
    asRecord(location?.documentPage) ?? asRecord(location?.documentChar) ?? asRecord(location?.documentChunk);
  const pages = location?.documentPage === undefined ? undefined : document;
  const characters = location?.documentChar === undefined ? undefined : document;
  const texts = (asList(record.sourceContent) ?? []).map((item) => asText(asRecord(item)?.text) ?? '').join('');
  const citation = defined({
    url: asText(asRecord(location?.web)?.url),
    title: asText(record.title),
    text: texts === '' ? undefined : texts,
    document: asNumber(document?.documentIndex),
    startPage: asNumber(pages?.start),
    endPage: asNumber(pages?.end),
    start: asNumber(characters?.start),
    end: asNumber(characters?.end),
  });
  return Object.keys(citation).length === 0 ? [] : [citation];
}
