/**
 * Parts of an answer while they stream in. A call arrives complete, unless the request asked for its arguments in pieces.
 * Signed parts are sent back unchanged: the signature of a thought is kept on its block, that of a call on the call, and
 * that of anything else (text, code that the provider ran) on a reasoning part without text, whose `raw` is the part.
 */
import {
  argumentsObject,
  asList,
  asRecord,
  asText,
  defined,
  type JsonRecord,
  type JsonValue,
  type MediaPart,
  type ModelEvent,
} from 'polyphony/kit';
import { type Arguments, addArgument } from './arguments.ts';
import { ownId, signed } from './signature.ts';

interface Call {
  readonly index: number;
  readonly id: string;
  readonly name: string;
  signature: string | undefined;
  readonly arguments: Arguments;
}

export interface Parts {
  readonly family: string;
  readonly emit: (event: ModelEvent) => void;
  /** A text of the answer; counts what is none. */
  readonly textOf: (value: unknown) => string | undefined;
  /** The id of the answer, once it is known. */
  responseId: string;
  /** Calls so far. */
  calls: number;
  /** The call whose arguments are not complete. */
  call: Call | undefined;
  /** The thoughts since the last reasoning block was closed. */
  thoughts: string | undefined;
}

export const newParts = (options: Pick<Parts, 'family' | 'emit' | 'textOf'>): Parts => ({
  ...options,
  responseId: '',
  calls: 0,
  call: undefined,
  thoughts: undefined,
});

export function readPart(parts: Parts, part: JsonRecord): void {
  const text = parts.textOf(part.text);
  const signature = asText(part.thoughtSignature) || undefined;
  const functionCall = asRecord(part.functionCall);
  if (functionCall !== undefined) readCall(parts, functionCall, signature);
  else if (text === undefined) readOther(parts, part);
  else if (part.thought === true) think(parts, text, signature);
  else say(parts, text, signature);
}

/** Closes open blocks and calls. `ended`: the model came to its end, so an open call has all its arguments. */
export function endParts(parts: Parts, ended: boolean): void {
  closeThoughts(parts, undefined);
  if (ended) closeCall(parts);
  else cutCall(parts);
}

// ---------------------------------------------------------------------------------------------------- text and thoughts

function say(parts: Parts, text: string, signature: string | undefined): void {
  if (text !== '') {
    closeThoughts(parts, undefined);
    parts.emit({ type: 'text-delta', text });
  }
  // The text was already emitted: its signature follows in a part of its own.
  if (signature !== undefined) keep(parts, { text: '', thoughtSignature: signature });
}

function think(parts: Parts, text: string, signature: string | undefined): void {
  parts.thoughts = (parts.thoughts ?? '') + text;
  if (text !== '') parts.emit({ type: 'reasoning-delta', text });
  if (signature !== undefined) closeThoughts(parts, signature);
}

function closeThoughts(parts: Parts, signature: string | undefined): void {
  const { thoughts: text, family } = parts;
  if (text === undefined) return;
  parts.thoughts = undefined;
  parts.emit({ type: 'reasoning', part: defined({ type: 'reasoning', text, signature, family }) });
}

/** Keeps the part, so that it is sent back to this provider unchanged. */
function keep(parts: Parts, raw: JsonRecord): void {
  closeThoughts(parts, undefined);
  const { family } = parts;
  parts.emit({ type: 'reasoning', part: { type: 'reasoning', text: '', family, raw: raw as JsonValue } });
}

/** Media are parts of the answer; code that the provider ran and calls of its own tools are sent back. */
function readOther(parts: Parts, part: JsonRecord): void {
  const media = part.thought === true ? undefined : mediaOf(part, parts.family);
  const known = ['executableCode', 'codeExecutionResult', 'toolCall', 'toolResponse', 'thoughtSignature'];
  if (media !== undefined) {
    closeThoughts(parts, undefined);
    parts.emit({ type: 'media', part: media });
  } else if (part.inlineData === undefined && known.some((name) => part[name] !== undefined)) keep(parts, part);
}

function mediaOf(part: JsonRecord, family: string): MediaPart | undefined {
  const inline = asRecord(part.inlineData);
  const file = asRecord(part.fileData);
  const data = asText(inline?.data);
  const url = asText(file?.fileUri);
  const mediaType = (asText(inline?.mimeType) ?? asText(file?.mimeType) ?? '').toLowerCase();
  if (!data && !url) return undefined;
  const source = data
    ? { type: 'base64' as const, data, mediaType }
    : defined({ type: 'url' as const, url: url ?? '', mediaType: mediaType || undefined });
  const name = asText(inline?.displayName) ?? asText(file?.displayName);
  const made = defined({ source, family, signature: asText(part.thoughtSignature) || undefined });
  const kind = (['image', 'audio', 'video'] as const).find((known) => mediaType.startsWith(`${known}/`));
  return kind === undefined ? defined({ type: 'file' as const, name, ...made }) : { type: kind, ...made };
}

// ---------------------------------------------------------------------------------------------------- calls

function readCall(parts: Parts, functionCall: JsonRecord, thoughtSignature: string | undefined): void {
  closeThoughts(parts, undefined);
  const name = asText(functionCall.name);
  const signature = thoughtSignature === undefined ? undefined : signed(thoughtSignature, parts.family);
  if (name) {
    closeCall(parts);
    const index = parts.calls++;
    const id = asText(functionCall.id) || ownId(parts.responseId, index);
    parts.call = { index, id, name, signature, arguments: { ...argumentsObject(functionCall.args) } };
  }
  const { call } = parts;
  if (call === undefined) return;
  call.signature ??= signature;
  for (const piece of asList(functionCall.partialArgs) ?? []) addArgument(call.arguments, piece);
  if (functionCall.willContinue !== true) closeCall(parts);
}

/** A call whose arguments were still to come is kept as it is, but nobody may take it for a whole one. */
function cutCall(parts: Parts): void {
  const { call } = parts;
  if (call === undefined) return;
  parts.call = undefined;
  const { index, id, name, signature } = call;
  const raw = JSON.stringify(call.arguments);
  const message = `The arguments of the tool call "${name}" were cut, so they were kept as text in "raw".`;
  parts.emit({ type: 'tool-call-delta', index, id, name, delta: raw });
  parts.emit({ type: 'warning', warning: { code: 'tool-arguments', message } });
  parts.emit({
    type: 'tool-call',
    call: defined({ type: 'tool-call' as const, id, name, arguments: {}, raw, signature }),
  });
}

function closeCall(parts: Parts): void {
  if (parts.call === undefined) return;
  const { index, id, name, signature, arguments: args } = parts.call;
  parts.call = undefined;
  parts.emit({ type: 'tool-call-delta', index, id, name, delta: JSON.stringify(args) });
  const call = defined({ type: 'tool-call' as const, id, name, arguments: args as JsonValue, signature });
  parts.emit({ type: 'tool-call', call });
}
