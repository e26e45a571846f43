/**
 * One stream that several callers read. A pump drives it, so that readers do not affect each other.
 *
 * F1. The stream is cancelled only when its last reader leaves before `finish`.
 * F2. Every reader gets every event from the first, in order, or the stream's own error.
 * F3. A reader whose signal aborts, or whose deadline passes, leaves without ending the others.
 */
import { abortError, type Call, type Clock, type ModelEvent, onAbort, PolyphonyError, timeLeftMs } from 'polyphony/kit';

type Waiting = Pick<Call, 'signal' | 'deadline' | 'clockAheadMs'>;

export interface Flight {
  /** Joins on the first `next()`. */
  read(call: Waiting): AsyncGenerator<ModelEvent>;
  /** The events so far. */
  readonly events: readonly ModelEvent[];
}

interface Reader {
  wake: () => void;
}

interface State {
  readonly events: ModelEvent[];
  readonly readers: Set<Reader>;
  readonly abort: AbortController;
  finished: boolean;
  ended: boolean;
  failure: { readonly error: unknown } | undefined;
  pump: Promise<void>;
}

/** Starts the stream immediately. `onEnd` runs once: when the stream ended, failed, or lost its last reader. */
export function startFlight(
  clock: Clock,
  open: (signal: AbortSignal) => AsyncIterable<ModelEvent>,
  onEnd: () => void,
): Flight {
  const state: State = {
    events: [],
    readers: new Set(),
    abort: new AbortController(),
    finished: false,
    ended: false,
    failure: undefined,
    pump: Promise.resolve(),
  };
  state.pump = pump(state, open, onEnd);
  return { events: state.events, read: (call) => read(state, call, clock, onEnd) };
}

async function pump(
  state: State,
  open: (signal: AbortSignal) => AsyncIterable<ModelEvent>,
  onEnd: () => void,
): Promise<void> {
  try {
    for await (const event of open(state.abort.signal)) {
      if (event.type === 'finish') state.finished = true;
      state.events.push(event);
      wakeAll(state);
    }
  } catch (error) {
    state.failure = { error };
  } finally {
    state.ended = true;
    onEnd();
    wakeAll(state);
  }
}

function wakeAll(state: State): void {
  for (const reader of state.readers) reader.wake();
}

async function* read(state: State, call: Waiting, clock: Clock, onEnd: () => void): AsyncGenerator<ModelEvent> {
  const reader: Reader = { wake: () => undefined };
  const poke = (): void => reader.wake();
  state.readers.add(reader);
  const stopFollowing = onAbort(call.signal, poke);
  const leftMs = timeLeftMs(call, clock);
  let isLate = leftMs <= 0;
  const expire = (): void => {
    isLate = true;
    reader.wake();
  };
  const cancelTimer = Number.isFinite(leftMs) ? clock.schedule(Math.max(0, leftMs), expire) : undefined;
  try {
    for (let index = 0; ; ) {
      if (call.signal.aborted) throw abortError(call.signal);
      if (isLate) throw tooLate();
      const event = state.events[index];
      if (event !== undefined) {
        index += 1;
        yield event;
      } else if (state.ended) {
        if (state.failure !== undefined) throw state.failure.error;
        return;
      } else await new Promise<void>((resolve) => Object.assign(reader, { wake: resolve }));
    }
  } finally {
    cancelTimer?.();
    stopFollowing();
    state.readers.delete(reader);
    await leave(state, call.signal, onEnd);
  }
}

const tooLate = (): PolyphonyError =>
  new PolyphonyError('timeout', 'The deadline passed while an identical request was in flight: allow more time.');

async function leave(state: State, signal: AbortSignal, onEnd: () => void): Promise<void> {
  if (state.readers.size > 0 || state.ended || state.finished) return;
  onEnd();
  state.abort.abort(
    signal.aborted ? signal.reason : new PolyphonyError('cancelled', 'No caller waits for this answer any more.'),
  );
  await state.pump;
}
