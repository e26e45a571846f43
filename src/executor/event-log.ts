/** The events of one run in memory: any number of readers, each from the first event on. */
import type { RunEvent } from '../core/run/engine.ts';

export interface EventLog {
  push(event: RunEvent): void;
  /** Readers end once they have read what is there. */
  close(): void;
  read(): AsyncIterable<RunEvent>;
  size(): number;
}

export function eventLog(): EventLog {
  const events: RunEvent[] = [];
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
