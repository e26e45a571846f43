/**
 * What conditions and expressions have in common: parsed, checked for names and types, translated to a form that counts its
 * work, and run on the values of its heads.
 */
import { type ASTNode, EvaluationError, ParseError, type ParseResult } from '@marcbachmann/cel-js';
import { defined } from '../../core/defined.ts';
import { PolyphonyError } from '../../core/errors.ts';
import { CEL_RESERVED, CONDITION_BOUNDS } from '../condition-rules.ts';
import { beginningOf, shownText } from '../shown.ts';
import { environments } from './cel-environment.ts';
import { ConditionRefusal, type Emission } from './condition-emit.ts';
import { isExhausted, readOwn, resetWork, spend } from './condition-work.ts';

/** Characters of a source, and of a reason, that a message quotes. */
const SHOWN_SOURCE = 500;

export type MetaOf = (head: string) => unknown;

/** `Condition` or `Expression`, for messages. */
type ProgramKind = 'condition' | 'expression';

interface CelProgram {
  readonly root: ASTNode;
  /** What was found while it was translated. */
  readonly emission: Emission;
  /** The type of its result as CEL names it; `dyn`: not known before it runs. */
  readonly type: string;
  /**
   * Runs it on the values of its heads; a missing head is null.
   *
   * @param read takes what it results in, as CEL has it
   * @throws invalid-plan when the values do not fit the operators, or a list is too long; limit-exceeded when it takes or
   *   makes more than CONDITION_BOUNDS allow
   */
  run<T>(scope: Readonly<Record<string, unknown>>, metaOf: MetaOf | undefined, read: (result: unknown) => T): T;
}

type CompiledProgram =
  | { readonly ok: true; readonly program: CelProgram }
  | {
      readonly ok: false;
      readonly reason: 'syntax' | 'type';
      readonly message: string;
      /** Offset into the source. */
      readonly at?: number;
      /** The name that is not a head. */
      readonly unknown?: string;
    };

export interface ProgramOptions {
  readonly kind: ProgramKind;
  /** Characters that the source may have. */
  readonly length: number;
  /** Names that may start a path; names that CEL reserves are always excluded. */
  readonly heads: readonly string[] | ((name: string) => boolean);
  readonly emit: (node: ASTNode, emission: Emission) => string;
}

/** Never throws: an error is returned with its reason and place. */
export function compileProgram(source: string, { kind, length, heads, emit }: ProgramOptions): CompiledProgram {
  if (source.length > length) {
    const message = `The ${kind} has ${source.length} characters, but at most ${length} are allowed: shorten it.`;
    return { ok: false, reason: 'syntax', message };
  }
  const given = typeof heads === 'function' ? heads : (name: string) => heads.includes(name);
  const begin = (isCounted: boolean): Emission =>
    emissionOf(source, kind, isCounted, (name) => !CEL_RESERVED.has(name) && given(name));
  try {
    const { ast } = environments().strict.parse(source);
    if (operatorsWithin(ast) > CONDITION_BOUNDS.operators) return tooDeep(kind);
    const emission = begin(false);
    const emitted = emit(ast, emission);
    const parsed = environments().emitted.parse(emitted);
    const { valid, type, error } = parsed.check();
    if (!valid)
      return { ok: false, reason: 'type', message: error?.summary ?? 'The types of the operands do not match.' };
    // The counted form knows no types of operands, so types are checked in the plain one.
    const counted = whenAsked(() => {
      const text = emit(ast, begin(true));
      return text === emitted ? parsed : environments().emitted.parse(text);
    });
    // It may nest more deeply than the plain one where that is long.
    if (emission.operations > MOST_DEFERRED) counted();
    return { ok: true, program: programOf({ root: ast, emission, type: type ?? 'dyn' }, kind, counted) };
  } catch (error) {
    return refused(error, kind);
  }
}

/** Operations of a program whose counted form is made when it first runs: more plans are checked than run. */
const MOST_DEFERRED = 64;

function whenAsked<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function emissionOf(source: string, kind: ProgramKind, isCounted: boolean, isHead: Emission['isHead']): Emission {
  return {
    source,
    isHead,
    isCounted,
    typeNames: new Set(),
    hasMixedBranches: kind === 'expression',
    asksForNull: false,
    references: [],
    comparisons: [],
    sources: new Map(),
    heads: new Set(),
    metas: new Set(),
    operations: 0,
    chained: new Set(),
  };
}

