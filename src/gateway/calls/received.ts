/** How much of an answer has arrived, counted where it enters the gateway. */
import type { MediaSource, ModelEvent, OperationOutput } from '../../core/model/model.ts';

/** Nothing at first. */
export class Received {
  /** Bytes that a provider bills as output: text, reasoning and the arguments of tool calls. */
  billedBytes = 0;
  /** What the answer takes up: the billed bytes, and a fixed amount for each event, so that empty ones count too. */
  size = 0;
  /** What stands in no text: the data of media and of signed thoughts, warnings and notices. In characters. */
  besides = 0;
  toolCalls = 0;
  images = 0;
  /** Pictures, vectors and lists of results. */
  outputs = 0;
  /** The texts that `billedBytes` counts, for an exact tokenizer; undefined where the model has none. */
  texts: string[] | undefined = undefined;
}

const NO_IMAGES: readonly MediaSource[] = [];
/** What an event without content takes up. */
const EVENT_BYTES = 64;

/** Adds the event to what arrived. */
export function receive(received: Received, event: ModelEvent): void {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
      add(received, event.text);
      return;
    case 'tool-call-delta':
      add(received, event.delta);
      return;
    case 'tool-call':
      received.toolCalls += 1;
      break;
    case 'restart':
      // The calls before it are void; what was generated is billed all the same.
      received.toolCalls = 0;
      received.besides += lengthOf(event.notice);
      break;
    case 'media':
      if (event.part.type === 'image') received.images += 1;
      received.outputs += 1;
      received.besides += lengthOfSource(event.part.source);
      break;
    case 'reasoning':
      // Its text came before, in pieces.
      received.besides += lengthOf(event.part.signature) + lengthOf(event.part.redacted);
      break;
    case 'warning':
      received.besides += lengthOf(event.warning.message);
      break;
    case 'output':
      receiveOutput(received, event.output);
      break;
    default:
  }
  received.size += EVENT_BYTES;
}

function receiveOutput(received: Received, output: OperationOutput): void {
  const images = output.operation === 'image' ? output.images : NO_IMAGES;
  for (const image of images) received.besides += lengthOfSource(image);
  received.images += images.length;
  received.outputs += output.operation === 'embed' ? output.vectors.length : images.length + 1;
}

/** Providers are plugins, so a part may lack what its type says. */
function lengthOfSource(source: MediaSource | undefined): number {
  if (source === undefined || source === null) return 0;
  return lengthOf(source.type === 'base64' ? source.data : source.url);
}

const lengthOf = (text: unknown): number => (typeof text === 'string' ? text.length : 0);

function add(received: Received, text: string): void {
  const bytes = Buffer.byteLength(text);
  received.texts?.push(text);
  received.billedBytes += bytes;
  received.size += EVENT_BYTES + bytes;
}
