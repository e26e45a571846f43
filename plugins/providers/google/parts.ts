/**
 * Parts of an answer while they stream in. A call comes whole, unless the request asked for its arguments in pieces.
 * What is signed goes back as it came: a thought's signature stands on its block, a call's on the call, and that of
 * anything else (text, code that the provider ran) on a reasoning part without text, whose `raw` is the part.
 */
import type { JsonValue, MediaSource, ModelEvent } from 'polyphony';
import { asList, asRecord, asText, defined, type JsonRecord } from 'polyphony/kit';
import { type Arguments, addArgument } from './arguments.ts';
import { ownId, signed } from './signature.ts';

export interface PartReader {
  read(part: JsonRecord): void;
  /** Closes what is still open. */
  end(): void;
  readonly calls: number;
  readonly images: readonly MediaSource[];
}

interface Call {
  readonly index: number;
  readonly id: string;
  readonly name: string;
  signature: string | undefined;
  readonly arguments: Arguments;
}

export interface PartOptions {
  readonly family: string;
  /** The id of the answer, once it is known. */
  readonly responseId: () => string;
  readonly emit: (event: ModelEvent) => void;
}

export function partReader({ family, responseId, emit }: PartOptions): PartReader {
  let calls = 0;
  let pending: Call | undefined;
  let thoughts: { text: string; signature: string | undefined } | undefined;
  const images: MediaSource[] = [];

  const closeThoughts = (): void => {
    if (thoughts === undefined) return;
    emit({ type: 'reasoning', part: defined({ type: 'reasoning' as const, ...thoughts, family }) });
    thoughts = undefined;
  };

  const think = (text: string, signature: string | undefined): void => {
    thoughts ??= { text: '', signature: undefined };
    thoughts.text += text;
    if (text !== '') emit({ type: 'reasoning-delta', text });
    if (signature === undefined) return;
    thoughts.signature = signature;
    closeThoughts();
  };

  const keep = (raw: JsonRecord): void => {
    closeThoughts();
    emit({ type: 'reasoning', part: { type: 'reasoning', text: '', family, raw: raw as JsonValue } });
  };

  const closeCall = (): void => {
    if (pending === undefined) return;
    const { index, id, name, signature, arguments: args } = pending;
    pending = undefined;
    emit({ type: 'tool-call-delta', index, id, name, delta: JSON.stringify(args) });
    emit({
      type: 'tool-call',
      call: defined({ type: 'tool-call' as const, id, name, arguments: args as JsonValue, signature }),
    });
  };

  const call = (told: JsonRecord, thoughtSignature: string | undefined): void => {
    closeThoughts();
    const name = asText(told.name);
    const signature = thoughtSignature === undefined ? undefined : signed(thoughtSignature, family);
    if (name) {
      closeCall();
      const index = calls++;
      const id = asText(told.id) || ownId(responseId(), index);
      pending = { index, id, name, signature, arguments: { ...asRecord(told.args) } };
    } else if (pending !== undefined) pending.signature ??= signature;
    for (const piece of asList(told.partialArgs) ?? [])
      if (pending !== undefined) addArgument(pending.arguments, piece);
    if (told.willContinue !== true) closeCall();
  };

  const say = (text: string, signature: string | undefined): void => {
    if (text !== '') {
      closeThoughts();
      emit({ type: 'text-delta', text });
    }
    // The text was said: the signature stands alone behind it.
    if (signature !== undefined) keep({ text: '', thoughtSignature: signature });
  };

  return {
    images,
    get calls() {
      return calls;
    },
    read(part) {
      const { text } = part;
      const signature = asText(part.thoughtSignature) || undefined;
      const functionCall = asRecord(part.functionCall);
      if (functionCall !== undefined) call(functionCall, signature);
      else if (typeof text === 'string') {
        if (part.thought === true) think(text, signature);
        else say(text, signature);
      } else readOther(part, images, keep);
    },
    end() {
      closeThoughts();
      closeCall();
    },
  };
}

/** Images are results; code that the provider ran and calls of its own tools go back as they came. */
function readOther(part: JsonRecord, images: MediaSource[], keep: (raw: JsonRecord) => void): void {
  const inline = asRecord(part.inlineData);
  const data = asText(inline?.data);
  const mediaType = asText(inline?.mimeType) ?? '';
  if (data === undefined) keep(part);
  else if (mediaType.startsWith('image/') && part.thought !== true) images.push({ type: 'base64', data, mediaType });
}
