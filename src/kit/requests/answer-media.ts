/**
 * Images, sound, videos and files of earlier answers. A wire that has no place for one in an assistant message gets it in the user
 * message after it, where most models read it.
 */
import type { Capability, MediaPart, Message, ModelRequest, Part } from '../../core/model/model.ts';
import type { WireContext, WireFormat } from '../../core/model/provider.ts';

const NEEDS = { image: 'image-in', audio: 'audio-in', video: 'video-in', file: 'file-in' } as const satisfies Record<
  MediaPart['type'],
  Capability
>;

const INTRODUCTION = 'From your answer before:';

/** The request with the media of its assistant messages where the wire can send them; itself where nothing moves. */
export function withAnswerMedia<Request extends ModelRequest>(
  request: Request,
  { returnsMedia }: Pick<WireFormat, 'returnsMedia'>,
  context: WireContext,
): Request {
  if (returnsMedia === undefined || request.operation !== 'chat' || !request.messages.some(hasMedia)) return request;
  const messages: Message[] = [];
  let moved: readonly MediaPart[] = [];
  for (const message of request.messages) {
    if (moved.length > 0) {
      const answers = message.role === 'user' || message.role === 'tool';
      messages.push(answers ? extended(message, moved) : mediaMessage(moved));
      moved = [];
      if (answers) continue;
    }
    if (!hasMedia(message)) messages.push(message);
    else {
      const others = partsOf(message).filter((part) => !isMedia(part) || returnsMedia(part, context));
      moved = movable(message, others, context);
      messages.push({ ...message, content: others.length > 0 ? others : [{ type: 'text', text: '[media]' }] });
    }
  }
  if (moved.length > 0) messages.push(mediaMessage(moved));
  return { ...request, messages };
}

export const isMedia = (part: Part): part is MediaPart => Object.hasOwn(NEEDS, part.type);

const hasMedia = ({ role, content }: Message): boolean =>
  role === 'assistant' && typeof content !== 'string' && content.some(isMedia);

const partsOf = ({ content }: Message): readonly Part[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

/** What the target can be sent in a user message of the media that do not stay. */
function movable(message: Message, stay: readonly Part[], context: WireContext): readonly MediaPart[] {
  const leaving = partsOf(message)
    .filter(isMedia)
    .filter((part) => !stay.includes(part));
  const sent = leaving.filter((part) => isReadable(part) && context.card.capabilities.includes(NEEDS[part.type]));
  // Text or the provider's own items say what the others hold.
  const lost = leaving.filter((part) => !sent.includes(part) && !isSaid(part, context));
  if (lost.length > 0) {
    const kinds = [...new Set(lost.map(({ type }) => type))].join(' and ');
    const text = `${context.card.id} was not sent the ${kinds} of an earlier answer, because it does not take it.`;
    context.warn({ code: 'media-dropped', message: text });
  }
  return sent.filter((part) => part.type !== 'audio' || part.transcript === undefined).map(withoutOwn);
}

/** False for the id of a file, which only the provider that made it can read. */
const isReadable = ({ source, family }: MediaPart): boolean =>
  family === undefined || source.type === 'base64' || /^[a-z][a-z0-9+.-]*:/i.test(source.url);

const isSaid = (part: MediaPart, { target }: WireContext): boolean =>
  (part.type === 'audio' && part.transcript !== undefined) || (part.family === target.provider && !isReadable(part));

function withoutOwn(part: MediaPart): MediaPart {
  const { family: _family, signature: _signature, raw: _raw, ...rest } = part;
  return rest;
}

const mediaMessage = (moved: readonly MediaPart[]): Message => ({
  role: 'user',
  content: [{ type: 'text', text: INTRODUCTION }, ...moved],
});

/** Results of tools stay first. */
function extended(message: Message, moved: readonly MediaPart[]): Message {
  const parts = partsOf(message);
  const results = parts.filter((part) => part.type === 'tool-result');
  const others = parts.filter((part) => part.type !== 'tool-result');
  return { ...message, content: [...results, { type: 'text', text: INTRODUCTION }, ...moved, ...others] };
}
