/**
 * Output items, from their pieces or complete.
 *
 * I1. An item is emitted once: the item that closes its deltas adds only what they left out.
 * I2. Calls and reasoning are emitted in the order of their items, in which they must be sent back.
 * I3. Items that only the provider understands (its own tools, the phase of a message) become reasoning parts without text,
 *     so that they are sent back unchanged.
 */
import { append } from '../../../core/lists.ts';
import type {
  Citation,
  JsonSchema,
  JsonValue,
  ModelEvent,
  TokenLogprob,
  ToolCallPart,
} from '../../../core/model/model.ts';
import { asList, asNumber, asRecord, asText, defined, type JsonRecord } from '../../json/json-shape.ts';
import { dropOptionalNulls } from '../../json/optional-nulls.ts';
import { citationsOf, logprobsOf } from '../chat-completions/decode-extras.ts';
import { type ToolCallAssembler, toolCallAssembler } from '../tool-calls.ts';
import { clientCallOf } from './client-calls.ts';

interface OpenItem {
  /** Text, summary, arguments or refusal so far. */
  received: string;
  /** Its log probabilities arrived with its deltas. */
  hasLogprobs: boolean;
  done: boolean;
  /** For a call: its index among the calls. */
  readonly position: number;
  readonly call: ToolCallAssembler;
}

export interface ResponseItems {
  readonly open: Map<number, OpenItem>;
  readonly citations: Citation[];
  readonly logprobs: TokenLogprob[];
  /** Ids of files that were cited. */
  readonly files: Set<string>;
  calls: number;
  /** Searches of the web by the provider's own tool. Pages that it opens are not billed. */
  searches: number;
  refusal: string;
  readonly family: string;
  readonly emit: (event: ModelEvent) => void;
  /** A text of the answer; counts what is none. */
  readonly textOf: (value: unknown) => string | undefined;
  /** The schemas of tools that were sent in the strict subset, whose optional arguments arrive as nulls. */
  readonly strictTools: ReadonlyMap<string, JsonSchema>;
}

export const newItems = (given: Pick<ResponseItems, 'family' | 'emit' | 'textOf' | 'strictTools'>): ResponseItems => ({
  ...given,
  open: new Map(),
  citations: [],
  logprobs: [],
  files: new Set(),
  calls: 0,
  searches: 0,
  refusal: '',
});

function itemAt(items: ResponseItems, index: number): OpenItem {
  const known = items.open.get(index);
  if (known !== undefined) return known;
  const item: OpenItem = {
    received: '',
    hasLogprobs: false,
    done: false,
    position: items.calls,
    call: toolCallAssembler(),
  };
  items.open.set(index, item);
  return item;
}

export function addItem(items: ResponseItems, index: number, item: JsonRecord): void {
  itemAt(items, index);
  // The name of a call arrives before its arguments, which follow as deltas or with the complete item.
  if (item.type === 'function_call') pushCall(items, index, item, undefined);
  if (item.type === 'message') openMessage(items, item);
}

function openMessage(items: ResponseItems, item: JsonRecord): void {
  if (asText(item.phase) === undefined) return;
  const raw = { type: 'message', phase: item.phase } as JsonValue;
  items.emit({ type: 'reasoning', part: { type: 'reasoning', text: '', family: items.family, raw } });
}

export function addText(items: ResponseItems, index: number, { delta, logprobs }: JsonRecord): void {
  emitText(items, index, 'text-delta', items.textOf(delta));
  const tokens = logprobsOf({ content: asList(logprobs) ?? [] });
  if (tokens.length > 0) itemAt(items, index).hasLogprobs = true;
  append(items.logprobs, tokens);
}

export const addSummary = (items: ResponseItems, index: number, { delta }: JsonRecord): void =>
  emitText(items, index, 'reasoning-delta', items.textOf(delta));

function emitText(
  items: ResponseItems,
  index: number,
  type: 'text-delta' | 'reasoning-delta',
  text: string | undefined,
): void {
  if (text === undefined || text === '') return;
  itemAt(items, index).received += text;
  items.emit({ type, text });
}

export function addArguments(items: ResponseItems, index: number, { delta }: JsonRecord): void {
  pushCall(items, index, {}, items.textOf(delta));
}

export function addRefusal(items: ResponseItems, index: number, { delta }: JsonRecord): void {
  itemAt(items, index).received += asText(delta) ?? '';
  items.refusal += asText(delta) ?? '';
}

function pushCall(items: ResponseItems, index: number, item: JsonRecord, argumentsText: string | undefined): void {
  const open = itemAt(items, index);
  if (open.call.count === 0) items.calls += 1;
  open.received += argumentsText ?? '';
  const event = open.call.push({
    index: 0,
    id: asText(item.call_id) ?? asText(item.id),
    name: asText(item.name),
    arguments: argumentsText,
  });
  if (event?.type === 'tool-call-delta') items.emit({ ...event, index: open.position });
}

