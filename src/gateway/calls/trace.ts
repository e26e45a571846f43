/**
 * What the gateway knows of a call beside its trace, for as long as the call is under way: the numbers of its attempts,
 * the money of its own cap, the endpoints where it holds a place. It sits on the trace itself, because a map that every
 * call enters and leaves costs more than what it holds.
 */
import type { CallTrace } from '../../core/model/model.ts';
import type { NanoUsd } from '../../core/money/money.ts';

export interface RequestBook {
  /** Spent and held. */
  taken: NanoUsd;
  cap: NanoUsd | undefined;
}

export interface Notes {
  /** Of the call that made the trace; `more` numbers the others that share it. */
  callId: string | undefined;
  number: number;
  more: Map<string, number> | undefined;
  book: RequestBook | undefined;
  /** One entry a place; undefined until the first. */
  held: object[] | undefined;
}

const NOTES = Symbol('polyphony.notes');
type NotedTrace = CallTrace & { readonly [NOTES]?: Notes };

const newNotes = (): Notes => ({ callId: undefined, number: 0, more: undefined, book: undefined, held: undefined });
/** Of traces that a caller made. */
const foreign = new WeakMap<CallTrace, Notes>();

export function newTrace(): CallTrace {
  const trace: NotedTrace = { attempts: [], [NOTES]: newNotes() };
  return trace;
}

export function notesOf(trace: NotedTrace): Notes {
  const own = trace[NOTES] ?? foreign.get(trace);
  if (own !== undefined) return own;
  const made = newNotes();
  foreign.set(trace, made);
  return made;
}

/**
 * The cap of the request itself (`limits.usd`) over all its attempts. A call lives in one process, so its counter does
 * too and leaves nothing in the store.
 */
export function requestBook(trace: CallTrace): RequestBook {
  const notes = notesOf(trace);
  notes.book ??= { taken: 0, cap: undefined };
  return notes.book;
}
