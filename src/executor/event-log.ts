/** The events of one run in memory: any number of readers, each from the first event on. */
import type { RunEvent } from '../core/run/engine.ts';

export interface EventLog {
  push(event: RunEvent): void;
  /** Readers end once they have read what is there. */
  close(): void;
  read(): AsyncIterable<RunEvent>;
  size(): number;
}

/** What streamed text may take in memory, in bytes; the results hold the whole text. */
const DELTA_BYTES = 16 * 1_048_576;
/** What an event takes beside its text. */
const EVENT_BYTES = 256;

/** @param deltaBytes beyond this the oldest `node-delta` events are dropped */
export function eventLog(deltaBytes: number = DELTA_BYTES): EventLog {
  const events: (RunEvent | undefined)[] = [];
  const deltas = keptDeltas(events, deltaBytes);
  let waiting: (() => void)[] = [];
  let closed = false;
  const wake = (): void => {
    if (waiting.length === 0) return;
    const woken = waiting;
    waiting = [];
    for (const resolve of woken) resolve();
  };
  async function* read(): AsyncGenerator<RunEvent> {
    for (let at = 0; ; at += 1) {
      while (at >= events.length) {
        if (closed) return;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      const event = events[at];
      if (event !== undefined) yield event;
    }
  }
  return {
    push(event) {
      if (event.type === 'node-delta') deltas.add(event.text);
      events.push(event);
      wake();
    },
    close() {
      closed = true;
      wake();
    },
    read,
    size: () => events.length,
  };
}

/** Drops the oldest deltas when all of them take too much: the place of each stays, so that no reader skips another event. */
function keptDeltas(events: (RunEvent | undefined)[], deltaBytes: number): { add(text: string): void } {
  let bytes = 0;
  let oldest = 0;
  return {
    add(text) {
      bytes += text.length + EVENT_BYTES;
      for (; bytes > deltaBytes && oldest < events.length; oldest += 1) {
        const event = events[oldest];
        if (event?.type !== 'node-delta') continue;
        bytes -= event.text.length + EVENT_BYTES;
        events[oldest] = undefined;
      }
    },
  };
}
