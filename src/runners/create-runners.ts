/** The runner of each `use`. */
import type { Clock } from '../core/clock.ts';
import type { AnswerLimitsConfig } from '../core/config.ts';
import type { Gateway } from '../core/gateway.ts';
import type { Logger, Step, Tool } from '../core/plugin.ts';
import type { NodeCall, NodeOutput, NodeRunner, NodeRunners } from '../core/run/engine.ts';
import type { PassageStore } from '../core/stores/passages.ts';
import type { ThreadStore } from '../core/stores/threads.ts';
import { callableWorkflows } from './agent/workflow-tool.ts';
import { embedRunner } from './embed.ts';
import { humanRunner } from './human.ts';
import { llmRunner } from './llm.ts';
import { type NestedOptions, planRunner, workflowRunner } from './nested.ts';
import { imageRunner, moderateRunner, rerankRunner } from './operations.ts';
import { type OwnOutputs, withOutputCheck } from './output-check.ts';
import { toolRunner } from './tool.ts';
import { spreadable, stepRunner } from './user-code.ts';
import { waitRunner } from './wait.ts';

export interface RunnersOptions extends NestedOptions {
  readonly gateway: Gateway;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly clock: Clock;
  /** Gets the errors of tools and steps, with their stacks. @default none */
  readonly logger?: Logger;
  /** Step kinds of plugins; they may replace a built-in one. */
  readonly steps?: readonly Step[];
  /** Middlewares around every call of every runner, outermost first. */
  readonly around?: readonly NodeMiddleware[];
  /** Rounds in which a model may call tools before it has to answer. @default 8 */
  readonly toolRounds?: number;
  /** The most rounds that a node may ask for. @default 20 */
  readonly mostToolRounds?: number;
  /** The bounds of answers, as the config sets them now. @default 4096 tokens, 2048 repeated characters */
  readonly answers?: () => AnswerLimitsConfig | undefined;
  /** What nodes with a thread remember. @default none: such a node fails as `unsupported` */
  readonly threads?: ThreadStore | undefined;
  /** The indexes that `embed` makes vectors for. @default none: such a node fails as `unsupported` */
  readonly passages?: PassageStore | undefined;
  /** What the workflows' own schemas say of the outputs of their nodes. @default what the plans say */
  readonly ownOutputs?: OwnOutputs;
}

export type NodeMiddleware = (call: NodeCall, next: NodeRunner) => Promise<NodeOutput>;

/** `value` returns its inputs. */
const valueRunner: NodeRunner = async ({ inputs }) => ({ value: inputs, costNanoUsd: 0 });

export function createRunners(options: RunnersOptions): NodeRunners {
  const { gateway, tools, clock, logger, steps = [], around = [], ownOutputs } = options;
  const checked = (runner: NodeRunner): NodeRunner => withOutputCheck(runner, ownOutputs);
  const runners: [string, NodeRunner][] = [
    ['llm', llmRunner({ ...options, workflow: callableWorkflows(options) })],
    ['image', checked(imageRunner(gateway))],
    ['embed', checked(embedRunner(gateway, options.passages))],
    ['moderate', checked(moderateRunner(gateway))],
    ['rerank', checked(rerankRunner(gateway))],
    ['tool:', checked(toolRunner(tools, clock, logger))],
    ['workflow:', checked(workflowRunner(options))],
    ['plan', checked(planRunner(options))],
    ['human', humanRunner(ownOutputs)],
    ['wait', checked(waitRunner(clock))],
    ['value', checked(valueRunner)],
    ...steps.map((step): [string, NodeRunner] => [step.type.use, checked(stepRunner(step, logger))]),
  ];
  return new Map(runners.map(([use, runner]) => [use, wrapRunner(runner, around)]));
}

/** The runner inside its middlewares, which may pass on a changed copy of the call. */
export function wrapRunner(runner: NodeRunner, around: readonly NodeMiddleware[]): NodeRunner {
  if (around.length === 0) return runner;
  const wrapped = around.reduceRight<NodeRunner>((next, middleware) => (call) => middleware(call, next), runner);
  return (call) => wrapped(spreadable(call));
}
