/** What the engine suite works with: engines on one journal, steps that a test fills in, and a record of what ran. */
import type { Runtime } from '../../core/clock.ts';
import {
  type ExecutionEngine,
  type NodeCall,
  type NodeRunner,
  type NodeRunners,
  type RunResult,
  SuspendRun,
} from '../../core/engine.ts';
import type { Plan, PlanNode, ValidPlan } from '../../core/plan.ts';
import type { RunJournal } from '../../core/stores.ts';
import { fakeRuntime } from './fakes.ts';
import type { TestFunction } from './suite.ts';

export interface EngineParts {
  readonly journal: RunJournal;
  readonly runners: NodeRunners;
  readonly runtime: Runtime;
}

export interface EngineSuiteOptions {
  readonly test: TestFunction;
  /** An engine of its own, as a process that has just started would make it. */
  readonly make: (parts: EngineParts) => ExecutionEngine | Promise<ExecutionEngine>;
  /** A fresh and empty journal. */
  readonly journal: () => RunJournal;
  /** Validates a plan whose steps are `tool:work` (any input and output) and `human`. */
  readonly valid: (plan: Plan) => ValidPlan;
}

/** What a step does. By default its inputs are its output, so that a test sees what reached the node. */
export type Work = (call: NodeCall) => unknown;

export interface Bench {
  readonly journal: RunJournal;
  /** Ids of the nodes that ran, in the order of their starts, over all engines of the bench. */
  readonly ran: string[];
  /** Another engine on the same journal: the next process. */
  engine(journal?: RunJournal): Promise<ExecutionEngine>;
  run(nodes: readonly PlanNode[], plan?: Partial<Plan>): Promise<RunResult>;
  valid(nodes: readonly PlanNode[], plan?: Partial<Plan>): ValidPlan;
  readonly work: Map<string, Work>;
}

export const node = (id: string, inputs: PlanNode['in'] = {}, more: Partial<PlanNode> = {}): PlanNode => ({
  id,
  use: 'tool:work',
  in: inputs,
  ...more,
});

function runnersOf(ran: string[], work: ReadonlyMap<string, Work>): NodeRunners {
  const human: NodeRunner = async ({ answer }) => {
    if (answer !== undefined) return { value: { answer: answer.value, approved: true }, costNanoUsd: 0 };
    throw new SuspendRun({ question: 'Shall I?', choices: ['yes', 'no'] });
  };
  const worker: NodeRunner = async (call) => {
    ran.push(call.node.id);
    const value = await (work.get(call.node.id) ?? (() => call.inputs))(call);
    return { value, costNanoUsd: 1000, usage: { input: 1, output: 1 } };
  };
  return new Map<string, NodeRunner>([
    ['tool:work', worker],
    ['human', human],
  ]);
}

export function benchOf({ make, journal: fresh, valid }: EngineSuiteOptions, engines: ExecutionEngine[]): Bench {
  const journal = fresh();
  const runtime = fakeRuntime();
  const ran: string[] = [];
  const work = new Map<string, Work>();
  const bench: Bench = {
    journal,
    ran,
    work,
    async engine(other = journal) {
      const engine = await make({ journal: other, runners: runnersOf(ran, work), runtime });
      engines.push(engine);
      return engine;
    },
    valid: (nodes, plan) => valid({ version: 1, ...plan, nodes: [...nodes] }),
    async run(nodes, plan) {
      return (await bench.engine()).start(bench.valid(nodes, plan), { runId: 'run' }).result();
    },
  };
  return bench;
}
