/**
 * Listing and rendering the references and expressions of nested values: see template-syntax.ts and expression.ts for the
 * languages. Rendering reads only own properties, and a rendered value can never set a prototype.
 */
import { PolyphonyError } from '../core/errors.ts';
import { copyJson } from '../core/json/copy-json.ts';
import { beginRender, countTranslation } from './cel/condition-work.ts';
import { type CompiledExpression, compileExpression } from './expression.ts';
import { type Rendering, type RenderMeter, renderInParts, type TemplateScope } from './rendering.ts';
import {
  type Alternative,
  type Literal,
  parseTemplate,
  type Reference,
  type Segment,
  TEMPLATE_BOUNDS,
} from './template-syntax.ts';

export type { Rendering, RenderMeter, TemplateScope } from './rendering.ts';
export {
  expressionIn,
  type ParsedTemplate,
  parseTemplate,
  type Reference,
  writtenStep,
} from './template-syntax.ts';

export interface FoundReference {
  /** JSON pointer below the value. */
  readonly pointer: string;
  readonly reference: Reference;
}

/** A value of the depth-first traversal and its place. The traversal is bounded in depth and number of values. */
interface Visit {
  readonly value: unknown;
  readonly pointer: string;
  readonly depth: number;
}

function visitStrings(value: unknown, onString: (text: string, pointer: string) => void): void {
  const stack: Visit[] = [{ value, pointer: '', depth: 0 }];
  let budget = TEMPLATE_BOUNDS.values;
  for (let visit = stack.pop(); visit !== undefined && budget > 0; visit = stack.pop()) {
    budget--;
    const { value: current, pointer, depth } = visit;
    if (typeof current === 'string') onString(current, pointer);
    else if (typeof current === 'object' && current !== null && depth < TEMPLATE_BOUNDS.depth) {
      const entries = Object.entries(current);
      if (stack.length + entries.length > TEMPLATE_BOUNDS.values) return;
      for (let index = entries.length - 1; index >= 0; index--) {
        const entry = entries[index];
        if (entry === undefined || (typeof entry[1] !== 'string' && typeof entry[1] !== 'object')) continue;
        stack.push({ value: entry[1], pointer: `${pointer}/${pointerToken(entry[0])}`, depth: depth + 1 });
      }
    }
  }
}

const pointerToken = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

/**
 * Every reference in the strings of a nested value, in document order; keys are never templates. Each value that an expression
 * reads is one reference. Never throws.
 */
export function listReferences(value: unknown): FoundReference[] {
  const found: FoundReference[] = [];
  visitStrings(value, (text, pointer) => {
    for (const segment of parseTemplate(text).segments) {
      if (segment.type === 'reference') found.push({ pointer, reference: segment.reference });
      else if (segment.type === 'expression') {
        for (const reference of referencesOf(segment.source)) found.push({ pointer, reference });
      }
    }
  });
  return found;
}

function referencesOf(source: string): Reference[] {
  const compiled = compileExpression(source);
  if (!compiled.ok) return [];
  return compiled.expression.references.map((path) => ({ alternatives: [{ type: 'path', ...path }] }));
}

/** A value whose references are already parsed. */
export interface CompiledTemplate {
  /** False if it always renders to the value itself. */
  readonly dynamic: boolean;
  /** @param meter @default nothing is counted */
  render(scope: TemplateScope, meter?: RenderMeter): unknown;
  /** The same in parts. Undefined where it has no two expressions, so that one part would do all of it. */
  readonly inParts?: (scope: TemplateScope, meter?: RenderMeter) => Rendering;
}

/** @param known the values of the expressions, where they were worked out before */
type Render = (scope: TemplateScope, meter: RenderMeter, known?: readonly unknown[]) => unknown;

const ignore = (): void => {};
const NO_METER: RenderMeter = { text: ignore, json: ignore, container: ignore, reference: ignore, made: ignore };

const ARRAY_INDEX = /^(?:0|[1-9][0-9]{0,8})$/;

/** Follows own properties of objects and indexes of arrays; undefined if the path does not exist. */
export function walkPath(value: unknown, path: readonly (string | number)[]): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    // `list.0` is written for `list[0]`.
    const isIndex = typeof step === 'number' || (Array.isArray(current) && ARRAY_INDEX.test(step));
    if (Array.isArray(current) !== isIndex || !Object.hasOwn(current, step)) return undefined;
    current = (current as Record<string | number, unknown>)[step];
  }
  return current;
}

function readPath({ head, path }: Extract<Alternative, { type: 'path' }>, scope: TemplateScope): unknown {
  const meta = path[0] === 'meta' ? scope(head, 'meta') : undefined;
  return meta === undefined ? walkPath(scope(head), path) : walkPath(meta, path.slice(1));
}

/** A copy of a list or an object, because whoever gets it may change it. */
const literalOf = (value: Literal): unknown => (typeof value === 'object' && value !== null ? copyJson(value) : value);

/** The first alternative that is neither null nor missing, else null. */
export function resolveReference(reference: Reference, scope: TemplateScope): unknown {
  for (const alternative of reference.alternatives) {
    const value = alternative.type === 'literal' ? literalOf(alternative.value) : readPath(alternative, scope);
    if (value !== null && value !== undefined) return value;
  }
  return null;
}

