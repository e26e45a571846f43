/** The inputs of a node under names that other formats have, and values that are their texts. */
import type { JsonSchema } from '../../core/model/model.ts';
import { isBuiltIn } from '../../core/plan/steps.ts';
import type { StepType } from '../../core/plan/validation.ts';
import { isRecord } from '../document/document.ts';
import { drop, type Fields, flagIn, isBlank, type Mending, move, numberIn, rename, rewrite } from './mending.ts';

type Names = Readonly<Record<string, readonly string[]>>;

/** What the inputs of built-in steps are called elsewhere. Only where the step has no input of that name. */
const USUAL_NAMES: Readonly<Record<string, Names>> = {
  llm: {
    system: [
      'system_prompt',
      'systemPrompt',
      'system_message',
      'systemMessage',
      'system_instruction',
      'systemInstruction',
    ],
    prompt: [
      'text',
      'query',
      'question',
      'instruction',
      'instructions',
      'input',
      'message',
      'content',
      'user',
      'user_prompt',
      'userPrompt',
      'task',
    ],
  },
  image: { prompt: ['text', 'description', 'query', 'input', 'instruction'] },
  embed: { input: ['text', 'texts', 'inputs', 'content'] },
  moderate: { input: ['text', 'content', 'inputs'] },
  human: { question: ['prompt', 'message', 'text', 'ask', 'query'], choices: ['options'] },
  plan: { goal: ['request', 'task', 'objective', 'prompt'] },
  rerank: { documents: ['docs', 'texts', 'items'], top: ['topK', 'top_k', 'k', 'topN', 'top_n'] },
};

function stepOf(node: Fields, { catalogue }: Mending): StepType | undefined {
  return typeof node.use === 'string' ? catalogue.steps.get(node.use) : undefined;
}

const propertiesOf = ({ input }: StepType): Readonly<Record<string, unknown>> =>
  isRecord(input.properties) ? input.properties : {};

const requiredOf = ({ input }: StepType): readonly unknown[] => (Array.isArray(input.required) ? input.required : []);

/** A field of the node that is an input of its step. */
export function placeInput(node: Fields, key: string, path: string, mending: Mending): boolean {
  const step = stepOf(node, mending);
  if (step === undefined) return false;
  const isInput = Object.hasOwn(propertiesOf(step), key);
  return isInput && move(node, key, 'in', key, path, mending);
}

export function mendInputs(node: Fields, path: string, mending: Mending): void {
  const step = stepOf(node, mending);
  if (step === undefined) return;
  if (typeof node.in === 'string') nameInput(node, step, path, mending);
  if (!isRecord(node.in)) return;
  const at = `${path}/in`;
  const properties = propertiesOf(step);
  renameUsual(node.in, step, at, mending);
  for (const key of Object.keys(node.in)) {
    const schema = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (!isRecord(schema)) continue;
    const value = node.in[key];
    if (isBlank(value)) {
      if (!requiredOf(step).includes(key) && refuses(value, schema)) drop(node.in, key, at, 'it is empty', mending);
      continue;
    }
    const meant = readAs(value, schema);
    if (meant !== undefined) rewrite(node.in, key, meant, at, mending);
  }
}

/** A text for all the input is the only input that there can be. */
function nameInput(node: Fields, step: StepType, path: string, mending: Mending): void {
  const required = requiredOf(step).filter((name) => typeof name === 'string');
  const names = Object.keys(propertiesOf(step));
  const [only, another] = step.use === 'llm' && isBuiltIn(step) ? ['prompt'] : required.length > 0 ? required : names;
  if (only === undefined || another !== undefined) return;
  const value = node.in;
  if (typeof value === 'string') rewrite(node, 'in', { [only]: value }, path, mending);
}

/** Only where nothing else has the name, and only one field could be meant. */
function renameUsual(input: Fields, step: StepType, path: string, mending: Mending): void {
  if (!isBuiltIn(step) || !Object.hasOwn(USUAL_NAMES, step.use)) return;
  const properties = propertiesOf(step);
  for (const [target, names] of Object.entries(USUAL_NAMES[step.use] ?? {})) {
    if (input[target] !== undefined || !Object.hasOwn(properties, target)) continue;
    if (target === 'prompt' && input.messages !== undefined) continue;
    const given = names.filter((name) => Object.hasOwn(input, name) && !Object.hasOwn(properties, name));
    const [name, another] = given;
    if (name !== undefined && another === undefined) rename(input, name, target, path, mending);
  }
}

const typeOf = ({ type }: JsonSchema): string => (typeof type === 'string' ? type : '');

/** Null, or an empty text, where the schema wants something else. */
const refuses = (value: unknown, schema: JsonSchema): boolean => {
  const type = typeOf(schema);
  if (type === '') return false;
  if (type !== 'string') return type !== 'null';
  return value === null || (typeof schema.minLength === 'number' && schema.minLength > 0) || Array.isArray(schema.enum);
};

/** The number or the truth value that a text is, where the schema takes no text. */
function readAs(value: unknown, schema: JsonSchema): unknown {
  if (typeof value !== 'string') return undefined;
  const type = typeOf(schema);
  if (type === 'number' || type === 'integer') {
    const number = numberIn(value);
    return number !== undefined && (type === 'number' || Number.isInteger(number)) && !value.includes('$')
      ? number
      : undefined;
  }
  return type === 'boolean' ? flagIn(value) : undefined;
}
