/**
 * Ids of tool calls in a history that other providers wrote: within the length and the characters of this wire, and each id
 * once. A call and its results get the same id, and the same one in every turn, so that prompt caches keep their prefix.
 */
import { createHash } from 'node:crypto';

export interface CallIdRules {
  /** The longest id, in characters. */
  readonly length: number;
  /** `word`: letters, digits, `_` and `-`. */
  readonly characters: 'any' | 'word';
}

export interface CallIds {
  /** Before the calls of each message. */
  nextMessage(): void;
  ofCall(id: string): string;
  ofResult(id: string): string;
}

export function callIds(rules: CallIdRules): CallIds {
  const used = new Set<string>();
  /** The ids that the calls of the latest message with a given id got, without those that were answered. */
  const open = new Map<string, string[]>();
  let message = new Set<string>();
  const free = (id: string): string => {
    let candidate = replaced(id, rules);
    if (used.has(candidate)) candidate = fitting(id, rules);
    for (let number = 2; used.has(candidate); number += 1) candidate = fitting(`${id}_${number}`, rules);
    used.add(candidate);
    return candidate;
  };
  return {
    nextMessage() {
      message = new Set();
    },
    ofCall(id) {
      const sent = free(id);
      const waiting = message.has(id) ? open.get(id) : undefined;
      if (waiting === undefined) open.set(id, [sent]);
      else waiting.push(sent);
      message.add(id);
      return sent;
    },
    ofResult(id) {
      const waiting = open.get(id);
      if (waiting === undefined) return replaced(id, rules);
      return (waiting.length > 1 ? waiting.shift() : waiting[0]) ?? id;
    },
  };
}

const HASH_LENGTH = 8;

/** The id itself if it fits, else with other characters in place of those that do not. */
function replaced(id: string, rules: CallIdRules): string {
  if (fits(id, rules)) return id;
  const readable = readableOf(id);
  return fits(readable, rules) ? readable : fitting(id, rules);
}

/** An id that differs wherever the ids do. */
function fitting(id: string, rules: CallIdRules): string {
  if (fits(id, rules)) return id;
  const hash = createHash('sha256').update(id.toWellFormed()).digest('hex').slice(0, HASH_LENGTH);
  const readable = readableOf(id).slice(0, rules.length - HASH_LENGTH - 1);
  return readable === '' ? `call_${hash}`.slice(0, rules.length) : `${readable}_${hash}`;
}

const fits = (id: string, { length, characters }: CallIdRules): boolean =>
  id !== '' && id.length <= length && id.isWellFormed() && (characters === 'any' || /^[\w-]+$/.test(id));

const readableOf = (id: string): string => id.replace(/[^\w-]/g, '_');
