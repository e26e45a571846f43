/** The media type of an image: what its bytes say, then what its label says. */

/** Bytes that are read. */
const HEAD_BYTES = 36;

/** The media type by the first bytes of the base64, lower-case; undefined for bytes without a known signature. */
export function imageTypeOfBytes(base64: string): string | undefined {
  const head = Buffer.from(base64.slice(0, (HEAD_BYTES / 3) * 4), 'base64').toString('latin1');
  for (const [signature, type] of SIGNATURES) if (head.startsWith(signature)) return type;
  if (head.startsWith('RIFF') && head.startsWith('WEBP', 8)) return 'image/webp';
  if (head.startsWith('ftyp', 4)) return BRANDS[head.slice(8, 12)];
  // Two letters alone may begin any text; the reserved bytes of the header are zero.
  if (head.startsWith('BM') && head.startsWith('\0\0\0\0', 6)) return 'image/bmp';
  return /^(?:\xef\xbb\xbf)?\s*<(?:svg[\s>]|\?xml\s)/i.test(head) ? 'image/svg+xml' : undefined;
}

const SIGNATURES: readonly (readonly [string, string])[] = [
  ['\x89PNG\r\n\x1a\n', 'image/png'],
  ['\xff\xd8\xff', 'image/jpeg'],
  ['GIF87a', 'image/gif'],
  ['GIF89a', 'image/gif'],
  ['II*\0', 'image/tiff'],
  ['MM\0*', 'image/tiff'],
  ['II+\0', 'image/tiff'],
  ['MM\0+', 'image/tiff'],
  ['\0\0\x01\0', 'image/x-icon'],
  ['\xff\x0a', 'image/jxl'],
  ['\0\0\0\x0cJXL \r\n', 'image/jxl'],
  ['\0\0\0\x0cjP  \r\n', 'image/jp2'],
  ['8BPS', 'image/vnd.adobe.photoshop'],
  ['%PDF-', 'application/pdf'],
];

/** Of containers that begin with `ftyp`. */
const BRANDS: Readonly<Record<string, string>> = {
  heic: 'image/heic',
  heix: 'image/heic',
  heim: 'image/heic',
  heis: 'image/heic',
  hevc: 'image/heic',
  hevx: 'image/heic',
  mif1: 'image/heif',
  msf1: 'image/heif',
  avif: 'image/avif',
  avis: 'image/avif',
};

const NAMES: Readonly<Record<string, string>> = {
  'image/jpg': 'image/jpeg',
  'image/pjpeg': 'image/jpeg',
  'image/jfif': 'image/jpeg',
  'image/x-png': 'image/png',
  'image/apng': 'image/png',
};

/** The usual name of a media type: lower-case, without parameters. */
export function usualImageType(label: string): string {
  const type = label.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return Object.hasOwn(NAMES, type) ? (NAMES[type] ?? type) : type;
}
