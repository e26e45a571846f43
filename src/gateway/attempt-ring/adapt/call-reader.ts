/**
 * Reads calls of tools out of the text of an answer, piece by piece.
 *
 * P1. No character of a call is ever given as text, nor what may still become the beginning of one.
 * P2. A call is one JSON object with the name of an offered tool and an object of arguments, and nothing else. Any other one
 *     throws invalid-output: a half-understood call is worse than none.
 * P3. What a model writes behind its first call, except further calls, is not given: it can only be an invented result.
 */
import { PolyphonyError } from '../../../core/errors.ts';
import type { JsonValue } from '../../../core/model/model.ts';
import { CALL_CLOSES, CALL_OPENS } from './prompted-tools.ts';

export interface ReadCall {
  readonly name: string;
  readonly arguments: JsonValue;
}

export interface CallReader {
  readonly calls: readonly ReadCall[];
  /** Something was written behind a call. */
  readonly dropped: () => boolean;
  /** Takes a piece; returns what of the answer is text for certain. @throws invalid-output */
  add(piece: string): string;
  /**
   * Takes the end; returns the text that is left.
   *
   * @param isCut the answer was ended by a limit: a call that is not complete is left out
   * @throws invalid-output for a call that is not complete otherwise
   */
  end(isCut: boolean): string;
}

export function callReader(names: ReadonlySet<string>, mostCalls: number): CallReader {
  const calls: ReadCall[] = [];
  let held = '';
  let isInside = false;
  let dropped = false;
  /** Where to look for the end of a call: before it, there is none. */
  let searched = 0;
  const text = (given: string): string => {
    if (calls.length === 0) return given;
    dropped ||= given.trim() !== '';
    return '';
  };
  const take = (source: string): void => {
    if (calls.length >= mostCalls) throw unreadable(`has more than ${mostCalls} calls`);
    calls.push(callOf(source, names));
  };
  /** One step; undefined when more has to arrive first. */
  const step = (): string | undefined => {
    const mark = isInside ? CALL_CLOSES : CALL_OPENS;
    const at = held.indexOf(mark, searched);
    if (at === -1) {
      searched = Math.max(0, held.length - mark.length + 1);
      return undefined;
    }
    const before = held.slice(0, at);
    held = held.slice(at + mark.length);
    searched = 0;
    isInside = !isInside;
    if (isInside) return text(before);
    take(before);
    return '';
  };
  const release = (): string => {
    if (isInside) return '';
    const kept = beginningOf(held, CALL_OPENS);
    const free = held.slice(0, held.length - kept);
    held = held.slice(held.length - kept);
    searched = 0;
    return text(free);
  };
  return {
    calls,
    dropped: () => dropped,
    add(piece) {
      held += piece;
      let given = '';
      for (let part = step(); part !== undefined; part = step()) given += part;
      return given + release();
    },
    end(isCut) {
      const left = held;
      held = '';
      if (!isInside) return text(left);
      isInside = false;
      // Models often leave the last mark out.
      if (!isCut) take(left);
      return '';
    },
  };
}

/** How many characters at the end of the text are a beginning of the mark. */
function beginningOf(text: string, mark: string): number {
  for (let length = Math.min(mark.length - 1, text.length); length > 0; length -= 1) {
    if (mark.startsWith(text.slice(text.length - length))) return length;
  }
  return 0;
}

function callOf(source: string, names: ReadonlySet<string>): ReadCall {
  const call = parsed(source);
  const isPlain = typeof call === 'object' && call !== null && !Array.isArray(call);
  const { name, arguments: given, ...more } = (isPlain ? call : {}) as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || !names.has(name)) throw unreadable('does not name one of the tools');
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw unreadable('has no object of arguments');
  if (Object.keys(more).length > 0) throw unreadable('has fields beside its name and its arguments');
  return { name, arguments: given as JsonValue };
}

function parsed(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    throw unreadable('is not JSON');
  }
}

const unreadable = (why: string): PolyphonyError =>
  new PolyphonyError(
    'invalid-output',
    `The answer has a call of a tool that ${why}, so it cannot be used. Ask again, or ask a model that has tools of its own.`,
    { retryable: false },
  );
