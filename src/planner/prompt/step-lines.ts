/**
 * Steps and tools as a planner's model reads them, each in one line: `tool:split(text?: string, size?: integer) -> {pieces:
 * object[]} # Cuts a text.` A short line leaves out what explains the inputs and what is inside the output; a brief
 * one leaves out types too, a bare one what it is for.
 */
import { firstOf } from '../../core/json/cut-text.ts';
import type { JsonSchema } from '../../core/model/model.ts';
import type { StepType } from '../../core/plan/validation.ts';
import { inputShape, outputShape } from './step-shapes.ts';

/** Inputs of `llm` that the rules name, or that few plans need: their schemas would be longer than all the rules. */
const UNLISTED: ReadonlySet<string> = new Set([
  ...['rounds', 'stopWhen', 'approve', 'toolLimits', 'transcript', 'agents'],
  ...['messages', 'temperature', 'reasoning'],
]);
/** In characters. A description beyond that is cut: it may come from anywhere. */
const LONGEST = { meaning: 120, type: 200, line: 1500 } as const;
const ABOUT = { whole: 400, short: 90, brief: 60, bare: 0 } as const;
type Form = keyof typeof ABOUT;

/** What a step changes outside: everything that is not known to change nothing is said by the step itself. */
const CHANGES = ' [changes the world]';

export interface StepLines {
  readonly whole: string;
  readonly short: string;
  readonly brief: string;
  readonly bare: string;
}

/** Steps are data that does not change, so that each is described once. */
const known = new WeakMap<StepType, StepLines>();

export function stepLines(step: StepType): StepLines {
  const before = known.get(step);
  if (before !== undefined) return before;
  const lines = {
    whole: lineOf(step, 'whole'),
    short: lineOf(step, 'short'),
    brief: lineOf(step, 'brief'),
    bare: lineOf(step, 'bare'),
  };
  known.set(step, lines);
  return lines;
}

function lineOf(step: StepType, form: Form): string {
  const output = step.output === undefined ? '' : ` -> ${outputText(step.output, form)}`;
  const changes = step.sideEffects === true ? CHANGES : '';
  const about = form === 'bare' ? '' : oneLine(step.description, ABOUT[form]);
  const text = `${step.use}(${inputText(listedInput(step), form)})${output}${changes}`;
  return `${firstOf(text, LONGEST.line)}${about === '' ? '' : ` # ${about}`}`;
}

function listedInput({ use, input }: StepType): JsonSchema {
  const { properties } = input;
  if (use !== 'llm' || typeof properties !== 'object' || properties === null) return input;
  const listed = Object.entries(properties).filter(([name]) => !UNLISTED.has(name));
  return { ...input, properties: Object.fromEntries(listed) };
}

function inputText(schema: JsonSchema, form: Form): string {
  const shape = inputShape(schema);
  const fields = fieldsOf(shape, schema);
  if (fields === undefined) return isAny(schema) ? 'any' : firstOf(JSON.stringify(shape), LONGEST.line);
  return fields.map((field) => fieldText(field, form)).join(', ');
}

function outputText(schema: JsonSchema, form: Form): string {
  const shape = outputShape(schema);
  const fields = fieldsOf(shape, schema);
  if (fields === undefined) return isAny(schema) ? 'any' : firstOf(JSON.stringify(shape), LONGEST.line);
  const texts = fields.map(({ name, type, isOptional }) => {
    const written = `${name}${isOptional ? '?' : ''}`;
    return form === 'brief' || form === 'bare' ? written : `${written}: ${typeText(type, form)}`;
  });
  return `{${texts.join(', ')}}`;
}

interface Field {
  readonly name: string;
  readonly type: string;
  readonly isOptional: boolean;
  readonly meaning: string;
}

/** Undefined where the shape is the schema itself, because that has no short form. */
function fieldsOf(shape: unknown, { properties }: JsonSchema): readonly Field[] | undefined {
  if (typeof properties !== 'object' || properties === null || typeof shape !== 'object' || shape === null)
    return undefined;
  const entries = Object.entries(shape);
  if (!entries.every(([name, text]) => typeof text === 'string' && Object.hasOwn(properties, name))) return undefined;
  return entries.map(([name, text]) => fieldOf(name, String(text)));
}

function fieldOf(name: string, text: string): Field {
  const at = text.indexOf(' # ');
  const written = at < 0 ? text : text.slice(0, at);
  const isOptional = written.endsWith('?');
  return {
    name,
    type: isOptional ? written.slice(0, -1) : written,
    isOptional,
    meaning: at < 0 ? '' : text.slice(at + 3),
  };
}

function fieldText({ name, type, isOptional, meaning }: Field, form: Form): string {
  const written = `${name}${isOptional ? '?' : ''}`;
  if (form === 'brief' || form === 'bare') return written;
  const said = form === 'whole' && meaning !== '' ? ` /* ${oneLine(meaning, LONGEST.meaning)} */` : '';
  return `${written}: ${typeText(type, form)}${said}`;
}

const typeText = (type: string, form: Form): string => firstOf(form === 'whole' ? type : plainType(type), LONGEST.type);

/** What is inside an object is left out. */
const plainType = (type: string): string => (type.includes('{') ? `object${type.endsWith('[]') ? '[]' : ''}` : type);

const isAny = (schema: JsonSchema): boolean =>
  Object.keys(schema).every((key) => key === 'type' || key === 'additionalProperties' || key === '$schema');

/** A description is text of somebody else: it stays in its line, and inside its tag. */
function oneLine(text: string, longest: number): string {
  const plain = text.replaceAll(/\s+/g, ' ').replaceAll('</', '< /').trim();
  return plain.length <= longest ? plain : `${firstOf(plain, longest - 1)}…`;
}
