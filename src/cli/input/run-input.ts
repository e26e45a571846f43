/** `--input`: `key=value` pairs, a JSON object, or `@file.json`. */
import type { Plan } from '../../core/plan/plan.ts';
import { toJsonSchema } from '../../kit/json/json-schema.ts';
import { UsageError } from './exit-code.ts';
import { readable } from './read-file.ts';

const LARGEST_INPUT = 16 * 1024 * 1024;

/** One `--input` argument. The type of `pair.text` depends on the input that the plan declares. */
interface Given {
  readonly value?: Readonly<Record<string, unknown>>;
  readonly pair?: { readonly key: string; readonly text: string; readonly isText: boolean };
}

/** Returns the input of a run for its plan; undefined when no input was given. */
export type InputFor = (plan?: Plan) => Record<string, unknown> | undefined;

/** Parses a value as JSON if it is JSON, otherwise as text: `count=3` is a number, `name=Ada` a string. */
function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function objectOf(text: string, source: string): Record<string, unknown> {
  const value = jsonOrText(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new UsageError(
    `${source} must be a JSON object such as {"ticket": "…"}, but it is ${text.slice(0, 60) || 'empty'}`,
  );
}

async function partOf(argument: string): Promise<Given> {
  if (argument.startsWith('@')) {
    const path = argument.slice(1);
    return { value: objectOf(await readable(path, LARGEST_INPUT, 'an input file'), `The input file ${path}`) };
  }
  if (argument.trimStart().startsWith('{')) return { value: objectOf(argument, '--input') };
  const equals = argument.indexOf('=');
  if (equals < 1) {
    throw new UsageError(`--input "${argument}" is not key=value, a JSON object or @file.json: give one of these`);
  }
  const [key, text] = [argument.slice(0, equals), argument.slice(equals + 1)];
  if (!text.startsWith('@')) return { pair: { key, text, isText: false } };
  return { pair: { key, text: await readable(text.slice(1), LARGEST_INPUT, 'an input file'), isText: true } };
}

/** Fields that the plan declares as text: `-i year=2024` is "2024" there. */
function textFields(plan: Plan | undefined): ReadonlySet<string> {
  const properties = plan?.input === undefined ? undefined : toJsonSchema(plan.input).properties;
  if (typeof properties !== 'object' || properties === null) return new Set();
  const isText = (schema: unknown): boolean =>
    typeof schema === 'object' && schema !== null && 'type' in schema && schema.type === 'string';
  return new Set(Object.entries(properties).flatMap(([name, schema]) => (isText(schema) ? [name] : [])));
}

/** Reads all arguments and the files that they name. Later arguments win. `key=@file` sets the text of the file. */
export async function inputOf(given: readonly string[]): Promise<InputFor> {
  const parts = await Promise.all(given.map(partOf));
  return (plan) => {
    if (parts.length === 0) return undefined;
    const texts = textFields(plan);
    const input: Record<string, unknown> = Object.create(null);
    for (const { value, pair } of parts) {
      if (pair === undefined) Object.assign(input, value);
      else input[pair.key] = pair.isText || texts.has(pair.key) ? pair.text : jsonOrText(pair.text);
    }
    return input;
  };
}
