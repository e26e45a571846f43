/**
 * The repair of almost-JSON. jsonrepair takes a time that grows with the length of the text for each fault that it finds: 64 kB
 * of nested braces take seconds. So faults are counted first, in one pass, and a text with too many for its length is left
 * as it is: nobody could say what it meant.
 */
import { createRequire } from 'node:module';

/** Longer texts are not repaired. */
const LONGEST = 65_536;
/** Faults times characters: 256 faults in the longest text, thousands in a short one. */
const MOST_WORK = 16_777_216;
/** Brackets that are open at once. */
const MOST_DEPTH = 100;

const load = createRequire(import.meta.url ?? __filename);

export interface RepairedJson {
  readonly value: unknown;
  /** The JSON that `value` was parsed from. */
  readonly text: string;
}

/** The value that an almost valid text means; undefined when it cannot be repaired. Never throws. */
export function repairJson(text: string): RepairedJson | undefined {
  if (text.length > LONGEST || faultsIn(text) * text.length > MOST_WORK) return undefined;
  try {
    const { jsonrepair }: typeof import('jsonrepair') = load('jsonrepair');
    const repaired = jsonrepair(text);
    return { value: JSON.parse(repaired) as unknown, text: repaired };
  } catch {
    return undefined;
  }
}

interface Scan {
  readonly text: string;
  at: number;
  faults: number;
  depth: number;
  /** A value has just ended, so that a separator or a bracket has to follow. */
  isAfterValue: boolean;
}

/** About how many places of the text are no JSON; infinite when it is nested too deeply. One pass. */
export function faultsIn(text: string): number {
  const scan: Scan = { text, at: 0, faults: 0, depth: 0, isAfterValue: false };
  while (scan.at < text.length) {
    step(scan, text.charAt(scan.at));
    if (scan.depth > MOST_DEPTH) return Number.POSITIVE_INFINITY;
  }
  return scan.faults;
}

function step(scan: Scan, character: string): void {
  if (' \n\r\t'.includes(character)) scan.at += 1;
  else if (character === '"') readString(scan);
  else if (character === '{' || character === '[') {
    startValue(scan);
    scan.isAfterValue = false;
    scan.depth += 1;
    scan.at += 1;
  } else if (character === '}' || character === ']') {
    if (scan.depth === 0) scan.faults += 1;
    else scan.depth -= 1;
    scan.isAfterValue = true;
    scan.at += 1;
  } else if (character === ',' || character === ':') {
    if (!scan.isAfterValue) scan.faults += 1;
    scan.isAfterValue = false;
    scan.at += 1;
  } else readWord(scan);
}

function startValue(scan: Scan): void {
  if (scan.isAfterValue) scan.faults += 1;
}

function readString(scan: Scan): void {
  startValue(scan);
  const { text } = scan;
  let end = scan.at + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  if (end >= text.length) scan.faults += 1;
  scan.at = end + 1;
  scan.isAfterValue = true;
}

const WORD = /(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![^\s,:}\]])/y;

/** A number, true, false or null; each character of anything else is a fault. */
function readWord(scan: Scan): void {
  startValue(scan);
  WORD.lastIndex = scan.at;
  const found = WORD.exec(scan.text);
  if (found === null) scan.faults += 1;
  scan.at += found?.[0].length ?? 1;
  scan.isAfterValue = found !== null;
}