/** Ends an item; a complete answer starts and ends it together. */
export function closeItem(items: ResponseItems, index: number, item: JsonRecord): void {
  const open = itemAt(items, index);
  if (open.done) return;
  open.done = true;
  if (item.type === 'web_search_call' && (asRecord(item.action)?.type ?? 'search') === 'search') items.searches += 1;
  const close = CLOSERS[asText(item.type) ?? ''];
  if (close !== undefined) close(items, index, item);
  else {
    const call = clientCallOf(item, items.family);
    if (call === undefined) items.emit(opaque(items, item));
    else emitCall(items, call);
  }
}

const CLOSERS: Readonly<Record<string, (items: ResponseItems, index: number, item: JsonRecord) => void>> = {
  message: closeMessage,
  function_call: closeCall,
  reasoning: closeReasoning,
  image_generation_call: closeImage,
};

function emitCall(items: ResponseItems, call: ToolCallPart): void {
  const { id, name, arguments: given } = call;
  items.emit({ type: 'tool-call-delta', index: items.calls, id, name, delta: JSON.stringify(given) });
  items.emit({ type: 'tool-call', call });
  items.calls += 1;
}

const opaque = ({ family }: ResponseItems, item: JsonRecord): ModelEvent => ({
  type: 'reasoning',
  part: { type: 'reasoning', text: '', family, raw: item as JsonValue },
});

/** The part of the complete text that was not emitted yet; empty if the two differ. */
const restOf = (complete: string, emitted: string): string =>
  complete.startsWith(emitted) ? complete.slice(emitted.length) : '';

function closeMessage(items: ResponseItems, index: number, item: JsonRecord): void {
  const { received, hasLogprobs } = itemAt(items, index);
  const parts = (asList(item.content) ?? []).map((part) => asRecord(part) ?? {});
  const texts = parts.filter(({ type }) => type === 'output_text');
  emitText(items, index, 'text-delta', restOf(texts.map(({ text }) => items.textOf(text) ?? '').join(''), received));
  for (const part of parts) {
    const cited = citationsOf(part);
    append(items.citations, cited);
    for (const citation of cited) emitFile(items, citation);
    if (!hasLogprobs) append(items.logprobs, logprobsOf({ content: asList(part.logprobs) ?? [] }));
    if (items.refusal === '' && part.type === 'refusal') items.refusal = asText(part.refusal) ?? '';
  }
}

/** A file that code of the provider's own tool made. It is in a container of the provider, which keeps it. */
function emitFile({ family, emit, files }: ResponseItems, citation: Citation): void {
  const { fileId, containerId, title: name } = citation;
  if (fileId === undefined || containerId === undefined || files.has(fileId)) return;
  files.add(fileId);
  const raw = { container_id: containerId, file_id: fileId };
  const part = { type: 'file' as const, source: { type: 'url' as const, url: fileId }, name, family, raw };
  emit({ type: 'media', part: defined(part) });
}

function closeCall(items: ResponseItems, index: number, item: JsonRecord): void {
  const open = itemAt(items, index);
  pushCall(items, index, item, restOf(argumentsOf(item) ?? '', open.received));
  endCall(items, open);
}

const argumentsOf = ({ arguments: given }: JsonRecord): string | undefined =>
  given === undefined || given === null || typeof given === 'string' ? asText(given) : JSON.stringify(given);

function endCall(items: ResponseItems, { call }: OpenItem): void {
  for (const event of call.finish()) {
    const schema = event.type === 'tool-call' ? items.strictTools.get(event.call.name) : undefined;
    if (event.type !== 'tool-call' || schema === undefined) items.emit(event);
    else {
      const given = dropOptionalNulls(schema, event.call.arguments) as JsonValue;
      items.emit({ type: 'tool-call', call: { ...event.call, arguments: given } });
    }
  }
}

/** The text is the summary; a raw chain of thought stays in `raw`. */
function closeReasoning(items: ResponseItems, index: number, item: JsonRecord): void {
  const text = (asList(item.summary) ?? []).map((piece) => asText(asRecord(piece)?.text) ?? '').join('');
  emitText(items, index, 'reasoning-delta', restOf(text, itemAt(items, index).received));
  const signature = asText(item.encrypted_content);
  const part = { type: 'reasoning' as const, text, signature, family: items.family, raw: item as JsonValue };
  items.emit({ type: 'reasoning', part: defined(part) });
}

function closeImage(items: ResponseItems, _index: number, item: JsonRecord): void {
  const data = asText(item.result);
  if (data === undefined || data === '') return;
  const mediaType = `image/${asText(item.output_format) ?? 'png'}`;
  // Sent back as the item that it is, whose result is the image.
  const { result: _, ...raw } = item;
  const source = { type: 'base64', data, mediaType } as const;
  items.emit({ type: 'media', part: { type: 'image', source, family: items.family, raw: raw as JsonValue } });
}

/** Ends the calls that the stream did not end. */
export function closeItems(items: ResponseItems): void {
  for (const open of items.open.values()) {
    if (open.done) continue;
    open.done = true;
    endCall(items, open);
  }
}

export const indexOf = (body: JsonRecord): number => asNumber(body.output_index) ?? 0;
