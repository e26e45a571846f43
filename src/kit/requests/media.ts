/** The inline bytes of a media source. */
import type { MediaSource } from '../../core/model/model.ts';

export interface InlineMedia {
  /** Base64. */
  readonly data: string;
  readonly mediaType: string;
}

/** Base64 and type of an inline source or a `data:` URL; undefined if the bytes are elsewhere. */
export function inlineMedia(source: MediaSource): InlineMedia | undefined {
  if (source.type === 'base64') return { data: source.data, mediaType: source.mediaType };
  const [, mediaType, data] = /^data:([^;,]+)[^,]*;base64,(.*)$/s.exec(source.url) ?? [];
  return mediaType === undefined || data === undefined ? undefined : { mediaType, data };
}
