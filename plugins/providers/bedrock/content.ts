/** Encodes parts as content blocks of this wire format. */
import {
  asRecord,
  type FilePart,
  inlineMedia,
  type MediaSource,
  type Part,
  PolyphonyError,
  type TextPart,
  type ToolResultPart,
} from 'polyphony/kit';
import type { ConverseFacts } from './facts.ts';

export type Block = Record<string, unknown>;

/** The mark after a part: the prompt up to it is cached. */
export function cachePoint(cache: TextPart['cache']): Block[] {
  if (cache === undefined) return [];
  return [{ cachePoint: cache === 'long' ? { type: 'default', ttl: '1h' } : { type: 'default' } }];
}

/** Empty for blank text, which this wire format rejects. */
export function textBlocks(part: TextPart, facts: ConverseFacts): Block[] {
  if (part.text.trim() === '') return [];
  return [{ text: part.text }, ...(facts.cachePoints ? cachePoint(part.cache) : [])];
}

/** @throws unsupported for parts that the wire format cannot carry */
export function contentBlocks(part: Part, names: () => string, facts: ConverseFacts): Block[] {
  switch (part.type) {
    case 'text':
      return textBlocks(part, facts);
    case 'image':
      return [{ image: mediaBlock(part.source, 'image') }];
    case 'audio':
      return [{ audio: mediaBlock(part.source, 'audio') }];
    case 'video':
      return [{ video: mediaBlock(part.source, 'video') }];
    case 'file':
      return [fileBlock(part, names)];
    case 'tool-result':
      return [resultBlock(part, names, facts)];
    case 'tool-call':
    case 'reasoning':
      return [];
  }
}

const FORMATS: Readonly<Record<string, string>> = {
  jpg: 'jpeg',
  'vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'vnd.ms-excel': 'xls',
  msword: 'doc',
  plain: 'txt',
  markdown: 'md',
  mpeg: 'mp3',
  'x-wav': 'wav',
  wave: 'wav',
  quicktime: 'mov',
  'x-matroska': 'mkv',
  '3gpp': 'three_gp',
};

function formatOf(mediaType: string): string {
  const subtype = mediaType.replace(/^.*\/|;.*$/g, '').toLowerCase();
  // The subtype `mpeg` of a video is not mp3.
  if (mediaType.startsWith('video/') && subtype === 'mpeg') return 'mpeg';
  return FORMATS[subtype] ?? subtype;
}

function mediaBlock(source: MediaSource, kind: 'image' | 'audio' | 'video'): Block {
  const inline = inlineMedia(source);
  if (inline !== undefined) return { format: formatOf(inline.mediaType), source: { bytes: inline.data } };
  return { format: formatOf(typeOf(source) ?? extensionOf(source) ?? `${kind}/unknown`), source: stored(source, kind) };
}

const typeOf = (source: MediaSource): string | undefined => source.mediaType;
const extensionOf = (source: MediaSource): string | undefined =>
  source.type === 'url' ? /\.([a-z0-9]+)$/i.exec(source.url)?.[1] : undefined;

/** This provider fetches only from its own storage. */
function stored(source: MediaSource, kind: string): Block {
  if (source.type === 'url' && source.url.startsWith('s3:')) return { s3Location: { uri: source.url } };
  throw new PolyphonyError(
    'unsupported',
    `This provider does not fetch "${kind}" parts from the web: send the part inline as base64, or as an s3: URL.`,
  );
}

function fileBlock({ source, name }: FilePart, names: () => string): Block {
  const inline = inlineMedia(source);
  const mediaType = inline?.mediaType ?? typeOf(source) ?? extensionOf(source) ?? 'application/pdf';
  if (mediaType.startsWith('image/')) return { image: mediaBlock(source, 'image') };
  const held = inline === undefined ? stored(source, 'file') : { bytes: inline.data };
  // A name may contain only letters, digits, single spaces and a few punctuation marks.
  const neutral = name
    ?.replace(/\.[a-z0-9]{1,5}$/i, '')
    .replace(/[^a-zA-Z0-9 ()[\]-]+/g, ' ')
    .replace(/ +/g, ' ')
    .trim();
  return { document: { format: formatOf(mediaType), name: neutral || names(), source: held } };
}

/** Blank text is rejected, and so is a result without content. */
const NOTHING = '(no output)';

function resultBlock(result: ToolResultPart, names: () => string, facts: ConverseFacts): Block {
  const { content, id, isError } = result;
  const blocks: Block[] =
    typeof content === 'string'
      ? textBlocks({ type: 'text', text: content }, { ...facts, cachePoints: false })
      : content.flatMap((part) => contentBlocks(part, names, { ...facts, cachePoints: false }));
  const failed = isError === true;
  if (failed && !facts.toolStatus) blocks.unshift({ text: 'Error:' });
  return {
    toolResult: {
      toolUseId: id,
      content: blocks.length === 0 ? [{ text: NOTHING }] : blocks,
      ...(failed && facts.toolStatus ? { status: 'error' } : {}),
    },
  };
}

/** Unchanged reasoning, only for the provider that made it. */
export function reasoningBlocks(part: Part, family: string): Block[] {
  if (part.type !== 'reasoning' || part.family !== family) return [];
  const raw = asRecord(part.raw);
  if (raw !== undefined) return [{ ...raw }];
  if (part.redacted !== undefined) return [{ reasoningContent: { redactedContent: part.redacted } }];
  if (part.signature === undefined) return [];
  return [{ reasoningContent: { reasoningText: { text: part.text, signature: part.signature } } }];
}
