/**
 * What was thrown, in words. Anything can be: a text, an object of an HTTP client, several errors at once, nothing, an error
 * whose fields cannot be read. Never throws; the work is bounded.
 */
import { firstOf } from '../json/cut-text.ts';
import { scrub } from '../scrub.ts';

const MOST_ERRORS = 5;
const DEEPEST = 4;
const OBJECT_CHARACTERS = 500;
/** Longer messages are cut by whoever keeps them; texts that are joined are cut here. */
const PART_CHARACTERS = 2000;

export function thrownText(thrown: unknown): string {
  try {
    return textOf(thrown, 0);
  } catch {
    return 'something that cannot be read was thrown';
  }
}

function textOf(thrown: unknown, level: number): string {
  switch (typeof thrown) {
    case 'string':
      return thrown.trim() === '' ? 'an empty text was thrown' : thrown;
    case 'undefined':
      return 'undefined was thrown';
    case 'function':
      return `the function ${String(readOf(thrown, 'name')) || 'without a name'} was thrown`;
    case 'object':
      return thrown === null ? 'null was thrown' : textOfObject(thrown, level);
    default:
      return String(thrown);
  }
}

function textOfObject(thrown: object, level: number): string {
  const message = readOf(thrown, 'message');
  const own = typeof message === 'string' && message.trim() !== '' ? message : undefined;
  const inner = level < DEEPEST ? textsOfParts(thrown, level + 1) : undefined;
  if (own !== undefined) return inner === undefined ? withCode(thrown, own) : `${own}: ${inner}`;
  if (inner !== undefined) return inner;
  if (isError(thrown)) return nameless(thrown, level);
  return ownText(thrown) ?? jsonOf(thrown);
}

/** The errors that an AggregateError holds. */
function textsOfParts(thrown: object, level: number): string | undefined {
  const errors = readOf(thrown, 'errors');
  if (!Array.isArray(errors) || errors.length === 0) return undefined;
  const texts = errors.slice(0, MOST_ERRORS).map((error: unknown) => firstOf(textOf(error, level), PART_CHARACTERS));
  const more = errors.length - texts.length;
  return `${texts.join('; ')}${more > 0 ? ` (and ${more} more)` : ''}`;
}

/** Objects of clients say the rest in a code: `{ code: 429, message: "slow down" }`. Errors stay as they are. */
function withCode(thrown: object, message: string): string {
  if (isError(thrown)) return message;
  const code = readOf(thrown, 'code') ?? readOf(thrown, 'status');
  const isShown = typeof code === 'number' || (typeof code === 'string' && code !== '' && !message.includes(code));
  return isShown ? `${message} (${firstOf(String(code), 100)})` : message;
}

/** An error without a message says what caused it, or at least what it is. */
function nameless(error: object, level: number): string {
  const cause = readOf(error, 'cause');
  if (cause !== undefined && level < DEEPEST) return textOf(cause, level + 1);
  const name = readOf(error, 'name');
  const code = readOf(error, 'code');
  const kind = typeof name === 'string' && name !== '' ? firstOf(name, 100) : 'Error';
  return `${kind} without a message${typeof code === 'string' ? ` (${firstOf(code, 100)})` : ''}`;
}

/** The text of a class that has one of its own. */
function ownText(thrown: object): string | undefined {
  const { toString: write } = thrown;
  if (typeof write !== 'function' || write === Object.prototype.toString || Array.isArray(thrown)) return undefined;
  const text: unknown = write.call(thrown);
  return typeof text === 'string' && text !== '' && text !== '[object Object]' ? text : undefined;
}

function jsonOf(thrown: object): string {
  try {
    // Such an object may carry the headers of a request.
    const text = JSON.stringify(scrub(thrown)) ?? '{}';
    if (text.length > OBJECT_CHARACTERS) return `${firstOf(text, OBJECT_CHARACTERS)}…`;
    if (text !== '{}') return text;
  } catch {
    // It has what JSON does not: its fields are named instead.
  }
  const fields = Object.keys(thrown).slice(0, 10).join(', ');
  return fields === ''
    ? 'an empty object was thrown'
    : `an object with the fields ${firstOf(fields, OBJECT_CHARACTERS)}`;
}

/** Also of another realm. */
export function isError(thrown: unknown): thrown is Error {
  try {
    return thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]';
  } catch {
    return false;
  }
}

/** A getter may throw. */
function readOf(thrown: object, field: string): unknown {
  try {
    return (thrown as Readonly<Record<string, unknown>>)[field];
  } catch {
    return undefined;
  }
}
