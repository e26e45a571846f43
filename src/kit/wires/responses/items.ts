/**
 * Output items, from their pieces or whole.
 *
 * I1. An item is said once: of the item that closes its deltas, only what they left out is told.
 * I2. Calls and reasoning come in the order of their items, which is the order in which they must go back.
 * I3. Items that only the provider understands (its own tools, the phase of a message) become reasoning parts without text,
 *     so that they go back unchanged.
 */
import type { Citation, JsonSchema, JsonValue, ModelEvent, TokenLogprob } from '../../../core/model/model.ts';
import { asList, asNumber, asRecord, asText, defined, type JsonRecord } from '../../json/json-shape.ts';
import { dropOptionalNulls } from '../../json/json-validation.ts';
import { citationsOf, logprobsOf } from '../chat-completions/decode-extras.ts';
import { type ToolCallAssembler, toolCallAssembler } from '../tool-calls.ts';

interface OpenItem {
  /** Text, summary, arguments or refusal so far. */
  said: string;
  /** Its log probabilities came with its deltas. */
  weighed: boolean;
  done: boolean;
  /** Of a call: its place among the calls. */
  readonly position: number;
  readonly call: ToolCallAssembler;
}

export interface Items {
  readonly open: Map<number, OpenItem>;
  readonly citations: Citation[];
  readonly logprobs: TokenLogprob[];
  calls: number;
  refusal: string;
  readonly family: string;
  readonly emit: (event: ModelEvent) => void;
  /** The schemas of tools that were sent in the strict subset, whose optional arguments come as nulls. */
  readonly strictTools: ReadonlyMap<string, JsonSchema>;
}

export const newItems = (given: Pick<Items, 'family' | 'emit' | 'strictTools'>): Items => ({
  ...given,
  open: new Map(),
  citations: [],
  logprobs: [],
  calls: 0,
  refusal: '',
});

function itemAt(items: Items, index: number): OpenItem {
  const known = items.open.get(index);
  if (known !== undefined) return known;
  const item: OpenItem = { said: '', weighed: false, done: false, position: items.calls, call: toolCallAssembler() };
  items.open.set(index, item);
  return item;
}

export function addItem(items: Items, index: number, item: JsonRecord): void {
  itemAt(items, index);
  // A call is known by its name before its first argument; the arguments come as deltas, or with the whole item.
  if (item.type === 'function_call') pushCall(items, index, item, undefined);
  if (item.type === 'message') openMessage(items, item);
}

function openMessage(items: Items, item: JsonRecord): void {
  if (asText(item.phase) === undefined) return;
  const raw = { type: 'message', phase: item.phase } as JsonValue;
  items.emit({ type: 'reasoning', part: { type: 'reasoning', text: '', family: items.family, raw } });
}

export function addText(items: Items, index: number, { delta, logprobs }: JsonRecord): void {
  say(items, index, 'text-delta', asText(delta));
  const weights = logprobsOf({ content: asList(logprobs) ?? [] });
  if (weights.length > 0) itemAt(items, index).weighed = true;
  items.logprobs.push(...weights);
}

export const addSummary = (items: Items, index: number, { delta }: JsonRecord): void =>
  say(items, index, 'reasoning-delta', asText(delta));

function say(items: Items, index: number, type: 'text-delta' | 'reasoning-delta', text: string | undefined): void {
  if (text === undefined || text === '') return;
  itemAt(items, index).said += text;
  items.emit({ type, text });
}

export function addArguments(items: Items, index: number, { delta }: JsonRecord): void {
  pushCall(items, index, {}, asText(delta));
}

export function addRefusal(items: Items, index: number, { delta }: JsonRecord): void {
  itemAt(items, index).said += asText(delta) ?? '';
  items.refusal += asText(delta) ?? '';
}

