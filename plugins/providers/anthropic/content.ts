/** Encodes parts as content blocks of this wire format. */
import { defined, type FilePart, type ImagePart, type MediaSource, PolyphonyError, type TextPart } from 'polyphony/kit';

export type Block = Record<string, unknown>;

/** The cache mark of a text; messages.ts limits the number of marks. */
export const cacheControl = (cache: 'short' | 'long'): Block =>
  cache === 'long' ? { type: 'ephemeral', ttl: '1h' } : { type: 'ephemeral' };

/** Undefined for empty text, which this wire format rejects. */
export function textBlock(part: TextPart): Block | undefined {
  if (part.text.trim() === '') return undefined;
  return defined({
    type: 'text',
    text: part.text,
    cache_control: part.cache === undefined ? undefined : cacheControl(part.cache),
  });
}

export function imageBlock({ source }: ImagePart): Block {
  return { type: 'image', source: mediaSource(source, 'image/*') };
}

/** @throws unsupported for a kind of file that this wire format does not support */
export function fileBlock({ source, name }: FilePart): Block {
  const mediaType = mediaTypeOf(source);
  if (mediaType?.startsWith('image/') === true) return imageBlock({ type: 'image', source });
  const { type, ...held } = documentSource(source, mediaType);
  return defined({ type: 'document', source: { type, ...held }, title: name });
}

function documentSource(source: MediaSource, mediaType: string | undefined): Block {
  const inline = inlineOf(source);
  if (inline === undefined) return mediaSource(source, 'application/pdf');
  if (mediaType === 'application/pdf') return { type: 'base64', media_type: mediaType, data: inline.data };
  if (mediaType?.startsWith('text/') === true || mediaType === 'application/json') {
    return { type: 'text', media_type: 'text/plain', data: Buffer.from(inline.data, 'base64').toString('utf8') };
  }
  throw refused(`files of the type "${mediaType ?? 'unknown'}"`, 'Send PDF, text or an image.');
}

function mediaSource(source: MediaSource, wanted: string): Block {
  const inline = inlineOf(source);
  if (inline !== undefined) return { type: 'base64', media_type: inline.mediaType, data: inline.data };
  const url = source.type === 'url' ? source.url : '';
  if (/^https?:/i.test(url)) return { type: 'url', url };
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1];
  // A URL without a scheme is the id of an uploaded file.
  if (scheme === undefined) return { type: 'file', file_id: url };
  throw refused(
    `"${scheme}:" URLs for ${wanted}`,
    'Send it inline, as an https: URL or as the id of an uploaded file.',
  );
}

interface Inline {
  readonly data: string;
  readonly mediaType: string;
}

function inlineOf(source: MediaSource): Inline | undefined {
  if (source.type === 'base64') return source;
  const [, mediaType, data] = /^data:([^;,]+)[^,]*;base64,(.*)$/s.exec(source.url) ?? [];
  return mediaType === undefined || data === undefined ? undefined : { mediaType, data };
}

const mediaTypeOf = (source: MediaSource): string | undefined =>
  inlineOf(source)?.mediaType ?? (source.type === 'url' ? source.mediaType : undefined);

export function refused(what: string, remedy: string): PolyphonyError {
  return new PolyphonyError('unsupported', `This provider does not support ${what}. ${remedy}`);
}
