/**
 * Names of tools on a wire that does not accept all of them: renamed in the request, and back in the answer, so that neither the
 * caller nor the wire has to know.
 *
 * N1. A name that the wire accepts is sent as it is.
 * N2. No two tools of a request are sent under the same name.
 * N3. The same tools in the same order are sent under the same names in every turn.
 */
import { createHash } from 'node:crypto';
import {
  BATCHES,
  batchesOf,
  COMPLETE,
  type CompletableStream,
  type CompleteStream,
  readComplete,
} from '../../core/model/complete.ts';
import type { ChatRequest, Message, ModelEvent, ModelRequest, Part } from '../../core/model/model.ts';

/** What most servers accept. */
export const USUAL_TOOL_NAMES = /^[a-zA-Z0-9_-]{1,64}$/;

export interface RenamedTools<Request extends ModelRequest = ModelRequest> {
  /** The request with names that the wire accepts. */
  readonly request: Request;
  /** The answer to it, with the names of the caller. */
  restore(events: AsyncIterable<ModelEvent>): CompletableStream;
}

/** Undefined where every name is accepted, which costs one look at each. */
export function renamedTools<Request extends ModelRequest>(
  request: Request,
  accepted: RegExp,
): RenamedTools<Request> | undefined {
  if (request.operation !== 'chat') return undefined;
  const refused = namesOf(request).filter((name) => !accepted.test(name));
  if (refused.length === 0) return undefined;
  const there = wireNames(namesOf(request), accepted);
  const back = new Map([...there].map(([name, sent]) => [sent, name]));
  return {
    request: withNames(request, there) as Request,
    restore: (events) => restored(events, back),
  };
}

/** Every name in the request: of its tools first, then of the calls so far. */
function namesOf({ tools = [], messages, toolChoice }: ChatRequest): string[] {
  const names = tools.map(({ name }) => name);
  if (typeof toolChoice === 'object') names.push(toolChoice.name);
  for (const { content } of messages) {
    if (typeof content === 'string') continue;
    for (const part of content) {
      if (part.type === 'tool-call' || (part.type === 'tool-result' && part.name !== undefined)) {
        names.push(part.name ?? '');
      }
    }
  }
  return names;
}

/** The names that are not accepted, each with the one that is sent for it. */
function wireNames(names: readonly string[], accepted: RegExp): ReadonlyMap<string, string> {
  const there = new Map<string, string>();
  const taken = new Set(names.filter((name) => accepted.test(name)));
  for (const name of names) {
    if (taken.has(name) || there.has(name)) continue;
    const sent = wireName(name, (candidate) => accepted.test(candidate) && !taken.has(candidate));
    taken.add(sent);
    there.set(name, sent);
  }
  return there;
}

function wireName(name: string, isFree: (candidate: string) => boolean): string {
  const plain = name.replace(/[^a-zA-Z0-9_-]/g, '_');
  const letters = plain.replaceAll('-', '_');
  const short = (text: string): string => text.slice(0, 64);
  const candidates = [plain, letters, `_${letters}`].map(short);
  const found = candidates.find(isFree);
  if (found !== undefined) return found;
  for (let round = 0; ; round += 1) {
    const mark = createHash('sha256').update(`${round} ${name}`).digest('hex').slice(0, 8);
    const marked = [`${letters.slice(0, 55)}_${mark}`, `tool_${mark}`].find(isFree);
    // A wire that refuses these too accepts no name that could be made: its own error says so.
    if (marked !== undefined || round === 8) return marked ?? name;
  }
}

function withNames(request: ChatRequest, there: ReadonlyMap<string, string>): ChatRequest {
  const { tools, toolChoice, messages } = request;
  const sent = (name: string): string => there.get(name) ?? name;
  return {
    ...request,
    messages: messages.map((message) => renamedMessage(message, sent)),
    ...(tools === undefined ? {} : { tools: tools.map((tool) => ({ ...tool, name: sent(tool.name) })) }),
    ...(typeof toolChoice === 'object' ? { toolChoice: { name: sent(toolChoice.name) } } : {}),
  };
}

function renamedMessage(message: Message, sent: (name: string) => string): Message {
  if (typeof message.content === 'string') return message;
  return { ...message, content: message.content.map((part) => renamedPart(part, sent)) };
}

function renamedPart(part: Part, sent: (name: string) => string): Part {
  const isNamed = part.type === 'tool-call' || part.type === 'tool-result';
  return isNamed && part.name !== undefined ? { ...part, name: sent(part.name) } : part;
}

// ---------------------------------------------------------------------------------------------------- answers

type Names = ReadonlyMap<string, string>;

function restored(events: AsyncIterable<ModelEvent>, names: Names): CompletableStream {
  const one = (event: ModelEvent): ModelEvent => restoredEvent(event, names);
  return {
    async *[Symbol.asyncIterator]() {
      for await (const event of events) yield one(event);
    },
    [BATCHES]: restoredBatches(events, one),
    async [COMPLETE](): Promise<CompleteStream> {
      const complete = await readComplete(events);
      return { ...complete, events: complete.events.map(one) };
    },
  };
}

async function* restoredBatches(
  events: AsyncIterable<ModelEvent>,
  one: (event: ModelEvent) => ModelEvent,
): AsyncGenerator<readonly ModelEvent[]> {
  for await (const batch of batchesOf(events)) yield batch.map(one);
}

function restoredEvent(event: ModelEvent, names: Names): ModelEvent {
  if (event.type === 'tool-call-delta') {
    const name = names.get(event.name);
    return name === undefined ? event : { ...event, name };
  }
  if (event.type !== 'tool-call') return event;
  const name = names.get(event.call.name);
  return name === undefined ? event : { type: 'tool-call', call: { ...event.call, name } };
}
