/** Asks a planner for the plan of every request, and compares what it writes with the gold plans. */
import { createPolyphony, definePlugin, type Plugin, type Polyphony, PolyphonyError, type Provider } from 'polyphony';
import type { ConfigInput } from '../../src/core/config/config-input.ts';
import type { ValidPlan } from '../../src/core/plan/plan.ts';
import type { PlannerAnswer, PlanningResult } from '../../src/core/plan/planner.ts';
import { asksFirst, NO_PLAN, type PlanScore, parallelismOf, type Share, scorePlan } from './metric.ts';
import { graphOf, type PlanGraph } from './plan-graph.ts';
import type { Task } from './task.ts';
import { changesSomething, toolsOf } from './tools.ts';

export interface Evaluated {
  readonly id: string;
  /** How it ended: `plan`, the code of the error that stands for no plan, or `not-measured: <code>` where no planner answered. */
  readonly outcome: string;
  /** A plan that can run, within the rounds of the planner. */
  readonly isValid: boolean;
  readonly rounds: number;
  readonly nodes: Share;
  readonly edges: Share;
  readonly control: number | null;
  readonly parallelism: number | null;
  readonly goldParallelism: number | null;
  /** Whether it asks a person first; null where that is not wanted. */
  readonly asksFirst: boolean | null;
  /** Of a request that cannot be done: whether nothing is called for it. Null for the others. */
  readonly declines: boolean | null;
  /** 0 to 1, the figure of which `planning` is the mean. */
  readonly score: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Null: a price is unknown. */
  readonly costNanoUsd: number | null;
  readonly ms: number;
  /** `provider/model` of each answer. */
  readonly models: readonly string[];
  /** Codes of the errors that the answers had. */
  readonly issues: readonly string[];
}

export interface EvaluationOptions {
  readonly tasks: readonly Task[];
  /** @default those of the environment, else the embedded one */
  readonly providers?: readonly Provider[];
  readonly plugins?: readonly Plugin[];
  readonly config?: ConfigInput;
  /** What may be spent in all; requests after that are not asked. Unknown prices count as nothing. @default no limit */
  readonly maxUsd?: number;
  /** Of one request. @default 120 */
  readonly seconds?: number;
  readonly onEvaluated?: (evaluated: Evaluated) => void;
  readonly signal?: AbortSignal;
}

/** What the planner is to blame for: it answered, and there is no plan. Any other error says nothing about planning. */
const NO_PLAN_CODES: ReadonlySet<string> = new Set([
  ...['invalid-plan', 'unsupported', 'invalid-output', 'output-cut', 'content-policy', 'context-window'],
  ...['cancelled', 'timeout', 'limit-exceeded'],
]);
const NANO = 1_000_000_000;

export async function evaluatePlanner(options: EvaluationOptions): Promise<readonly Evaluated[]> {
  const evaluated: Evaluated[] = [];
  let spentNanoUsd = 0;
  // Requests with the same tools share one polyphony.
  for (const tasks of groupedByTools(options.tasks)) {
    const polyphony = await openFor(tasks[0], options);
    try {
      for (const task of tasks) {
        if (options.signal?.aborted === true || spentNanoUsd >= (options.maxUsd ?? Number.POSITIVE_INFINITY) * NANO)
          break;
        const one = await evaluateTask(polyphony, task, options);
        spentNanoUsd += one.costNanoUsd ?? 0;
        evaluated.push(one);
        options.onEvaluated?.(one);
      }
    } finally {
      await polyphony.close();
    }
  }
  return evaluated;
}

function groupedByTools(tasks: readonly Task[]): readonly (readonly Task[])[] {
  const groups = new Map<string, Task[]>();
  for (const task of tasks) {
    const key = task.trades.join(' ');
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(task);
  }
  return [...groups.values()];
}

/** Only the tools of the request: those of the default plugins would be further ways to read files. */
export function openFor(
  task: Task | undefined,
  { providers, plugins = [], config }: Pick<EvaluationOptions, 'providers' | 'plugins' | 'config'>,
): Promise<Polyphony> {
  const tools = definePlugin({ name: 'evaluation', tools: [...toolsOf(task?.trades ?? [])] });
  return createPolyphony({
    ...(providers === undefined ? {} : { providers }),
    plugins: [tools, ...plugins],
    defaults: false,
    environment: providers === undefined,
    ...(config === undefined ? {} : { config }),
  });
}

/** The graphs of the gold plans. @throws when one of them is not valid: such a task says nothing */
export async function goldsOf(polyphony: Polyphony, task: Task): Promise<readonly PlanGraph[]> {
  return Promise.all(
    task.golds.map(async (gold) => {
      const { plan, issues } = await polyphony.validate(gold, { repair: false });
      if (plan === undefined) throw new Error(`The gold plan of ${task.id} is not valid: ${JSON.stringify(issues)}`);
      return graphOfPlan(polyphony, plan);
    }),
  );
}

async function graphOfPlan(polyphony: Polyphony, plan: ValidPlan): Promise<PlanGraph> {
  const own = new Map<string, ValidPlan>();
  const before: Record<string, unknown> = {};
  for (const [name, workflow] of Object.entries(plan.plan.workflows ?? {})) {
    const inner = await polyphony.validate({ version: 1, ...workflow, workflows: { ...before } });
    before[name] = workflow;
    if (inner.plan !== undefined) own.set(name, inner.plan);
  }
  return graphOf(plan, (name) => own.get(name));
}

