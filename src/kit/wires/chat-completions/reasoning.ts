/**
 * Reasoning on this wire has four forms: `reasoning_content`, `reasoning`, `reasoning_details` (with signatures
 * and encrypted blocks) and thinking chunks in an array `content`. `raw` of the part keeps the message fields as
 * sent, so that sending them back only merges fields, whichever server made them.
 */
import type { JsonValue, ModelEvent, ReasoningPart } from '../../../core/model/model.ts';
import { asList, asNumber, asRecord, asText, defined, type JsonRecord } from '../../json/json-shape.ts';

export interface ReasoningReader {
  /** The reasoning in a message or delta. */
  readFields(message: JsonRecord): ModelEvent | undefined;
  /** A thinking chunk of an array `content`. */
  readChunk(chunk: JsonRecord): ModelEvent | undefined;
  /** Closes the block; undefined if none is open. */
  close(): ModelEvent | undefined;
}

type Detail = Record<string, unknown>;

interface Block {
  text: string;
  fields: Record<string, string>;
  details: Detail[];
  chunks: Detail[];
}

const emptyBlock = (): Block => ({ text: '', fields: {}, details: [], chunks: [] });

export function reasoningReader(family: string): ReasoningReader {
  let block: Block | undefined;

  const addText = (text: string): ModelEvent | undefined => {
    if (text === '') return undefined;
    block ??= emptyBlock();
    block.text += text;
    return { type: 'reasoning-delta', text };
  };

  return {
    readFields(message) {
      const field = asText(message.reasoning_content) ? 'reasoning_content' : 'reasoning';
      const text = asText(message[field]) ?? '';
      const details = asList(message.reasoning_details) ?? [];
      if (text === '' && details.length === 0) return undefined;
      block ??= emptyBlock();
      if (text !== '') block.fields[field] = (block.fields[field] ?? '') + text;
      const readable = addDetails(block.details, details);
      // Servers that send both send the same text twice.
      return addText(text === '' ? readable : text);
    },
    readChunk(chunk) {
      block ??= emptyBlock();
      const text = thinkingText(chunk.thinking);
      mergeChunk(block.chunks, chunk, text);
      return addText(text);
    },
    close() {
      if (block === undefined) return undefined;
      const part = partOf(block, family);
      block = undefined;
      return { type: 'reasoning', part };
    },
  };
}

/** Adds pieces of details: those with the same index and type are merged. Returns the readable text of the pieces. */
function addDetails(known: Detail[], pieces: readonly unknown[]): string {
  let readable = '';
  for (const piece of pieces) {
    const detail = asRecord(piece);
    if (detail === undefined) continue;
    readable += asText(detail.text) ?? asText(detail.summary) ?? '';
    const last = known.at(-1);
    const same = last !== undefined && last.type === detail.type && asNumber(last.index) === asNumber(detail.index);
    if (same && detail.type !== 'reasoning.encrypted') mergeDetail(last, detail);
    else known.push({ ...detail });
  }
  return readable;
}

function mergeDetail(into: Detail, piece: JsonRecord): void {
  for (const [name, value] of Object.entries(piece)) {
    const appended = name === 'text' || name === 'summary' || name === 'data';
    if (appended) into[name] = (asText(into[name]) ?? '') + (asText(value) ?? '');
    else if (value !== null || into[name] === undefined) into[name] = value;
  }
}

function thinkingText(value: unknown): string {
  if (typeof value === 'string') return value;
  let text = '';
  for (const item of asList(value) ?? []) text += asText(asRecord(item)?.text) ?? '';
  return text;
}

function mergeChunk(chunks: Detail[], chunk: JsonRecord, text: string): void {
  let whole = chunks.at(-1);
  if (whole === undefined) {
    whole = {};
    chunks.push(whole);
  }
  const before = asText(whole.thinking) ?? thinkingText(whole.thinking);
  // In place, because a copy for every chunk would copy all fields of all chunks before it.
  Object.assign(whole, chunk, { thinking: [{ type: 'text', text: before + text }] });
}

function partOf(block: Block, family: string): ReasoningPart {
  const { text, fields, details, chunks } = block;
  const raw = {
    ...fields,
    ...(details.length > 0 ? { reasoning_details: details } : {}),
    ...(chunks.length > 0 ? { content: chunks } : {}),
  };
  const signature = details.map((detail) => asText(detail.signature)).findLast((found) => found);
  const redacted = details.map((detail) => asText(detail.data)).findLast((found) => found);
  return defined({ type: 'reasoning' as const, text, signature, redacted, family, raw: raw as JsonValue });
}

/** The message fields that send reasoning back unchanged, without the parts of other providers. */
export function reasoningFields(parts: readonly ReasoningPart[], family: string): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const part of parts) {
    const raw = part.family === family ? asRecord(part.raw) : undefined;
    for (const [name, value] of Object.entries(raw ?? {})) {
      const before = fields[name];
      if (Array.isArray(value)) fields[name] = [...(asList(before) ?? []), ...value];
      else if (typeof value === 'string') fields[name] = (asText(before) ?? '') + value;
    }
  }
  return fields;
}
