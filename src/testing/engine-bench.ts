/** The setup of the engine suite: engines on one journal, steps that a test defines, and a record of what ran. */
import type { Runtime } from '../core/clock.ts';
import { abortError } from '../core/errors.ts';
import { onAbort } from '../core/on-abort.ts';
import type { Plan, PlanNode, ValidPlan } from '../core/plan/plan.ts';
import {
  type ExecutionEngine,
  type NodeCall,
  type NodeRunner,
  type NodeRunners,
  type RunResult,
  SuspendRun,
} from '../core/run/engine.ts';
import type { RunJournal } from '../core/stores.ts';
import { fakeRuntime } from './fakes.ts';
import type { TestFunction } from './suite.ts';

export interface TestEngineParts {
  readonly journal: RunJournal;
  readonly runners: NodeRunners;
  readonly runtime: Runtime;
}

export interface EngineSuiteOptions {
  readonly test: TestFunction;
  /** Makes a new engine, as in a process that has just started. */
  readonly make: (parts: TestEngineParts) => ExecutionEngine | Promise<ExecutionEngine>;
  /** Makes an empty journal. An engine that stores runs elsewhere ignores it and defines `crash`. */
  readonly journal: () => RunJournal;
  /**
   * Stops an engine as `kill -9` stops its process: it records and starts nothing more, and its leases have expired. What it
   * recorded stays for the next engine, which `make` makes with the same `runtime`. `close` is still called on the stopped
   * engine. @default the next engine gets a copy of the journal
   */
  readonly crash?: (engine: ExecutionEngine) => Promise<void>;
  /** Validates a plan whose steps are `tool:work` (any input and output) and `human`. */
  readonly valid: (plan: Plan) => ValidPlan;
}

/** The work of a step. By default it returns its inputs, so that a test sees them. */
export type Work = (call: NodeCall) => unknown;

export interface Bench {
  readonly journal: RunJournal;
  /** Ids of the nodes that ran, in the order of their starts, over all engines of the bench. */
  readonly ran: string[];
  /** Another engine on the same journal: the next process. */
  engine(journal?: RunJournal): Promise<ExecutionEngine>;
  run(nodes: readonly PlanNode[], plan?: Partial<Plan>): Promise<RunResult>;
  /** Starts the run `run`, stops its process while the node works, and returns the engine of the next process. */
  crashAt(nodeId: string, plan: ValidPlan): Promise<ExecutionEngine>;
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

/** Engines and journals that a test opened; the suite closes them. */
export interface Opened {
  readonly engines: ExecutionEngine[];
  readonly journals: RunJournal[];
}

export function benchOf(options: EngineSuiteOptions, { engines, journals }: Opened): Bench {
  const { make, journal: fresh, valid } = options;
  const journal = fresh();
  const runtime = fakeRuntime();
  const ran: string[] = [];
  const work = new Map<string, Work>();
  journals.push(journal);
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
    async crashAt(nodeId, plan) {
      const engine = await bench.engine();
      await untilAtWork(bench, nodeId, () => engine.start(plan, { runId: 'run' }));
      const left = options.crash === undefined ? await copyOf(journal, fresh()) : journal;
      if (left !== journal) journals.push(left);
      await options.crash?.(engine);
      return bench.engine(left);
    },
  };
  return bench;
}

/** Makes the next call of the node wait until its signal aborts; later calls work as before. */
async function untilAtWork({ work }: Bench, nodeId: string, start: () => unknown): Promise<void> {
  const usual = work.get(nodeId);
  await new Promise<void>((atWork) => {
    work.set(nodeId, (call) => {
      void usual?.(call);
      if (usual === undefined) work.delete(nodeId);
      else work.set(nodeId, usual);
      atWork();
      return new Promise((_, reject) => {
        onAbort(call.signal, () => reject(abortError(call.signal)));
      });
    });
    start();
  });
}

async function copyOf(from: RunJournal, to: RunJournal): Promise<RunJournal> {
  for await (const event of from.read('run')) await to.append('run', [event]);
  return to;
}
