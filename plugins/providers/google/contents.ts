/**
 * Encodes canonical messages: system text separately, two alternating roles, tool results directly after the turn
 * that called them, and only thought signatures of this provider.
 */
import {
  asRecord,
  defined,
  type MediaPart,
  type Message,
  type Part,
  PolyphonyError,
  type ReasoningPart,
  type ToolCallPart,
  type ToolResultPart,
  type WireContext,
} from 'polyphony/kit';
import { factsOf, type GeminiFacts } from './facts.ts';
import { mediaPart, type WirePart } from './media.ts';
import { isOwnId, signatureFor } from './signature.ts';

interface Content {
  readonly role: 'user' | 'model';
  parts: WirePart[];
}

export interface WireContents {
  readonly systemInstruction: { readonly parts: readonly WirePart[] } | undefined;
  readonly contents: readonly Content[];
}

interface Encoding {
  readonly context: WireContext;
  readonly facts: GeminiFacts;
  /** Tool names of the calls so far, by call id: tool results must repeat the name. */
  readonly names: Map<string, string>;
}

/** Accepted instead of a signature for calls that another model made. */
const UNSIGNED = 'skip_thought_signature_validator';
const GO_ON = 'Go on from exactly where your last message stops. Repeat nothing.';

export function encodeContents(
  messages: readonly Message[],
  instructions: readonly string[],
  context: WireContext,
): WireContents {
  const encoding: Encoding = { context, facts: factsOf(context.card), names: new Map() };
  const contents: Content[] = [];
  for (const message of messages) {
    if (message.role === 'system') continue;
    const role = message.role === 'assistant' ? 'model' : 'user';
    const parts = encodeParts(partsOf(message), role, encoding);
    const last = contents.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else if (parts.length > 0) contents.push({ role, parts });
  }
  if (contents.length === 0) throw empty();
  for (const content of contents) if (content.role === 'user') content.parts = responsesFirst(content.parts);
  warnOfLostReasoning(messages, context);
  askToGoOn(contents, context);
  return { systemInstruction: systemInstruction(messages, instructions), contents };
}

const empty = (): PolyphonyError =>
  new PolyphonyError('invalid-request', 'The request has no message to answer: add a user message that is not empty.');

const partsOf = ({ content }: Message): readonly Part[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

function systemInstruction(
  messages: readonly Message[],
  instructions: readonly string[],
): WireContents['systemInstruction'] {
  const systemParts = messages.filter(({ role }) => role === 'system').flatMap(partsOf);
  const texts = systemParts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  const parts = [...texts, ...instructions].filter(Boolean).map((text) => ({ text }));
  return parts.length === 0 ? undefined : { parts };
}

// ---------------------------------------------------------------------------------------------------- parts

function encodeParts(parts: readonly Part[], role: Content['role'], encoding: Encoding): WirePart[] {
  const encoded = parts.flatMap((part): WirePart[] => encodePart(part, role, encoding));
  const first = encoded.find((part) => part.functionCall !== undefined);
  // Of parallel calls, only the first has a signature.
  if (first !== undefined && first.thoughtSignature === undefined && encoding.facts.signedCalls) {
    first.thoughtSignature = UNSIGNED;
  }
  return encoded;
}

function encodePart(part: Part, role: Content['role'], encoding: Encoding): WirePart[] {
  switch (part.type) {
    case 'text':
      return part.text === '' ? [] : [{ text: part.text }];
    case 'image':
    case 'audio':
    case 'video':
    case 'file':
      return [signedMedia(part, encoding.context)];
    case 'reasoning':
      return role === 'model' ? reasoningPart(part, encoding.context) : [];
    case 'tool-call':
      encoding.names.set(part.id, part.name);
      return [callPart(part, encoding.context)];
    case 'tool-result':
      return responseParts(part, encoding);
  }
}

/** Media of this provider's answer go back with their signature. */
function signedMedia({ source, family, signature }: MediaPart, { target }: WireContext): WirePart {
  const thoughtSignature = family === target.provider ? signature : undefined;
  return defined({ ...mediaPart(source), thoughtSignature });
}

/** Thoughts are summaries, which the model does not need back; signed parts are sent back unchanged. */
function reasoningPart(part: ReasoningPart, { target }: WireContext): WirePart[] {
  if (part.family !== target.provider) return [];
  const own = asRecord(part.raw);
  if (own !== undefined) return [{ ...own }];
  return part.signature === undefined ? [] : [{ text: part.text, thought: true, thoughtSignature: part.signature }];
}

function callPart(call: ToolCallPart, { target }: WireContext): WirePart {
  const functionCall = defined({
    id: isOwnId(call.id) ? undefined : call.id,
    name: call.name,
    args: asRecord(call.arguments) ?? {},
  });
  return defined({ functionCall, thoughtSignature: signatureFor(call.signature, target.provider) });
}

function responseParts(result: ToolResultPart, { context, facts, names }: Encoding): WirePart[] {
  const parts = typeof result.content === 'string' ? [] : result.content;
  const texts = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  const text = typeof result.content === 'string' ? result.content : texts.join('\n');
  const media = parts.flatMap((part) => (part.type === 'text' ? [] : [mediaPart(part.source)]));
  const functionResponse = defined({
    id: isOwnId(result.id) ? undefined : result.id,
    name: result.name ?? names.get(result.id) ?? result.id,
    response: result.isError === true ? { error: text } : { output: text },
    parts: facts.mediaInResults && media.length > 0 ? media : undefined,
  });
  if (facts.mediaInResults || media.length === 0) return [{ functionResponse }];
  const message = `Tool results of ${context.card.id} can contain only text, so their images and files were sent after them.`;
  context.warn({ code: 'tool-result-media', message });
  return [{ functionResponse }, ...media];
}

// ---------------------------------------------------------------------------------------------------- rules of the wire

const isResponse = (part: WirePart): boolean => part.functionResponse !== undefined;

function responsesFirst(parts: readonly WirePart[]): WirePart[] {
  return [...parts.filter(isResponse), ...parts.filter((part) => !isResponse(part))];
}

/** Newer models reject a final turn of the model. */
function askToGoOn(contents: Content[], { card, warn }: WireContext): void {
  if (contents.at(-1)?.role !== 'model' || card.capabilities.includes('prefix')) return;
  contents.push({ role: 'user', parts: [{ text: GO_ON }] });
  const message = `${card.id} does not continue an assistant message, so a user message that asks it to go on was added.`;
  warn({ code: 'prefix-in-words', message });
}

function warnOfLostReasoning(messages: readonly Message[], { target, warn }: WireContext): void {
  const lost = messages
    .flatMap((message) => (message.role === 'assistant' ? partsOf(message) : []))
    .some((part) => part.type === 'reasoning' && isOpaque(part) && part.family !== target.provider);
  if (!lost) return;
  const message =
    'Signed reasoning of another provider was dropped, because only the provider that made it can read it.';
  warn({ code: 'reasoning-dropped', message });
}

const isOpaque = (part: ReasoningPart): boolean => part.signature !== undefined || part.redacted !== undefined;
