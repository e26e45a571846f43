/** Loops and lists whose body has several nodes: the body becomes a workflow of the plan, which one node runs. */
import { defined } from '../core/defined.ts';
import type { ShorthandMap } from '../core/model/schema-like.ts';
import { parseTemplate } from '../language/template-syntax.ts';
import type { LoopSettings, Nodes, WorkflowBuilder } from './builder-types.ts';
import type { Workflow } from './built.ts';
import type { Condition } from './condition.ts';
import { compileNode, type Draft, NOTHING, overEach, withNode } from './draft.ts';
import { pathOf, type Ref, referenceTo } from './reference.ts';
import { writtenSchema } from './schema.ts';
import { value, type WorkflowStep } from './step.ts';

interface BodyOf {
  /** The references that a function of the caller gets. */
  readonly c: unknown;
  readonly open: (draft: Draft) => LooseBuilder;
}

interface RoundsOf extends BodyOf {
  /** The body and the options, in either order. */
  readonly given: readonly unknown[];
}

export type LooseBuilder = WorkflowBuilder<unknown, Nodes>;
export type LooseOver = (c: unknown) => unknown;
type LooseBody = (item: Ref<unknown>, b: LooseBuilder, index: Ref<unknown>) => Workflow<unknown, unknown>;
interface LooseOptions extends LoopSettings {
  readonly with?: (c: unknown) => unknown;
}
interface LooseRounds extends LoopSettings {
  readonly start: unknown;
  readonly until: (state: Ref<unknown>) => Condition;
  readonly max: number;
}

/** The id counts only where the body needs code, so that it cannot stand in the plan. */
function bodyDraft({ options }: Draft, id: string, inputPath: string, input: ShorthandMap): Draft {
  const bodyId = `${options.id.slice(0, 60 - id.length)}-${id}`;
  const { urgency } = options;
  return { ...NOTHING, options: { id: bodyId, input, ...defined({ urgency }) }, inputPath };
}

/** The body first. */
const inOrder = (given: readonly unknown[]): readonly unknown[] =>
  typeof given[0] === 'function' ? given : given.toReversed();

/** A start that is no reference becomes a node of its own, because the last choice of a reference is a literal without references. */
export function withRounds(draft: Draft, id: string, { c, open, given }: RoundsOf): Draft {
  const [body, options] = inOrder(given) as [(r: LooseBuilder) => Workflow<unknown, unknown>, LooseRounds];
  const { start, until, max, ...settings } = options;
  const state: unknown = typeof start === 'function' ? start(c) : start;
  const reference = pathOf(state);
  // An expression is no alternative of a reference.
  const path = reference?.startsWith('= ') ? undefined : reference;
  const startId = `${id.slice(0, 34)}_start`;
  const first = compileNode(draft, startId, value as WorkflowStep<unknown, unknown>, { in: state });
  const started = path === undefined ? withNode(draft, value, first) : draft;
  const inner = body(open(bodyDraft(draft, id, 'input.state', { state: 'any' })));
  const spec = { ...settings, in: { state: referenceTo(`prev ?? ${path ?? startId}`) } };
  const node = compileNode(started, id, inner, spec, { repeat: (self) => ({ until: until(self), max }) });
  return withNode(started, inner, node, id);
}

interface ItemsOf extends BodyOf {
  readonly over: LooseOver;
  /** The body and the options, in either order; there may be no options. */
  readonly given: readonly unknown[];
}

export function withItems(draft: Draft, id: string, { c, open, over, given }: ItemsOf): Draft {
  const [body, options = {}] = inOrder(given) as [LooseBody, LooseOptions?];
  const { with: passed, ...settings } = options;
  const input = { item: 'any', index: 'integer', with: 'any' };
  const inner = body(
    referenceTo('input.item'),
    open(bodyDraft(draft, id, 'input.with', input)),
    referenceTo('input.index'),
  );
  const spec = { ...settings, in: itemInput(inner, passed?.(c)) };
  const taken = Object.fromEntries(Object.entries(input).filter(([name]) => name in spec.in));
  const plan = { ...inner.plan, input: taken };
  const schema = writtenSchema(taken).schema.input;
  const own = { ...inner, plan, inputSchema: schema };
  return withNode(draft, own, overEach(over(c), compileNode(draft, id, own, spec)), id);
}

/** In an expression or a condition, which are not compiled for this: their compiler takes longer to load than a call needs. */
const READS_INDEX = /\binput\s*(?:\.\s*index\b|\[\s*["']index["']\s*\])/;

const textsOf = (given: unknown): readonly string[] => {
  if (typeof given === 'string') return [given];
  return typeof given === 'object' && given !== null ? Object.values(given).flatMap(textsOf) : [];
};

const readsIndexIn = (text: string): boolean =>
  parseTemplate(text).segments.some((segment) => {
    if (segment.type === 'expression') return READS_INDEX.test(segment.source);
    if (segment.type !== 'reference') return false;
    const { alternatives } = segment.reference;
    return alternatives.some((one) => one.type === 'path' && one.head === 'input' && one.path[0] === 'index');
  });

/** The index only where the body reads it: most do not. */
function itemInput({ plan }: Workflow<unknown, unknown>, passed: unknown): Record<string, unknown> {
  const readsIndex = textsOf([plan.nodes, plan.output]).some(readsIndexIn);
  const inConditions = plan.nodes.some(({ when, repeat }) => READS_INDEX.test(`${when} ${repeat?.until}`));
  return {
    item: referenceTo('item'),
    ...(readsIndex || inConditions ? { index: referenceTo('index') } : {}),
    ...(passed === undefined ? {} : { with: passed }),
  };
}
