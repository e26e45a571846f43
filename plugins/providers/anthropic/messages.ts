/**
 * Encodes canonical messages: system text separately, two alternating roles, tool results first in the turn after
 * their calls, and only thinking blocks of this provider.
 */
import {
  asRecord,
  type ChatRequest,
  defined,
  type Message,
  type Part,
  PolyphonyError,
  type ReasoningPart,
  type TextPart,
  type ToolCallPart,
  type ToolResultPart,
  type WireContext,
} from 'polyphony/kit';
import { type Block, cacheControl, fileBlock, imageBlock, refused, textBlock } from './content.ts';

interface Turn {
  readonly role: 'user' | 'assistant';
  content: Block[];
}

export interface WireMessages {
  readonly system: string | readonly Block[] | undefined;
  readonly messages: readonly Turn[];
  /** True when the assistant's current turn (calls whose results follow) began without a thinking block. */
  readonly begunWithout: boolean;
}

const MAX_BREAKPOINTS = 4;
const GO_ON = 'Go on from exactly where your last message stops. Repeat nothing.';

/** @throws unsupported for parts that the wire format cannot carry */
export function encodeMessages(
  request: ChatRequest,
  instructions: readonly string[],
  context: WireContext,
): WireMessages {
  const system = systemBlocks(request.messages, instructions);
  const turns: Turn[] = [];
  for (const message of request.messages) {
    if (message.role === 'system') continue;
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const content = partsOf(message).flatMap((part): Block[] => listed(encodePart(part, role, context)));
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...content);
    else if (content.length > 0) turns.push({ role, content });
  }
  if (turns.length === 0) throw empty();
  for (const turn of turns) if (turn.role === 'user') turn.content = resultsFirst(turn.content);
  warnOfLostReasoning(request.messages, context);
  limitBreakpoints([...system, ...turns.flatMap(({ content }) => content)], context);
  closePrefix(turns, context);
  return { system: plain(system), messages: turns, begunWithout: begunWithoutThinking(turns) };
}

const empty = (): PolyphonyError =>
  new PolyphonyError('invalid-request', 'The request has no message to answer: add a user message that is not empty.');

