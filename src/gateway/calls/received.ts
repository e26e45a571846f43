/** How much of an answer has arrived, counted where it enters the gateway. */
import type { ModelEvent, OperationOutput } from '../../core/model/model.ts';

/** Nothing at first. */
export class Received {
  /** Bytes that a provider bills as output: text, reasoning and the arguments of tool calls. */
  billedBytes = 0;
  /** What the answer takes up: the billed bytes, and a fixed amount for each event, so that empty ones count too. */
  size = 0;
  toolCalls = 0;
  images = 0;
  /** Pictures, vectors and lists of results. */
  outputs = 0;
}

/** What an event without content takes up. */
const EVENT_BYTES = 64;

/** Adds the event to what arrived. */
export function receive(received: Received, event: ModelEvent): void {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
      add(received, Buffer.byteLength(event.text));
      return;
    case 'tool-call-delta':
      add(received, Buffer.byteLength(event.delta));
      return;
    case 'tool-call':
      received.toolCalls += 1;
      break;
    case 'restart':
      // The calls before it are void; what was generated is billed all the same.
      received.toolCalls = 0;
      break;
    case 'media':
      if (event.part.type === 'image') received.images += 1;
      received.outputs += 1;
      break;
    case 'output':
      receiveOutput(received, event.output);
      break;
    default:
  }
  received.size += EVENT_BYTES;
}

function receiveOutput(received: Received, output: OperationOutput): void {
  const images = output.operation === 'image' ? output.images.length : 0;
  received.images += images;
  received.outputs += output.operation === 'embed' ? output.vectors.length : images + 1;
}

function add(received: Received, bytes: number): void {
  received.billedBytes += bytes;
  received.size += EVENT_BYTES + bytes;
}
