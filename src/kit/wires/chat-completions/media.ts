/** Images and sound of an answer, and how they go back in the next turn. */
import { PolyphonyError } from '../../../core/errors.ts';
import type { AudioPart, ChatRequest, MediaPart, MediaSource, ModelEvent } from '../../../core/model/model.ts';
import type { WireContext } from '../../../core/model/provider.ts';
import { asNumber, asRecord, asText, defined, type JsonRecord } from '../../json/json-shape.ts';
import { inlineMedia } from '../../requests/media.ts';
import type { ChatCompletionsQuirks } from './quirks.ts';

/** `{ image_url: { url } }`, `{ image_url }`, `{ url }` or `{ b64_json }`. */
export function imageOf(item: unknown): MediaSource | undefined {
  const image = asRecord(item);
  const data = asText(image?.b64_json);
  if (data) return { type: 'base64', data, mediaType: 'image/png' };
  const url = asText(asRecord(image?.image_url)?.url) ?? asText(image?.image_url) ?? asText(image?.url);
  if (!url) return undefined;
  const inline = inlineMedia({ type: 'url', url });
  return inline === undefined ? { type: 'url', url } : { type: 'base64', ...inline };
}

// ---------------------------------------------------------------------------------------------------- sound

/** The most base64 of an answer that is put together, in characters: as much as a whole answer may have in bytes. */
const MAX_AUDIO = 67_108_864;

export interface AudioDraft {
  readonly family: string;
  readonly mediaType: string;
  id: string | undefined;
  expiresAt: number | undefined;
  transcript: string;
  length: number;
  /** Base64, each piece for itself. */
  readonly pieces: string[];
}

const TYPES: Readonly<Record<string, string>> = { mp3: 'audio/mpeg', pcm16: 'audio/pcm' };

export function audioDraft({ providerOptions }: ChatRequest, { target }: WireContext): AudioDraft {
  const format = asText(asRecord(providerOptions?.[target.provider]?.audio)?.format) ?? 'wav';
  const mediaType = Object.hasOwn(TYPES, format) ? (TYPES[format] ?? '') : `audio/${format}`;
  const { provider: family } = target;
  return { family, mediaType, id: undefined, expiresAt: undefined, transcript: '', length: 0, pieces: [] };
}

/** @throws truncated for more sound than an answer may have */
export function readAudio(draft: AudioDraft, { id, data, transcript, expires_at: expiresAt }: JsonRecord): void {
  draft.id = asText(id) ?? draft.id;
  draft.expiresAt = asNumber(expiresAt) ?? draft.expiresAt;
  draft.transcript += asText(transcript) ?? '';
  const piece = asText(data) ?? '';
  if (piece === '') return;
  draft.length += piece.length;
  if (draft.length > MAX_AUDIO) {
    const message = `The sound of the answer is longer than ${MAX_AUDIO} characters of base64: ask for a shorter answer.`;
    throw new PolyphonyError('truncated', message, { retryable: false });
  }
  draft.pieces.push(piece);
}

export function audioEvent(draft: AudioDraft): ModelEvent | undefined {
  const { pieces, mediaType, family, id, expiresAt, transcript } = draft;
  const [only = ''] = pieces;
  if (only === '') return undefined;
  // Each piece may be padded, so pieces cannot be joined as text.
  const bytes = (): string => Buffer.concat(pieces.map((piece) => Buffer.from(piece, 'base64'))).toString('base64');
  const source: MediaSource = { type: 'base64', data: pieces.length === 1 ? only : bytes(), mediaType };
  const part: AudioPart = defined({
    type: 'audio' as const,
    source,
    transcript: transcript === '' ? undefined : transcript,
    family,
    raw: id === undefined ? undefined : defined({ id, expires_at: expiresAt }),
  });
  return { type: 'media', part };
}

// ---------------------------------------------------------------------------------------------------- the next turn

/** Sound goes back by its id, images where the server takes them in an assistant message. */
export function returnsMedia(part: MediaPart, quirks: ChatCompletionsQuirks, context: WireContext): boolean {
  if (part.type === 'image') return quirks.answerImages === true;
  return part.type === 'audio' && soundId(part, context) !== undefined;
}

/** The id of sound that this provider made and still has. */
export function soundId({ family, raw }: AudioPart, { target, clock }: WireContext): string | undefined {
  const sound = family === target.provider ? asRecord(raw) : undefined;
  const expiresAt = asNumber(sound?.expires_at);
  return expiresAt !== undefined && expiresAt * 1000 <= clock.now() ? undefined : asText(sound?.id);
}