const partsOf = ({ content }: Message): readonly Part[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

function systemBlocks(messages: readonly Message[], instructions: readonly string[]): Block[] {
  const systemParts = messages.filter(({ role }) => role === 'system').flatMap(partsOf);
  const texts: TextPart[] = instructions.map((text) => ({ type: 'text', text }));
  return [...systemParts.filter((part) => part.type === 'text'), ...texts].flatMap((part) => listed(textBlock(part)));
}

const listed = (block: Block | undefined): Block[] => (block === undefined ? [] : [block]);

/** One text without a cache mark is a string, which every proxy accepts. */
function plain(blocks: readonly Block[]): string | readonly Block[] | undefined {
  const only = blocks[0];
  if (only === undefined) return undefined;
  return blocks.length === 1 && only.cache_control === undefined ? String(only.text) : blocks;
}

// ---------------------------------------------------------------------------------------------------- parts

function encodePart(part: Part, role: Turn['role'], context: WireContext): Block | undefined {
  switch (part.type) {
    case 'text':
      return textBlock(part);
    case 'image':
      return imageBlock(part);
    case 'file':
      return fileBlock(part);
    case 'audio':
    case 'video':
      throw refused(`${part.type}`, 'Choose a model that lists it among its capabilities.');
    case 'reasoning':
      return role === 'assistant' ? reasoningBlock(part, context) : undefined;
    case 'tool-call':
      return callBlock(part);
    case 'tool-result':
      return resultBlock(part);
  }
}

/** The unchanged block, only for the provider that made it. */
function reasoningBlock(part: ReasoningPart, context: WireContext): Block | undefined {
  if (part.family !== context.target.provider) return undefined;
  const { raw, redacted, signature, text } = part;
  const own = asRecord(raw);
  if (own !== undefined) return { ...own };
  if (redacted !== undefined) return { type: 'redacted_thinking', data: redacted };
  return signature === undefined ? undefined : { type: 'thinking', thinking: text, signature };
}

function callBlock(call: ToolCallPart): Block {
  return { type: 'tool_use', id: call.id, name: call.name, input: asRecord(call.arguments) ?? {} };
}

function resultBlock(result: ToolResultPart): Block {
  const { content } = result;
  const blocks =
    typeof content === 'string'
      ? content
      : content.flatMap((part) => {
          if (part.type === 'text') return listed(textBlock(part));
          return [part.type === 'image' ? imageBlock(part) : fileBlock(part)];
        });
  return defined({
    type: 'tool_result',
    tool_use_id: result.id,
    // Blank text is rejected, a result without content is not.
    content: blocks.length === 0 || (typeof blocks === 'string' && blocks.trim() === '') ? undefined : blocks,
    is_error: result.isError === true ? true : undefined,
  });
}

// ---------------------------------------------------------------------------------------------------- rules of the wire

const isResult = (block: Block): boolean => block.type === 'tool_result';
const isThinking = (block: Block): boolean => block.type === 'thinking' || block.type === 'redacted_thinking';

function resultsFirst(content: readonly Block[]): Block[] {
  return [...content.filter(isResult), ...content.filter((block) => !isResult(block))];
}

function begunWithoutThinking(turns: readonly Turn[]): boolean {
  const last = turns.at(-1);
  const before = turns.at(-2)?.content[0];
  return last?.content.some(isResult) === true && before !== undefined && !isThinking(before);
}

/** Models that do not continue a final assistant message get a user message that asks them to. */
function closePrefix(turns: Turn[], context: WireContext): void {
  const last = turns.at(-1);
  if (last?.role !== 'assistant') return;
  if (!context.card.capabilities.includes('prefix')) {
    turns.push({ role: 'user', content: [{ type: 'text', text: GO_ON }] });
    const message = `${context.card.id} does not continue an assistant message, so a user message that asks it to go on was added.`;
    context.warn({ code: 'prefix-in-words', message });
    return;
  }
  const end = last.content.at(-1);
  // Trailing white space in it is rejected.
  if (end?.type === 'text') end.text = String(end.text).trimEnd();
}

/** Keeps the last four, because they cover most of the conversation. A long mark after a short one is rejected. */
function limitBreakpoints(blocks: readonly Block[], context: WireContext): void {
  const marked = blocks.flatMap((block) => [block, ...innerBlocks(block)]).filter((block) => block.cache_control);
  const excess = Math.max(0, marked.length - MAX_BREAKPOINTS);
  for (const block of marked.slice(0, excess)) delete block.cache_control;
  if (excess > 0) {
    const message = `Only the last ${MAX_BREAKPOINTS} of ${marked.length} cache marks were sent, because this provider accepts no more.`;
    context.warn({ code: 'cache-marks-dropped', message });
  }
  const kept = marked.slice(excess);
  const firstShort = kept.findIndex((block) => !isLong(block));
  const late = firstShort === -1 ? [] : kept.slice(firstShort).filter(isLong);
  for (const block of late) block.cache_control = cacheControl('short');
  if (late.length > 0) {
    const message =
      'Long cache marks after a short one were sent as short ones, because this provider accepts long ones only before short ones.';
    context.warn({ code: 'cache-marks-changed', message });
  }
}

const isLong = (block: Block): boolean => asRecord(block.cache_control)?.ttl === '1h';
const innerBlocks = ({ content }: Block): readonly Block[] => (Array.isArray(content) ? (content as Block[]) : []);

function warnOfLostReasoning(messages: readonly Message[], context: WireContext): void {
  const lost = messages
    .flatMap((message) => (message.role === 'assistant' ? partsOf(message) : []))
    .some((part) => part.type === 'reasoning' && isOpaque(part) && part.family !== context.target.provider);
  if (!lost) return;
  const message =
    'Signed reasoning of another provider was dropped, because only the provider that made it can read it.';
  context.warn({ code: 'reasoning-dropped', message });
}

const isOpaque = (part: ReasoningPart): boolean => part.signature !== undefined || part.redacted !== undefined;
