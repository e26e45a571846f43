/**
 * Values of plans and answers in messages: only a bounded beginning of each is read and printed, however large it is.
 */
import { firstOf } from '../core/json/cut-text.ts';

const MOST_TEXT = 80;
const MOST_JSON = 200;
/** Levels of a value that are printed. */
const MOST_LEVELS = 4;

/** A text in quotes, of at most `most` characters. */
export function shownText(text: string, most = MOST_TEXT): string {
  return text.length > most ? `${JSON.stringify(firstOf(text, most))}…` : JSON.stringify(text);
}

/** A text without quotes, of at most `most` characters. */
export const beginningOf = (text: string, most = MOST_TEXT): string =>
  text.length > most ? `${firstOf(text, most)}…` : text;

interface Writing {
  readonly most: number;
  /** Of each text in it. */
  readonly mostText: number;
  text: string;
}

/** A value as JSON, cut after about `most` characters, and each text in it after `mostText`. */
export function shownJson(value: unknown, most = MOST_JSON, mostText = MOST_TEXT): string {
  const writing: Writing = { most, mostText, text: '' };
  write(value, writing, 0);
  return beginningOf(writing.text, most + MOST_TEXT);
}

function write(value: unknown, writing: Writing, level: number): void {
  if (typeof value === 'string') writing.text += shownText(value, writing.mostText);
  else if (typeof value !== 'object' || value === null) writing.text += String(value);
  else if (level >= MOST_LEVELS) writing.text += '…';
  else if (Array.isArray(value)) writeList(value, writing, level);
  else writeMap(value as Readonly<Record<string, unknown>>, writing, level);
}

function writeList(list: readonly unknown[], writing: Writing, level: number): void {
  writing.text += '[';
  for (const [index, item] of list.entries()) {
    if (index > 0) writing.text += ',';
    if (writing.text.length >= writing.most) {
      writing.text += `… ${list.length - index} more`;
      break;
    }
    write(item, writing, level + 1);
  }
  writing.text += ']';
}

function writeMap(map: Readonly<Record<string, unknown>>, writing: Writing, level: number): void {
  writing.text += '{';
  let first = true;
  for (const key in map) {
    if (!Object.hasOwn(map, key)) continue;
    if (!first) writing.text += ',';
    first = false;
    if (writing.text.length >= writing.most) {
      writing.text += '…';
      break;
    }
    writing.text += `${shownText(key)}:`;
    write(map[key], writing, level + 1);
  }
  writing.text += '}';
}
