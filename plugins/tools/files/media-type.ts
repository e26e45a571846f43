/** Pictures, sound and PDF documents by their first bytes: the name of a file says nothing that can be trusted. */

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
/** The brands of the same format that are sound. */
const SOUND_BRANDS: Readonly<Record<string, string>> = { 'M4A ': 'audio/mp4', 'M4B ': 'audio/mp4' };
const BMP_HEADERS: ReadonlySet<number> = new Set([12, 40, 52, 56, 64, 108, 124]);

/** `image/png`, `application/pdf` and the like; undefined for anything else, text included. */
export function mediaTypeOf(bytes: Uint8Array): string | undefined {
  const head = LATIN.decode(bytes.subarray(0, 32));
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if ((head.startsWith('GIF87a') || head.startsWith('GIF89a')) && bytes.includes(0)) return 'image/gif';
  if (head.startsWith('RIFF') && head.startsWith('WEBP', 8)) return 'image/webp';
  if (head.startsWith('II*\0') || head.startsWith('MM\0*')) return 'image/tiff';
  if (head.startsWith('ftyp', 4)) return PICTURE_BRANDS[head.slice(8, 12)] ?? SOUND_BRANDS[head.slice(8, 12)];
  if (head.startsWith('BM') && head.startsWith('\0\0\0\0', 6) && BMP_HEADERS.has(bytes[14] ?? 0)) return 'image/bmp';
  const sound = soundTypeOf(head, bytes);
  if (sound !== undefined) return sound;
  // A document may begin with the mark of UTF-8 or with empty lines.
  return /^(?:\xef\xbb\xbf)?\s{0,8}%PDF-\d/.test(head) ? 'application/pdf' : undefined;
}

function soundTypeOf(head: string, bytes: Uint8Array): string | undefined {
  if (head.startsWith('RIFF') && head.startsWith('WAVE', 8)) return 'audio/wav';
  if (head.startsWith('FORM') && (head.startsWith('AIFF', 8) || head.startsWith('AIFC', 8))) return 'audio/aiff';
  if (head.startsWith('fLaC\0') || head.startsWith('fLaC\x80')) return 'audio/flac';
  if (head.startsWith('OggS\0')) return 'audio/ogg';
  // A text may begin with these three letters, but not go on with a number below 16 and a zero.
  if (head.startsWith('ID3') && (bytes[3] ?? 255) < 16 && bytes[4] === 0) return 'audio/mpeg';
  return isFrame(bytes) ? 'audio/mpeg' : undefined;
}

/** A frame of MPEG layer III: eleven bits of one, then a version, a layer, a bit rate and a sample rate that exist. */
function isFrame([first, second = 0, third = 0]: Uint8Array): boolean {
  if (first !== 0xff || (second & 0xe0) !== 0xe0 || (second & 0x18) === 0x08 || (second & 0x06) !== 0x02) return false;
  const rate = third >> 4;
  return rate !== 0 && rate !== 15 && (third & 0x0c) !== 0x0c;
}
