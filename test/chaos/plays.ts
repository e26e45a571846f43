/** What a server does with a request: answer well, refuse, break, or say nothing. */
import type { Asked, Play } from './servers.ts';
import { ERROR_EVENTS, HEAD, PIECES, streamOf, wholeOf } from './wires.ts';

type Headers = Readonly<Record<string, string>>;

export type Ending = 'end' | 'reset' | 'close' | 'stall';

export function head({ response, streamed }: Asked, headers: Headers = {}): void {
  response.writeHead(200, { 'content-type': streamed ? 'text/event-stream' : 'application/json', ...headers });
}

/** A good answer in its wire, as it was asked for. */
export const good =
  (headers: Headers = {}, pieces: readonly string[] = PIECES): Play =>
  (asked) => {
    head(asked, headers);
    const { response, wire, streamed } = asked;
    response.end(streamed ? streamOf(wire, pieces).join('') : wholeOf(wire, pieces.join('')));
  };

export const status =
  (code: number, headers: Headers = {}, body: string | object = { error: { message: 'No.', type: 'error' } }): Play =>
  ({ response }) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

/** The connection is lost, or nothing comes, before the headers. */
export const before =
  (ending: Ending): Play =>
  (asked) =>
    finish(asked, ending);

function finish({ response, socket }: Asked, ending: Ending): void {
  if (ending === 'end') response.end();
  else if (ending === 'reset') socket.resetAndDestroy();
  else if (ending === 'close') socket.destroy();
}

/** Writes what is given once what was written before has been read, so that a reset does not overtake it. */
async function written(asked: Asked, text: string | Uint8Array): Promise<void> {
  await new Promise<void>((resolve) => asked.response.write(text, () => resolve()));
  for (let turns = 0; turns < 6; turns += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** So many pieces of the answer, then the ending. Unstreamed: so many bytes for each. */
export const part =
  (pieces: number, ending: Ending): Play =>
  async (asked) => {
    head(asked);
    const { wire, streamed } = asked;
    const bytes = streamed
      ? streamOf(wire)
          .slice(0, HEAD[wire] + pieces)
          .join('')
      : wholeOf(wire).slice(0, 20 + 10 * pieces);
    await written(asked, bytes);
    finish(asked, ending);
  };

/** The whole answer, but the connection stays open, with signs of life or without. */
export const openEnded =
  (beat: string | undefined, everyMs = 500): Play =>
  async (asked) => {
    head(asked);
    asked.response.write(streamOf(asked.wire).join(''));
    while (beat !== undefined && (await asked.wait(everyMs))) asked.response.write(beat);
  };

/** Signs of life and nothing else. */
export const beats =
  (everyMs = 500): Play =>
  async (asked) => {
    head(asked, { 'content-type': 'text/event-stream' });
    asked.response.write(': on\n\n');
    while (await asked.wait(everyMs)) asked.response.write(': on\n\n');
  };

/** Each event after a pause. */
export const slowly =
  (everyMs: number): Play =>
  async (asked) => {
    if (!asked.streamed) {
      if (await asked.wait(everyMs)) good()(asked);
      return;
    }
    head(asked);
    asked.response.flushHeaders();
    for (const event of streamOf(asked.wire)) {
      if (!(await asked.wait(everyMs))) return;
      asked.response.write(event);
    }
    asked.response.end();
  };

/** An error of the wire after so many pieces, under status 200. */
export const errorAfter =
  (pieces: number): Play =>
  (asked) => {
    head(asked, { 'content-type': 'text/event-stream' });
    const { wire, response } = asked;
    response.end([...streamOf(wire).slice(0, HEAD[wire] + pieces), ERROR_EVENTS[wire]].join(''));
  };

/** This body, whatever was asked for. */
export const raw =
  (body: string | Uint8Array, headers: Headers = {}): Play =>
  (asked) => {
    head(asked, headers);
    asked.response.end(body);
  };

/** The events of the good stream, changed. */
export const altered =
  (change: (events: readonly string[], asked: Asked) => string | Uint8Array, headers: Headers = {}): Play =>
  (asked) => {
    head(asked, { 'content-type': 'text/event-stream', ...headers });
    asked.response.end(change(streamOf(asked.wire), asked));
  };

/** The first requests in this order; the last play for all that follow. */
export const inTurn =
  (...plays: readonly Play[]): Play =>
  (asked) =>
    (plays[asked.number - 1] ?? plays.at(-1) ?? good())(asked);