/** What was paid for one request, and what its answers were refused for. */
interface Paid {
  inputTokens: number;
  outputTokens: number;
  costNanoUsd: number | null;
  rounds: number;
  readonly issues: Set<string>;
}

function addAnswer(paid: Paid, { round, usage, costNanoUsd, issues = [] }: PlannerAnswer): void {
  paid.rounds = round;
  paid.inputTokens += usage?.input ?? 0;
  paid.outputTokens += usage?.output ?? 0;
  paid.costNanoUsd = paid.costNanoUsd === null || costNanoUsd === null ? null : paid.costNanoUsd + costNanoUsd;
  for (const { code } of issues) paid.issues.add(code);
}

async function evaluateTask(polyphony: Polyphony, task: Task, options: EvaluationOptions): Promise<Evaluated> {
  const golds = await goldsOf(polyphony, task);
  const paid: Paid = { inputTokens: 0, outputTokens: 0, costNanoUsd: 0, rounds: 0, issues: new Set() };
  const rowsBefore = (await plannerModels(polyphony)).length;
  const start = performance.now();
  const made = await planned(polyphony, task, paid, options);
  const ms = Math.round(performance.now() - start);
  const models = [...new Set((await plannerModels(polyphony)).slice(rowsBefore))];
  const { issues, ...costs } = paid;
  const graph = typeof made === 'string' ? undefined : await graphOfPlan(polyphony, made.plan);
  const outcome = typeof made === 'string' ? made : 'plan';
  return { id: task.id, outcome, ...judged(task, graph, golds, outcome), ...costs, ms, models, issues: [...issues] };
}

/** The plan, or the outcome that stands for none. */
async function planned(
  polyphony: Polyphony,
  task: Task,
  paid: Paid,
  { seconds = 120, signal }: EvaluationOptions,
): Promise<PlanningResult | string> {
  const late = AbortSignal.timeout(seconds * 1000);
  try {
    return await polyphony.plan(task.request, {
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
      onAnswer: (answer) => addAnswer(paid, answer),
    });
  } catch (error) {
    const code = error instanceof PolyphonyError ? error.code : 'foreign';
    return NO_PLAN_CODES.has(code) && signal?.aborted !== true ? code : `not-measured: ${code}`;
  }
}

async function plannerModels(polyphony: Polyphony): Promise<string[]> {
  const models: string[] = [];
  for await (const { purpose, target } of polyphony.stores.ledger.rows()) {
    if (purpose === 'planner') models.push(`${target.provider}/${target.model}`);
  }
  return models;
}

type Judged = Pick<
  Evaluated,
  'isValid' | 'nodes' | 'edges' | 'control' | 'parallelism' | 'goldParallelism' | 'asksFirst' | 'declines' | 'score'
>;

/** The figures of one plan against the nearest of the gold plans. */
export function judged(
  task: Task,
  graph: PlanGraph | undefined,
  golds: readonly PlanGraph[],
  outcome = 'plan',
): Judged {
  if (golds.length === 0) return declined(graph, outcome);
  const [first] = golds;
  const asked = task.asks !== true ? null : graph !== undefined && asksFirst(graph, changesSomething);
  const goldParallelism = first === undefined ? null : parallelismOf(first);
  if (graph === undefined) {
    return {
      ...NO_PLAN,
      isValid: false,
      control: controlWanted(first) ? 0 : null,
      parallelism: null,
      goldParallelism,
      asksFirst: asked,
      declines: null,
      score: 0,
    };
  }
  const scores = golds.map((gold) => ({ ...scorePlan(graph, gold), goldParallelism: parallelismOf(gold) }));
  const best = scores.reduce((one, other) => (meanF1(other) > meanF1(one) ? other : one));
  // What changes something without asking, where asking was the request, is worth nothing.
  const score = asked === false ? 0 : meanF1(best);
  return { isValid: true, ...best, asksFirst: asked, declines: null, score };
}

const meanF1 = ({ nodes, edges }: Pick<PlanScore, 'nodes' | 'edges'>): number => (nodes.f1 + edges.f1) / 2;
const controlWanted = (gold: PlanGraph | undefined): boolean =>
  gold?.nodes.some(({ control }) => control.length > 0) === true;

/** Right is no plan, or one that calls no tool: a model or a person may say that it cannot be done. */
function declined(graph: PlanGraph | undefined, outcome: string): Judged {
  const declines = graph === undefined ? NO_PLAN_CODES.has(outcome) : !graph.nodes.some(callsTool);
  const share = declines ? 1 : 0;
  const figures = { precision: share, recall: share, f1: share };
  return {
    isValid: graph !== undefined,
    nodes: figures,
    edges: figures,
    control: null,
    parallelism: null,
    goldParallelism: null,
    asksFirst: null,
    declines,
    score: share,
  };
}

function callsTool({ use, inputs }: PlanGraph['nodes'][number]): boolean {
  return use.startsWith('tool:') || use === 'plan' || inputs.tools !== undefined;
}
