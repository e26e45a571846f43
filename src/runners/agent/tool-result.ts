/** What a model reads of the result of a tool that it called. */
import { kindOfFile } from '../../core/model/media-kind.ts';
import type { FilePart, ImagePart, MediaSource, TextPart, ToolResultPart } from '../../core/model/model.ts';

/**
 * A text as it is, anything else as JSON. Pictures and files among the fields of an object come as parts of their own: as JSON
 * their bytes would be paid as text that no model can read. Sound and films, for which no provider has a place there, are named only.
 */
export function toolResultContent(result: unknown): ToolResultPart['content'] {
  if (typeof result === 'string') return result;
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return JSON.stringify(result);
  const media = Object.entries(result).filter(([, value]) => isMedia(value));
  if (media.length === 0) return JSON.stringify(result);
  const names = new Map<string, string>();
  const parts = media.flatMap(([name, value]): (ImagePart | FilePart)[] => {
    const { data, mediaType } = value as Base64;
    if (kindOfFile(mediaType) !== 'file') {
      names.set(name, `${mediaType}, not sent: results of tools hold no sound and no films`);
      return [];
    }
    names.set(name, mediaType);
    const type = mediaType.startsWith('image/') ? 'image' : 'file';
    return [{ type, source: { type: 'base64', data, mediaType } }];
  });
  const rest = Object.entries(result).map(([name, value]) => [name, names.get(name) ?? value] as const);
  const text: TextPart = { type: 'text', text: JSON.stringify(Object.fromEntries(rest)) };
  return [text, ...parts];
}

type Base64 = Extract<MediaSource, { type: 'base64' }>;

function isMedia(value: unknown): value is Base64 {
  if (typeof value !== 'object' || value === null) return false;
  const { type, data, mediaType } = value as Partial<Base64>;
  return type === 'base64' && typeof data === 'string' && typeof mediaType === 'string';
}
