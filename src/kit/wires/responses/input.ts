/**
 * Canonical messages as input items. Items of this provider that are in reasoning parts (`raw`) are sent back unchanged and in
 * their places: reasoning with its encrypted content, calls of the provider's own tools, the phase of a message.
 */
import type {
  MediaPart,
  Message,
  Part,
  ReasoningPart,
  ToolCallPart,
  ToolResultPart,
} from '../../../core/model/model.ts';
import type { WireContext } from '../../../core/model/provider.ts';
import { asRecord, asText, type JsonRecord } from '../../json/json-shape.ts';
import { sendableJson } from '../../json/sendable-json.ts';
import { inlineMedia } from '../../requests/media.ts';
import { answerItem, outputOf, ownItem } from './client-calls.ts';
import { contentOf, type Item } from './content.ts';
import type { ResponsesFacts } from './facts.ts';

export interface Input {
  readonly instructions: string | undefined;
  readonly items: readonly Item[];
}

/** `stored`: the server stores responses, so items without their encrypted content can be sent by id. */
export function encodeInput(
  messages: readonly Message[],
  facts: ResponsesFacts,
  stored: boolean,
  context: WireContext,
): Input {
  const others = messages.findIndex(({ role }) => role !== 'system');
  const leading = facts.instructions === false ? 0 : others === -1 ? messages.length - 1 : others;
  const texts = messages.slice(0, leading).flatMap(partsOf);
  const instructions = texts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n\n');
  const { systemRole = 'developer' } = facts;
  warnOfLostReasoning(messages, context);
  const called = clientCalls(messages, context.target.provider);
  return {
    instructions: instructions === '' ? undefined : instructions,
    items: messages.slice(leading).flatMap((message) => itemsOf(message, { systemRole, stored, called }, context)),
  };
}

const partsOf = ({ content }: Message): readonly Part[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

interface Encoding {
  readonly systemRole: string;
  readonly stored: boolean;
  readonly called: ReadonlyMap<string, JsonRecord>;
}

function itemsOf(message: Message, { systemRole, stored, called }: Encoding, context: WireContext): Item[] {
  const parts = partsOf(message);
  if (message.role === 'assistant') return assistantItems(parts, stored, context.target.provider);
  if (message.role === 'system') return [{ role: systemRole, content: contentOf(parts) }];
  const results = parts.filter((part) => part.type === 'tool-result');
  const rest = parts.filter((part) => part.type !== 'tool-result');
  return [
    ...results.map((result) => resultItem(result, called)),
    ...(rest.length === 0 ? [] : [{ role: 'user', content: contentOf(rest) }]),
  ];
}

// ---------------------------------------------------------------------------------------------------- assistant

function assistantItems(parts: readonly Part[], stored: boolean, family: string): Item[] {
  const items: Item[] = [];
  /** Fields of a message item besides its text, for the text after it. */
  let head: JsonRecord | undefined;
  let open: Item | undefined;
  for (const part of parts) {
    if (part.type === 'text') {
      if (open === undefined) {
        open = { role: 'assistant', ...head, content: part.text };
        items.push(open);
      } else open.content = `${asText(open.content) ?? ''}${part.text}`;
      head = undefined;
      continue;
    }
    open = undefined;
    if (part.type === 'tool-call') items.push(ownItem(part, family) ?? callItem(part));
    if (part.type === 'image') items.push({ ...drawnItem(part, family), result: inlineMedia(part.source)?.data });
    const raw = part.type === 'reasoning' && part.family === family ? asRecord(part.raw) : undefined;
    if (raw?.type === 'message') head = { phase: raw.phase };
    else if (raw !== undefined && (stored || isWhole(raw))) items.push({ ...raw });
  }
  return items;
}

/** False for reasoning with only an id, which is useful only to a server that stored the item. */
const isWhole = (item: JsonRecord): boolean =>
  item.type !== 'reasoning' ||
  Boolean(item.encrypted_content) ||
  (Array.isArray(item.content) && item.content.length > 0);

/** The item that an image of this provider came in; undefined for an image of another. */
export function drawnItem({ family: made, raw }: MediaPart, family: string): JsonRecord | undefined {
  const item = made === family ? asRecord(raw) : undefined;
  return item?.type === 'image_generation_call' ? item : undefined;
}

function callItem(call: ToolCallPart): Item {
  const text = sendableJson(call.arguments);
  return { type: 'function_call', call_id: call.id, name: call.name, arguments: text };
}

/** `called`: the items of calls that are no function calls, by their ids. */
function resultItem(result: ToolResultPart, called: ReadonlyMap<string, JsonRecord>): Item {
  const item = called.get(result.id);
  if (item !== undefined) return answerItem(result, item);
  return { type: 'function_call_output', call_id: result.id, output: outputOf(result) };
}

const NO_CALLS: ReadonlyMap<string, JsonRecord> = new Map();

function clientCalls(messages: readonly Message[], family: string): ReadonlyMap<string, JsonRecord> {
  let called: Map<string, JsonRecord> | undefined;
  for (const { role, content } of messages) {
    if (role !== 'assistant' || typeof content === 'string') continue;
    for (const part of content) {
      const item = part.type === 'tool-call' ? ownItem(part, family) : undefined;
      if (item === undefined || part.type !== 'tool-call') continue;
      called ??= new Map();
      called.set(part.id, item);
    }
  }
  return called ?? NO_CALLS;
}

function warnOfLostReasoning(messages: readonly Message[], { target, warn }: WireContext): void {
  const opaque = (part: ReasoningPart): boolean => part.signature !== undefined || part.redacted !== undefined;
  const lost = messages
    .flatMap(partsOf)
    .some((part) => part.type === 'reasoning' && opaque(part) && part.family !== target.provider);
  if (!lost) return;
  const message =
    'Signed reasoning of another provider was dropped, because only the provider that made it can read it.';
  warn({ code: 'reasoning-dropped', message });
}