function asText(value: unknown, meter: RenderMeter): string {
  if (value === null) return '';
  if (typeof value === 'string') {
    meter.text(value);
    return value;
  }
  meter.json(value);
  return JSON.stringify(value) ?? '';
}

function compileString(text: string, compiling: Compiling): Render | undefined {
  const { segments } = parseTemplate(text);
  const [first] = segments;
  if (segments.length === 1 && first?.type === 'reference') {
    const { reference } = first;
    return (scope, meter) => {
      const value = resolveReference(reference, scope);
      meter.reference(value);
      return value;
    };
  }
  if (first?.type === 'expression') return compileWhole(text, first.source, compiling);
  return compileText(text, segments);
}

/**
 * One that does not compile stays text, as an invalid reference does. It is translated when it is first evaluated, because to
 * translate a hundred of them at once takes as long as to evaluate them.
 */
function compileWhole(text: string, source: string, { expressions }: Compiling): Render {
  let compiled: CompiledExpression | undefined;
  const evaluate = (scope: TemplateScope, meter: RenderMeter): unknown => {
    if (compiled === undefined) {
      compiled = compileExpression(source);
      countTranslation(source.length);
    }
    return compiled.ok ? compiled.expression.evaluate(scope, meter) : text;
  };
  const place = expressions.push(evaluate) - 1;
  return (scope, meter, known) => (known === undefined ? evaluate(scope, meter) : known[place]);
}

function compileText(text: string, segments: readonly Segment[]): Render | undefined {
  const parts = segments.filter((segment) => segment.type !== 'expression');
  if (parts.every((segment) => segment.type === 'text')) {
    const plain = parts.map((segment) => segment.text).join('');
    return plain === text ? undefined : () => plain;
  }
  return (scope, meter) => {
    let rendered = '';
    for (const segment of parts) {
      if (segment.type === 'text') meter.text(segment.text);
      rendered += segment.type === 'text' ? segment.text : asText(resolveReference(segment.reference, scope), meter);
    }
    return rendered;
  };
}

interface Compiling {
  /** How many may still come. */
  values: number;
  /** Those found so far, in the order of the value. */
  readonly expressions: ((scope: TemplateScope, meter: RenderMeter) => unknown)[];
}

function compileValue(value: unknown, depth: number, compiling: Compiling): Render | undefined {
  if (typeof value === 'string') return compileString(value, compiling);
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > TEMPLATE_BOUNDS.depth || --compiling.values < 0) {
    const { depth: deepest, values } = TEMPLATE_BOUNDS;
    const rule = `at most ${deepest} levels and ${values} values`;
    throw new PolyphonyError('invalid-plan', `A value with references can have ${rule}: flatten it or split it.`);
  }
  return Array.isArray(value) ? compileArray(value, depth, compiling) : compileObject(value, depth, compiling);
}

function compileArray(values: readonly unknown[], depth: number, compiling: Compiling): Render | undefined {
  const renders = values.map((value) => compileValue(value, depth + 1, compiling));
  if (renders.every((render) => render === undefined)) return undefined;
  return (scope, meter, known) => {
    meter.container(values.length);
    return values.map((value, index) => renders[index]?.(scope, meter, known) ?? (renders[index] ? null : value));
  };
}

function compileObject(value: object, depth: number, compiling: Compiling): Render | undefined {
  const entries = Object.entries(value).map(
    ([key, child]) => [key, child, compileValue(child, depth + 1, compiling)] as const,
  );
  if (entries.every(([, , render]) => render === undefined)) return undefined;
  return (scope, meter, known) => {
    meter.container(entries.length);
    const rendered: Record<string, unknown> = {};
    for (const [key, child, render] of entries) {
      setOwn(rendered, key, render === undefined ? child : render(scope, meter, known));
    }
    return rendered;
  };
}

/** Assigning `__proto__` would set the prototype; defining it makes it an ordinary property. */
function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  } else target[key] = value;
}

/**
 * Parses the references of a nested value once, for rendering many times. Keys are never templates.
 *
 * @throws invalid-plan when the value is nested too deeply or cyclic
 */
export function compileTemplate(value: unknown): CompiledTemplate {
  const expressions: Compiling['expressions'] = [];
  const render = compileValue(value, 0, { values: TEMPLATE_BOUNDS.values, expressions });
  if (render === undefined) return { dynamic: false, render: () => value };
  return {
    dynamic: true,
    render(scope, meter = NO_METER) {
      beginRender();
      return render(scope, meter);
    },
    ...(expressions.length < 2
      ? {}
      : {
          inParts: (given, meter = NO_METER) =>
            renderInParts(expressions, given, meter, (scope, known) => render(scope, meter, known)),
        }),
  };
}

/**
 * Renders the references of a nested value. A string that consists of one reference keeps the type of the
 * referenced value. Inside text, strings stay unchanged, null and missing values are empty, other values become compact
 * JSON. A value without references is returned without a copy.
 *
 * @throws invalid-plan when the value is nested too deeply or cyclic
 */
export function renderValue(value: unknown, scope: TemplateScope, meter?: RenderMeter): unknown {
  return compileTemplate(value).render(scope, meter);
}
