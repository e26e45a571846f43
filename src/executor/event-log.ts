/** The events of one run in memory: any number of readers, each from the first event on. */
import type { RunEvent } from '../core/run/engine.ts';

export interface EventLog {
  push(event: RunEvent): void;
  /** An event of a nested run: as a delta, it may be dropped. */
  pushNested(event: RunEvent): void;
  /** Readers end once they have read what is there. */
  close(): void;
  read(): AsyncIterable<RunEvent>;
  size(): number;
}

/** What streamed text and events of nested runs may take in memory, in bytes: the results, and their journals, hold all of it. */
const DELTA_BYTES = 16 * 1_048_576;
/** What an event takes beside its text. */
const EVENT_BYTES = 256;
/** What an event of a nested run is taken for: its values are held by that run too. */
const NESTED_BYTES = 1024;

interface Log {
  readonly events: (RunEvent | undefined)[];
  waiting: (() => void)[];
  closed: boolean;
}

/** @param deltaBytes beyond this the oldest `node-delta` events and events of nested runs are dropped */
export function eventLog(deltaBytes: number = DELTA_BYTES): EventLog {
  const log: Log = { events: [], waiting: [], closed: false };
  const { events } = log;
  const nested = new Set<RunEvent>();
  const deltas = keptDeltas(events, nested, deltaBytes);
  const wake = (): void => {
    if (log.waiting.length === 0) return;
    const woken = log.waiting;
    log.waiting = [];
    for (const resolve of woken) resolve();
  };
  return {
    push(event) {
      if (event.type === 'node-delta') deltas.add(event.text.length + EVENT_BYTES);
      events.push(event);
      wake();
    },
    pushNested(event) {
      nested.add(event);
      deltas.add(NESTED_BYTES);
      events.push(event);
      wake();
    },
    close() {
      log.closed = true;
      wake();
    },
    read: () => eventsOf(log),
    size: () => events.length,
  };
}

/** A generator of the module: each one within a function has a hidden class of its own. */
async function* eventsOf(log: Log): AsyncGenerator<RunEvent> {
  for (let at = 0; ; at += 1) {
    while (at >= log.events.length) {
      if (log.closed) return;
      await new Promise<void>((resolve) => log.waiting.push(resolve));
    }
    const event = log.events[at];
    if (event !== undefined) yield event;
  }
}

/** Drops the oldest deltas and nested events when all of them take too much. The place of each stays, so that no reader skips another event. */
function keptDeltas(
  events: (RunEvent | undefined)[],
  nested: Set<RunEvent>,
  deltaBytes: number,
): { add(bytes: number): void } {
  let total = 0;
  let oldest = 0;
  return {
    add(bytes) {
      total += bytes;
      for (; total > deltaBytes && oldest < events.length; oldest += 1) {
        const event = events[oldest];
        if (event === undefined) continue;
        if (nested.delete(event)) total -= NESTED_BYTES;
        else if (event.type === 'node-delta') total -= event.text.length + EVENT_BYTES;
        else continue;
        events[oldest] = undefined;
      }
    },
  };
}
