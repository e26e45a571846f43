/**
 * Encodes canonical messages: system text separately, two alternating roles, tool results first in the turn after
 * their calls, and only reasoning of this provider.
 */
import { asRecord, type ChatRequest, type Message, type Part, PolyphonyError, type WireContext } from 'polyphony/kit';
import { type Block, contentBlocks, reasoningBlocks, textBlocks } from './content.ts';
import type { ConverseFacts } from './facts.ts';

interface Turn {
  readonly role: 'user' | 'assistant';
  content: Block[];
}

export interface WireMessages {
  readonly system: readonly Block[];
  readonly messages: readonly Turn[];
  /** Names of the tools called so far: the wire format requires their definitions, even where they are not offered. */
  readonly called: ReadonlySet<string>;
}

const MAX_CACHE_POINTS = 4;

/** @throws unsupported for parts that the wire format cannot carry */
export function encodeMessages(
  { messages }: ChatRequest,
  instructions: readonly string[],
  facts: ConverseFacts,
  context: WireContext,
): WireMessages {
  const system = messages
    .filter(({ role }) => role === 'system')
    .flatMap(partsOf)
    .flatMap((part) => (part.type === 'text' ? textBlocks(part, facts) : []));
  for (const text of instructions) system.push({ text });
  let files = 0;
  const names = (): string => `file ${++files}`;
  const called = new Set<string>();
  const turns: Turn[] = [];
  for (const message of messages) {
    if (message.role === 'system') continue;
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const content = partsOf(message).flatMap((part) => {
      if (part.type === 'tool-call') called.add(part.name);
      return role === 'assistant' ? assistantBlocks(part, names, facts, context) : contentBlocks(part, names, facts);
    });
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...content);
    else if (content.length > 0) turns.push({ role, content });
  }
  if (turns.length === 0) throw empty();
  for (const turn of turns) if (turn.role === 'user') turn.content = arranged(turn.content);
  warnOfLostReasoning(messages, context);
  limitCachePoints([system, ...turns.map(({ content }) => content)], context);
  return { system, messages: turns, called };
}

const empty = (): PolyphonyError =>
  new PolyphonyError('invalid-request', 'The request has no message to answer: add a user message that is not empty.');

const partsOf = ({ content }: Message): readonly Part[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

function assistantBlocks(part: Part, names: () => string, facts: ConverseFacts, context: WireContext): Block[] {
  if (part.type === 'reasoning') return reasoningBlocks(part, context.target.provider);
  if (part.type !== 'tool-call') return contentBlocks(part, names, facts);
  return [{ toolUse: { toolUseId: part.id, name: part.name, input: asRecord(part.arguments) ?? {} } }];
}

/** Results first; a document needs text next to it. */
function arranged(content: readonly Block[]): Block[] {
  const isResult = (block: Block): boolean => block.toolResult !== undefined;
  const rest = content.filter((block) => !isResult(block));
  const lonely = rest.some((block) => block.document !== undefined) && !rest.some((block) => block.text !== undefined);
  return [...content.filter(isResult), ...rest, ...(lonely ? [{ text: 'See the document.' }] : [])];
}

/** Keeps the last ones, because they cover most of the conversation. */
function limitCachePoints(lists: readonly Block[][], context: WireContext): void {
  const total = lists.flat().filter((block) => block.cachePoint !== undefined).length;
  let excess = total - MAX_CACHE_POINTS;
  if (excess <= 0) return;
  const message = `Only the last ${MAX_CACHE_POINTS} of ${total} cache marks were sent, because this provider accepts no more.`;
  context.warn({ code: 'cache-marks-dropped', message });
  for (const list of lists) {
    for (let at = 0; at < list.length && excess > 0; at += 1) {
      if (list[at]?.cachePoint === undefined) continue;
      list.splice(at, 1);
      at -= 1;
      excess -= 1;
    }
  }
}

function warnOfLostReasoning(messages: readonly Message[], context: WireContext): void {
  const lost = messages
    .flatMap((message) => (message.role === 'assistant' ? partsOf(message) : []))
    .some((part) => part.type === 'reasoning' && isOpaque(part) && part.family !== context.target.provider);
  if (!lost) return;
  const message =
    'Signed reasoning of another provider was dropped, because only the provider that made it can read it.';
  context.warn({ code: 'reasoning-dropped', message });
}

const isOpaque = (part: Extract<Part, { type: 'reasoning' }>): boolean =>
  part.signature !== undefined || part.redacted !== undefined;
