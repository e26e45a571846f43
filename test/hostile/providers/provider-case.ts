/** A hostile provider: a server that misbehaves over HTTP or below it, or an object that does. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Provider } from '../../../src/core/model/provider.ts';
import type { WireName } from './wires.ts';

interface Expected {
  /** How both calls have to end, the streamed and the whole one; undefined: with an answer or an error of ours. */
  readonly ends?: 'answer' | 'error';
  /** The tools that the request offers. @default none */
  readonly tools?: readonly string[];
  /** The reader takes one event, waits this long and leaves, in milliseconds. @default it reads all */
  readonly readerWaitsMs?: number;
}

/** What a server answers: `streamed` as the request asks for it. */
export type Respond = (
  response: ServerResponse,
  asked: { readonly streamed: boolean; readonly request: IncomingMessage },
) => void;

export interface HttpCase extends Expected {
  /** @default chat */
  readonly wire?: WireName;
  readonly respond: Respond;
}

export interface SocketCase extends Expected {
  /** @default chat */
  readonly wire?: WireName;
  /** Called when a connection was made; nothing else answers it. */
  readonly connected: (socket: Socket) => void;
}

export interface ObjectCase extends Expected {
  /** The provider's fields; without `stream` it answers well. */
  readonly provider: Readonly<Record<string, unknown>> & { readonly stream?: (...given: never[]) => unknown };
  /** Whether it may be refused when the polyphony is made. @default false */
  readonly mayBeRefused?: boolean;
}

export type ProviderCase = HttpCase | SocketCase | ObjectCase;

/** The provider of an object case, which keeps to no type. */
export const asProvider = (fields: ObjectCase['provider'], good: Provider): Provider =>
  Object.defineProperties({ ...good }, Object.getOwnPropertyDescriptors(fields)) as Provider;
