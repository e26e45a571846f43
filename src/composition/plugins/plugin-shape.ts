/** Whether the fields of a plugin hold what their types say: many plugins are JavaScript, or return what they read. */
import { PolyphonyError } from '../../core/errors.ts';
import { type Declared, effectsProblem } from '../../core/plan/effects.ts';
import type { PluginParts } from '../../core/plugin.ts';

const LISTS = ['providers', 'tools', 'evaluators', 'steps', 'workflows'] as const;
const FUNCTIONS = ['transport', 'rank', 'node', 'onEvent', 'ready', 'close'] as const;
const LAYERS = ['request', 'attempt'] as const;

export const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** @throws invalid-config naming the field of the plugin that holds something else than its type says */
export function assertParts(plugin: string, parts: PluginParts): void {
  const invalid = (field: string, rule: string): PolyphonyError =>
    new PolyphonyError('invalid-config', `The field "${field}" of the plugin "${plugin}" must be ${rule}: correct it.`);
  for (const field of LISTS) {
    const list: unknown = parts[field];
    if (list === undefined || (Array.isArray(list) && list.every(isObject))) continue;
    throw invalid(field, 'a list of objects');
  }
  for (const field of FUNCTIONS) {
    if (parts[field] !== undefined && typeof parts[field] !== 'function') throw invalid(field, 'a function');
  }
  if (parts.tokenizers !== undefined && !areTokenizers(parts.tokenizers))
    throw invalid('tokenizers', 'functions by the names of models, such as { "acme-*": (text) => 3 }');
  if (parts.escalate !== undefined && (!isObject(parts.escalate) || Array.isArray(parts.escalate)))
    throw invalid('escalate', 'a rule such as { evaluator, to }');
  for (const field of LAYERS) {
    const given: unknown = parts[field];
    if (given === undefined || (Array.isArray(given) ? given : [given]).every(isLayer)) continue;
    throw invalid(field, 'a layer with a "place" and a function "handle", or a list of them');
  }
  assertEffects(plugin, parts);
}

const areTokenizers = (given: unknown): boolean =>
  isObject(given) && !Array.isArray(given) && Object.values(given as object).every((one) => typeof one === 'function');

function isLayer(value: unknown): boolean {
  const { place, handle } = (value ?? {}) as { readonly place?: unknown; readonly handle?: unknown };
  return (typeof place === 'string' || isObject(place)) && typeof handle === 'function';
}

/** @throws invalid-config naming what is wrong with the effects that a tool or a step declares */
function assertEffects(plugin: string, { tools = [], steps = [] }: PluginParts): void {
  const declared: readonly (readonly [what: string, Declared])[] = [
    ...tools.map((tool) => [`tool "${tool.name}"`, tool] as const),
    ...steps.flatMap(({ type }) => (isObject(type) ? [[`step "${type.use}"`, type] as const] : [])),
  ];
  for (const [what, { effects, sideEffects }] of declared) {
    const problem = effectsProblem({ effects, sideEffects });
    if (problem === undefined) continue;
    throw new PolyphonyError('invalid-config', `The ${what} of the plugin "${plugin}" ${problem}.`);
  }
}
