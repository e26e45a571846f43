/** Parts of messages in the form of the Responses wire. */
import { PolyphonyError } from '../../../core/errors.ts';
import type { AudioPart, FilePart, ImagePart, Part, TextPart } from '../../../core/model/model.ts';
import { defined } from '../../json/json-shape.ts';

export type Item = Record<string, unknown>;
type MediaSource = ImagePart['source'];

/** A string if there is only one text, because every server accepts that. */
export function contentOf(parts: readonly Part[]): string | readonly Item[] {
  const [only] = parts;
  return parts.length === 1 && only?.type === 'text' ? only.text : parts.map(encodePart);
}

/** @throws unsupported for audio and video */
function encodePart(part: Part): Item {
  switch (part.type) {
    case 'text':
      return textContent(part);
    case 'image':
      return imageContent(part);
    case 'file':
      return fileContent(part);
    default:
      throw new PolyphonyError(
        'unsupported',
        `This wire format does not support ${part.type} in a message: ${remedyOf(part)}`,
      );
  }
}

const remedyOf = (part: Part): string =>
  isMedia(part) ? 'use another wire format, or a model of another provider.' : 'put it into an assistant message.';
const isMedia = (part: Part): part is AudioPart => part.type === 'audio' || part.type === 'video';

export const textContent = ({ text }: Pick<TextPart, 'text'>): Item => ({ type: 'input_text', text });

export function imageContent({ source, detail }: ImagePart): Item {
  const id = fileId(source);
  const image = id === undefined ? { image_url: addressOf(source) } : { file_id: id };
  return defined({ type: 'input_image', ...image, detail });
}

export function fileContent({ source, name }: FilePart): Item {
  const id = fileId(source);
  if (id !== undefined) return { type: 'input_file', file_id: id };
  if (source.type === 'url' && !source.url.startsWith('data:')) return { type: 'input_file', file_url: source.url };
  const subtype = (source.mediaType ?? 'application/pdf').replace(/^.*\/|;.*$/g, '');
  const filename = name ?? `file.${subtype === 'plain' ? 'txt' : subtype}`;
  return { type: 'input_file', filename, file_data: addressOf(source) };
}

/** A URL without a scheme is the id of a file that was uploaded before. */
const fileId = (source: MediaSource): string | undefined =>
  source.type === 'url' && !/^[a-z][a-z0-9+.-]*:/i.test(source.url) ? source.url : undefined;

const addressOf = (source: MediaSource): string =>
  source.type === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