function refused(error: unknown, kind: ProgramKind): CompiledProgram {
  if (error instanceof ConditionRefusal) {
    const { reason, message, at, unknown } = error;
    return { ok: false, reason, message, at, ...defined({ unknown }) };
  }
  if (error instanceof ParseError && error.summary.startsWith('Exceeded maxDepth')) {
    // What is translated nests more deeply than what is written, so its bound is one of operators.
    if (!error.summary.includes(`(${CONDITION_BOUNDS.depth})`)) return tooDeep(kind);
    const message = `The ${kind} has parentheses, calls, indexes or choices within one another, more than ${CONDITION_BOUNDS.depth} deep: compute a part of it in another node.`;
    return { ok: false, reason: 'syntax', message, ...defined({ at: error.range?.start }) };
  }
  if (error instanceof ParseError) {
    const at = error.range?.start;
    return { ok: false, reason: 'syntax', message: error.summary, ...defined({ at }) };
  }
  // The parser itself may not get to the end of a chain that is longer than the bound by far.
  return error instanceof RangeError ? tooDeep(kind) : { ok: false, reason: 'syntax', message: String(error) };
}

const tooDeep = (kind: ProgramKind): CompiledProgram => ({
  ok: false,
  reason: 'syntax',
  message: `The ${kind} has too many operators in one chain, of which it may have ${CONDITION_BOUNDS.operators}, and about ${MOST_COMPARED} that add or compare: ask with "in" whether a list holds a value, or compute a part of it in another node.`,
});

/** Of `+`, `==` and `!=`, each of which becomes a call that counts it. */
const MOST_COMPARED = 500;

/** The most operators within one another. Counted without recursion, which is what it bounds. */
function operatorsWithin(root: ASTNode): number {
  const waiting: { readonly node: ASTNode; readonly around: number }[] = [{ node: root, around: 0 }];
  let most = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node } = next;
    const within = next.around + (OTHERS.has(node.op) ? 0 : 1);
    most = Math.max(most, within);
    for (const part of partsOf(node.args)) waiting.push({ node: part, around: within });
  }
  return most;
}

/** What is no operator. */
const OTHERS: ReadonlySet<string> = new Set(['value', 'id', '.', '.?', '[]', '[?]', 'call', 'rcall', 'list', 'map']);

function partsOf(args: unknown): readonly ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(partsOf);
  return typeof args === 'object' && args !== null && 'op' in args ? [args as ASTNode] : [];
}

interface Scope {
  readonly values: Readonly<Record<string, unknown>>;
  readonly metaOf: MetaOf | undefined;
}

function programOf(found: Omit<CelProgram, 'run'>, kind: ProgramKind, counted: () => ParseResult): CelProgram {
  const { source, heads, metas } = found.emission;
  const names = [...heads].map((head) => [head, `h_${head}`] as const);
  const evaluate = ({ values, metaOf }: Scope, prepare: (value: unknown) => unknown): unknown => {
    const context: Record<string, unknown> = {};
    for (const [head, name] of names)
      context[name] = Object.hasOwn(values, head) ? prepare(values[head] ?? null) : null;
    for (const head of metas) context[`m_${head}`] = prepare(metaOf?.(head) ?? readOwn(values[head], 'meta') ?? null);
    const evaluated = counted();
    resetWork();
    return evaluated(context);
  };
  return {
    ...found,
    run(values, metaOf, read) {
      try {
        return read(runOnMapsIfNeeded({ values, metaOf }, evaluate));
      } catch (cause) {
        throw cannotEvaluate(source, kind, cause);
      }
    },
  };
}

function summaryOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'summary' in error ? String(error.summary) : error.message;
}

function cannotEvaluate(source: string, kind: ProgramKind, cause: unknown): PolyphonyError {
  const message = `The ${kind} ${shownText(source, SHOWN_SOURCE)} cannot be evaluated: ${beginningOf(summaryOf(cause), SHOWN_SOURCE)}. Change it so that it fits the values.`;
  return new PolyphonyError(isExhausted() ? 'limit-exceeded' : 'invalid-plan', message, { cause });
}

/**
 * The library reads the constructor of values and does not support undefined. Data with such a field is rare, so only then
 * it is copied to maps and evaluated again.
 */
function runOnMapsIfNeeded(
  scope: Scope,
  run: (scope: Scope, prepare: (value: unknown) => unknown) => unknown,
): unknown {
  try {
    return run(scope, (value) => value);
  } catch (error) {
    if (!(error instanceof EvaluationError) || error.code !== 'unsupported_type') throw error;
    return run(scope, (value) => toMaps(value, 0));
  }
}

function toMaps(value: unknown, depth: number): unknown {
  spend(1);
  if (typeof value !== 'object' || value === null || depth > MAX_DATA_DEPTH) return value ?? null;
  if (Array.isArray(value)) return value.map((item) => toMaps(item, depth + 1));
  return new Map(Object.entries(value).map(([key, child]) => [key, toMaps(child, depth + 1)]));
}

/** Deeper data cannot be read. */
const MAX_DATA_DEPTH = 256;
