/** Workflows that models call as tools: each call is a nested run of its own, which a resumed run finds again. */
import { copyJson } from '../../core/json/copy-json.ts';
import type { Tool } from '../../core/plugin.ts';
import { type NodeCall, type NodeOutput, SuspendRun } from '../../core/run/engine.ts';
import { toJsonSchema } from '../../kit/json/json-schema.ts';
import { foundWorkflow, type NestedOptions, runNested } from '../nested.ts';

export const WORKFLOW = 'workflow:';

/** What a model is offered, and how it runs. */
export interface CallableWorkflow extends Pick<Tool, 'name' | 'description' | 'input'> {
  /**
   * @param key the idempotency key of the call: the id of the nested run is made from it
   * @throws SuspendRun for a question of the workflow; the error of the nested run, with what it cost
   */
  runNested(call: NodeCall, key: string, given: NodeCall['inputs']): Promise<NodeOutput>;
}

export type FindWorkflow = (id: string, plan: NodeCall['plan']) => CallableWorkflow | undefined;

/** Finds a workflow by its id: in the plan of the run, else among those that are registered. Undefined: there is none. */
export function callableWorkflows(options: NestedOptions): FindWorkflow {
  return (id, inside) => {
    const plan = foundWorkflow(options, inside, id);
    if (plan === undefined) return undefined;
    const name = `${WORKFLOW}${id}`;
    return {
      name,
      description: plan.plan.goal ?? `The workflow ${id}.`,
      input: toJsonSchema(plan.plan.input ?? {}),
      async runNested(call, key, given) {
        const place = { runId: runIdOf(call, key), use: name, shows: false };
        const prepare = async () => {
          const inputs = copyJson(given);
          const input = (await options.readInput?.(plan.plan, inputs, { node: call.node })) ?? inputs;
          return { plan, input, costNanoUsd: 0 };
        };
        try {
          const { output, usage, costNanoUsd } = await runNested(options, call, prepare, place);
          return { value: output ?? null, usage, costNanoUsd };
        } catch (error) {
          throw error instanceof SuspendRun ? firstOf(error) : error;
        } finally {
          await call.takeSlot?.();
        }
      },
    };
  };
}

/** The node asks one question at a time, as its own: the model may have several runs of the workflow. */
function firstOf({ question: { nested: _nested, ...question } }: SuspendRun): SuspendRun {
  return new SuspendRun(question);
}

/** Such as `run_1.agent.tool.0.1`. A node that failed and runs again has other keys, and so other runs. */
const runIdOf = ({ runId }: NodeCall, key: string): string => `${runId}${key.slice(runId.length).replaceAll('/', '.')}`;
