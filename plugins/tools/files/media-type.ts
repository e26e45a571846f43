/** Pictures and PDF documents by their first bytes: the name of a file says nothing that can be trusted. */

const LATIN = new TextDecoder('latin1');
/** The brands of the ISO base media format that are pictures. */
const PICTURE_BRANDS: Readonly<Record<string, string>> = {
  avif: 'image/avif',
  avis: 'image/avif',
  heic: 'image/heic',
  heix: 'image/heic',
  mif1: 'image/heif',
  msf1: 'image/heif',
};
const BMP_HEADERS: ReadonlySet<number> = new Set([12, 40, 52, 56, 64, 108, 124]);

/** `image/png`, `application/pdf` and the like; undefined for anything else, text included. */
export function mediaTypeOf(bytes: Uint8Array): string | undefined {
  const head = LATIN.decode(bytes.subarray(0, 32));
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if ((head.startsWith('GIF87a') || head.startsWith('GIF89a')) && bytes.includes(0)) return 'image/gif';
  if (head.startsWith('RIFF') && head.startsWith('WEBP', 8)) return 'image/webp';
  if (head.startsWith('II*\0') || head.startsWith('MM\0*')) return 'image/tiff';
  if (head.startsWith('ftyp', 4)) return PICTURE_BRANDS[head.slice(8, 12)];
  if (head.startsWith('BM') && head.startsWith('\0\0\0\0', 6) && BMP_HEADERS.has(bytes[14] ?? 0)) return 'image/bmp';
  // A document may begin with the mark of UTF-8 or with empty lines.
  return /^(?:\xef\xbb\xbf)?\s{0,8}%PDF-\d/.test(head) ? 'application/pdf' : undefined;
}