function pushCall(items: Items, index: number, item: JsonRecord, argumentsText: string | undefined): void {
  const open = itemAt(items, index);
  if (open.call.count === 0) items.calls += 1;
  open.said += argumentsText ?? '';
  const event = open.call.push({
    index: 0,
    id: asText(item.call_id) ?? asText(item.id),
    name: asText(item.name),
    arguments: argumentsText,
  });
  if (event?.type === 'tool-call-delta') items.emit({ ...event, index: open.position });
}

/** The item as it ends; whole answers begin and end an item at once. */
export function closeItem(items: Items, index: number, item: JsonRecord): void {
  const open = itemAt(items, index);
  if (open.done) return;
  open.done = true;
  const close = CLOSERS[asText(item.type) ?? ''];
  if (close === undefined) items.emit(opaque(items, item));
  else close(items, index, item);
}

const CLOSERS: Readonly<Record<string, (items: Items, index: number, item: JsonRecord) => void>> = {
  message: closeMessage,
  function_call: closeCall,
  reasoning: closeReasoning,
  image_generation_call: closeImage,
};

const opaque = ({ family }: Items, item: JsonRecord): ModelEvent => ({
  type: 'reasoning',
  part: { type: 'reasoning', text: '', family, raw: item as JsonValue },
});

/** What the whole tells beyond what was said; nothing where the two differ. */
const restOf = (whole: string, said: string): string => (whole.startsWith(said) ? whole.slice(said.length) : '');

function closeMessage(items: Items, index: number, item: JsonRecord): void {
  const { said, weighed } = itemAt(items, index);
  const parts = (asList(item.content) ?? []).map((part) => asRecord(part) ?? {});
  const texts = parts.filter(({ type }) => type === 'output_text');
  say(items, index, 'text-delta', restOf(texts.map(({ text }) => asText(text) ?? '').join(''), said));
  for (const part of parts) {
    items.citations.push(...citationsOf(part));
    if (!weighed) items.logprobs.push(...logprobsOf({ content: asList(part.logprobs) ?? [] }));
    if (items.refusal === '' && part.type === 'refusal') items.refusal = asText(part.refusal) ?? '';
  }
}

function closeCall(items: Items, index: number, item: JsonRecord): void {
  const open = itemAt(items, index);
  pushCall(items, index, item, restOf(argumentsOf(item) ?? '', open.said));
  endCall(items, open);
}

const argumentsOf = ({ arguments: given }: JsonRecord): string | undefined =>
  given === undefined || given === null || typeof given === 'string' ? asText(given) : JSON.stringify(given);

function endCall(items: Items, { call }: OpenItem): void {
  for (const event of call.finish()) {
    const schema = event.type === 'tool-call' ? items.strictTools.get(event.call.name) : undefined;
    if (event.type !== 'tool-call' || schema === undefined) items.emit(event);
    else {
      const given = dropOptionalNulls(schema, event.call.arguments) as JsonValue;
      items.emit({ type: 'tool-call', call: { ...event.call, arguments: given } });
    }
  }
}

/** The text is the summary: a raw chain of thought, where a server sends one, stays in `raw`. */
function closeReasoning(items: Items, index: number, item: JsonRecord): void {
  const text = (asList(item.summary) ?? []).map((piece) => asText(asRecord(piece)?.text) ?? '').join('');
  say(items, index, 'reasoning-delta', restOf(text, itemAt(items, index).said));
  const signature = asText(item.encrypted_content);
  const part = { type: 'reasoning' as const, text, signature, family: items.family, raw: item as JsonValue };
  items.emit({ type: 'reasoning', part: defined(part) });
}

function closeImage(items: Items, _index: number, item: JsonRecord): void {
  const data = asText(item.result);
  if (data === undefined || data === '') return;
  const mediaType = `image/${asText(item.output_format) ?? 'png'}`;
  items.emit({ type: 'output', output: { operation: 'image', images: [{ type: 'base64', data, mediaType }] } });
}

/** Ends the calls that the stream left open. */
export function closeAll(items: Items): void {
  for (const open of items.open.values()) {
    if (open.done) continue;
    open.done = true;
    endCall(items, open);
  }
}

export const indexOf = (body: JsonRecord): number => asNumber(body.output_index) ?? 0;
