/** `--input`: `key=value` pairs, a JSON object, or `@file.json`. */
import { UsageError } from './exit-code.ts';
import { readable } from './read-file.ts';

const LARGEST_INPUT = 16 * 1024 * 1024;

/** A value that is JSON is taken as JSON, everything else as text: `count=3` is a number, `name=Ada` a string. */
function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function objectOf(text: string, source: string): Record<string, unknown> {
  const value = jsonOrText(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new UsageError(`${source} must hold a JSON object such as {"ticket": "…"}; it holds ${text.slice(0, 60)}`);
}

async function partOf(argument: string): Promise<Record<string, unknown>> {
  if (argument.startsWith('@')) {
    const path = argument.slice(1);
    return objectOf(await readable(path, LARGEST_INPUT, 'an input file'), `The input file ${path}`);
  }
  if (argument.trimStart().startsWith('{')) return objectOf(argument, '--input');
  const equals = argument.indexOf('=');
  if (equals < 1) {
    throw new UsageError(`--input "${argument}" is neither key=value, nor a JSON object, nor @file.json`);
  }
  const text = argument.slice(equals + 1);
  const value = text.startsWith('@') ? await readable(text.slice(1), LARGEST_INPUT, 'an input file') : jsonOrText(text);
  return { [argument.slice(0, equals)]: value };
}

/** Later arguments win. `key=@file` takes the text of the file. */
export async function inputOf(given: readonly string[]): Promise<Record<string, unknown> | undefined> {
  if (given.length === 0) return undefined;
  const parts = await Promise.all(given.map(partOf));
  return Object.assign(Object.create(null), ...parts) as Record<string, unknown>;
}
