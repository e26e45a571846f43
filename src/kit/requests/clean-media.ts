/** Images as servers take them: plain base64 under the type that the bytes have. */
import { PolyphonyError } from '../../core/errors.ts';
import type { FilePart, ImagePart, MediaSource } from '../../core/model/model.ts';
import { imageTypeOfBytes, usualImageType } from './image-type.ts';
import { inlineMedia } from './media.ts';

/** What most servers read. */
export const IMAGE_TYPES: readonly string[] = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];

/** An image, or a file that is labelled as one; other parts are returned as they are. @throws unsupported */
export function cleanMedia<P extends ImagePart | FilePart>(part: P, types: readonly string[]): P {
  const inline = inlineMedia(part.source);
  if (part.type === 'file' && inline?.mediaType.trim().toLowerCase().startsWith('image/') !== true) return part;
  const source = cleanImage(part.source, types);
  return source === part.source ? part : { ...part, source };
}

/**
 * The source itself if nothing is to be changed.
 *
 * @throws unsupported for inline bytes of a type that the server does not read
 */
export function cleanImage(source: MediaSource, types: readonly string[]): MediaSource {
  const inline = inlineMedia(source);
  if (inline === undefined) {
    refuseLabel(source.mediaType, types);
    return source;
  }
  const data = plainBase64(inline.data);
  const type = imageTypeOfBytes(data) ?? usualImageType(inline.mediaType);
  if (!types.includes(type)) throw refused(type, types);
  const same = source.type === 'base64' && data === source.data && type === source.mediaType;
  return same ? source : { type: 'base64', data, mediaType: type };
}

/** An address whose label says what the server would find. */
function refuseLabel(label: string | undefined, types: readonly string[]): void {
  const type = usualImageType(label ?? '');
  if (type.startsWith('image/') && type !== 'image/*' && !types.includes(type)) throw refused(type, types);
}

function refused(type: string, types: readonly string[]): PolyphonyError {
  const names = types.map((name) => name.replace('image/', '')).join(', ');
  return new PolyphonyError(
    'unsupported',
    `This provider does not read images of the type "${type.slice(0, 100)}": convert the image to one of ${names}, or use a model of another provider.`,
  );
}

/** Without a `data:` prefix, line breaks and the alphabet of URLs. */
function plainBase64(data: string): string {
  const prefixed = /^\s*data:[^,]{0,200};base64,/i.exec(data)?.[0].length ?? 0;
  const bare = prefixed === 0 ? data : data.slice(prefixed);
  return /[^A-Za-z0-9+/=]/.test(bare) ? bare.replace(/\s+/g, '').replaceAll('-', '+').replaceAll('_', '/') : bare;
}
