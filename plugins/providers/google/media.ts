/** Media as parts of this wire format: inline bytes, or a file by its URL. */
import { type ChatRequest, defined, type MediaSource, PolyphonyError, type WireContext } from 'polyphony/kit';

export type WirePart = Record<string, unknown>;

const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  html: 'text/html',
  json: 'application/json',
  mp3: 'audio/mp3',
  wav: 'audio/wav',
  ogg: 'audio/ogg',
  flac: 'audio/flac',
  aac: 'audio/aac',
  m4a: 'audio/m4a',
  mp4: 'video/mp4',
  mov: 'video/quicktime',
  webm: 'video/webm',
  mpeg: 'video/mpeg',
  mpg: 'video/mpg',
};

/** Bytes are sent inline; URLs (https:, gs:, uploaded files, videos) are fetched by the provider. */
export function mediaPart(source: MediaSource): WirePart {
  if (source.type === 'base64') return inline(source.mediaType, source.data);
  const [, mediaType, data] = /^data:([^;,]+)[^,]*;base64,(.*)$/s.exec(source.url) ?? [];
  if (mediaType !== undefined && data !== undefined) return inline(mediaType, data);
  return { fileData: defined({ fileUri: source.url, mimeType: source.mediaType ?? typeOfName(source.url) }) };
}

const inline = (mimeType: string, data: string): WirePart => ({ inlineData: { mimeType: named(mimeType), data } });

/** The provider lists only the registered name of the type. */
const named = (mimeType: string): string => (mimeType.toLowerCase() === 'image/jpg' ? 'image/jpeg' : mimeType);

/** The media type by file extension; URLs without one (uploaded files, videos of sites) need none. */
function typeOfName(url: string): string | undefined {
  const extension = /\.([a-z0-9]+)(?:[?#]|$)/i.exec(url.replace(/^[a-z]+:\/\/[^/]*/i, ''))?.[1];
  const known = extension?.toLowerCase() ?? '';
  return Object.hasOwn(TYPES, known) ? TYPES[known] : undefined;
}

// ---------------------------------------------------------------------------------------------------- addresses of the web

/** They read uploaded files and videos of YouTube only. */
const OLDER_MODELS = /^(?:models\/)?gemini-(?:1\.|2\.0)/;
const OWN_HOSTS = /^https?:\/\/(?:generativelanguage\.googleapis\.com|(?:www\.|m\.)?youtube\.com|youtu\.be)\//i;

/** @throws unsupported for an address that the model would refuse, or silently leave out */
export function assertAddresses({ messages }: ChatRequest, { card, target }: WireContext): void {
  if (!OLDER_MODELS.test(card.id)) return;
  for (const { content } of messages) {
    if (typeof content === 'string') continue;
    for (const part of content) {
      if (!('source' in part) || part.source.type !== 'url' || !isOfTheWeb(part.source.url)) continue;
      throw new PolyphonyError(
        'unsupported',
        `${target.provider}/${target.model} does not read ${part.type}s at an address: send the bytes as base64, upload the file first, or use a newer model.`,
      );
    }
  }
}

const isOfTheWeb = (url: string): boolean => /^https?:/i.test(url) && !OWN_HOSTS.test(url);
