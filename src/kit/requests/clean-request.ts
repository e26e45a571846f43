/**
 * Requests as servers take them, for all wires alike: what a caller, a model or another provider left in a conversation that
 * a server would refuse. What only one wire refuses is in that wire.
 *
 * C1. Arguments of tool calls are objects.
 * C2. Ids of tool calls fit the wire and differ.
 * C3. Images are plain base64 under the type of their bytes; what the server does not read is refused before it is sent.
 * C4. Empty parts and blank messages are left out, unless nothing else remains.
 * C5. Schemas of tools are objects with properties, without choices at their root.
 * C6. A request that needs none of this is returned itself.
 */
import type {
  ChatRequest,
  FilePart,
  ImagePart,
  JsonValue,
  Message,
  ModelRequest,
  Part,
  ToolCallPart,
  Warning,
} from '../../core/model/model.ts';
import type { RequestRules } from '../../core/model/provider.ts';
import { toolSchema } from '../json/tool-schema.ts';
import { type CallIds, callIds } from './call-ids.ts';
import { cleanImage, cleanMedia, IMAGE_TYPES } from './clean-media.ts';
import { argumentsObject } from './tool-arguments.ts';

const CALL_ID_LENGTH = 64;

/** @throws unsupported for an image of a type that the server does not read */
export function cleanRequest<R extends ModelRequest>(
  request: R,
  rules: RequestRules = {},
  warn: (warning: Warning) => void = ignore,
): R {
  const types = rules.imageTypes ?? IMAGE_TYPES;
  if (request.operation === 'chat') {
    const messages = cleanMessages(request.messages, rules, types);
    const tools = cleanTools(request.tools, warn);
    if (messages === request.messages && tools === request.tools) return request;
    return tools === undefined ? { ...request, messages } : { ...request, messages, tools };
  }
  if (request.operation === 'image' && request.image !== undefined) {
    const image = cleanImage(request.image, types);
    return image === request.image ? request : { ...request, image };
  }
  return request;
}

function ignore(): void {}

type Tools = ChatRequest['tools'];

function cleanTools(tools: Tools, warn: (warning: Warning) => void): Tools {
  if (tools === undefined || tools.every(({ inputSchema }) => toolSchema(inputSchema).schema === inputSchema))
    return tools;
  return tools.map((tool) => {
    const { schema, folded } = toolSchema(tool.inputSchema);
    if (folded.length > 0) {
      const message = `The schema of the tool "${tool.name}": ${folded.join(', ')} at its root became one object with the properties of all parts.`;
      warn({ code: 'schema-narrowed', message });
    }
    return { ...tool, inputSchema: schema };
  });
}

function cleanMessages(
  messages: readonly Message[],
  rules: RequestRules,
  types: readonly string[],
): readonly Message[] {
  const kept = messages.some(isBlank) ? withoutBlank(messages) : messages;
  if (!kept.some(needsCare)) return kept;
  const ids = callIds({ length: rules.callIdLength ?? CALL_ID_LENGTH, characters: rules.callIdCharacters ?? 'any' });
  return kept.map((message) => cleanMessage(message, ids, types));
}

const isBlank = ({ content }: Message): boolean =>
  typeof content === 'string'
    ? content.trim() === ''
    : content.every((part) => part.type === 'text' && part.text.trim() === '');

/** The messages themselves if there would be nothing left to answer. */
function withoutBlank(messages: readonly Message[]): readonly Message[] {
  const kept = messages.filter((message) => !isBlank(message));
  return kept.some(({ role }) => role !== 'system') ? kept : messages;
}

const needsCare = ({ content }: Message): boolean => typeof content !== 'string' && content.some(isCared);

const isCared = (part: Part): boolean =>
  part.type === 'tool-call' ||
  part.type === 'tool-result' ||
  part.type === 'image' ||
  part.type === 'file' ||
  (part.type === 'text' && part.text === '');

function cleanMessage(message: Message, ids: CallIds, types: readonly string[]): Message {
  const { content } = message;
  if (typeof content === 'string' || !content.some(isCared)) return message;
  ids.nextMessage();
  const parts = content.length > 1 ? content.filter((part) => part.type !== 'text' || part.text !== '') : content;
  return { ...message, content: parts.map((part) => cleanPart(part, ids, types)) };
}

function cleanPart(part: Part, ids: CallIds, types: readonly string[]): Part {
  switch (part.type) {
    case 'tool-call':
      return cleanCall(part, ids.ofCall(part.id));
    case 'tool-result': {
      const { content } = part;
      const clean = typeof content === 'string' ? content : content.map((inner) => cleanInner(inner, types));
      return { ...part, id: ids.ofResult(part.id), content: clean };
    }
    case 'image':
    case 'file':
      return cleanMedia(part, types);
    default:
      return part;
  }
}

type Inner = Exclude<Extract<Part, { readonly type: 'tool-result' }>['content'], string>[number];

const cleanInner = (part: Inner, types: readonly string[]): Inner =>
  part.type === 'text' ? part : cleanMedia<ImagePart | FilePart>(part, types);

/** Text that is no JSON object cannot be sent: the servers parse it. */
function cleanCall({ raw, ...call }: ToolCallPart, id: string): ToolCallPart {
  const given = raw === undefined ? call.arguments : (argumentsObject(raw) ?? call.arguments);
  return { ...call, id, arguments: (argumentsObject(given) ?? {}) as JsonValue };
}
