/** An engine with the built-in runners over a gateway that answers from a script. */
import type { ModelCard } from '../../src/core/model/provider.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import type { ValueBounds } from '../../src/core/run/value-bounds.ts';
import type { RunJournal } from '../../src/core/stores.ts';
import { createEngine } from '../../src/executor/engine.ts';
import { createRunners, type RunnersOptions } from '../../src/runners/create-runners.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeRuntime } from '../../src/testing/fakes.ts';
import { collected, settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { type Answer, scriptedGateway } from './scripted-gateway.ts';

export const add: Tool = {
  name: 'add',
  description: 'Adds two numbers.',
  input: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } }, required: ['a', 'b'] },
  run: async ({ a, b }) => Number(a) + Number(b),
};
export const broken: Tool = {
  name: 'broken',
  description: 'Fails.',
  input: {},
  run: async () => {
    throw new Error('out of order');
  },
};

export interface SetUp extends Partial<RunnersOptions> {
  /** The cards of the one provider. @default none */
  readonly cards?: readonly ModelCard[];
  /** @default a new one in memory */
  readonly journal?: RunJournal;
  readonly valueBounds?: () => ValueBounds;
}

export function setUp(answers: readonly Answer[], { cards, journal: given, valueBounds, ...more }: SetUp = {}) {
  const runtime = fakeRuntime();
  const gateway = scriptedGateway(answers, cards);
  const journal = given ?? memoryStores({ clock: runtime.clock }).journal;
  const runners = createRunners({
    gateway,
    tools: new Map([add, broken].map((tool) => [tool.name, tool])),
    clock: runtime.clock,
    engine: () => engine,
    workflows: () => undefined,
    ...more,
  });
  const bounds = valueBounds === undefined ? {} : { valueBounds };
  const engine = createEngine({ runtime, journal, runners, validPlan, ...bounds });
  return { runtime, engine, journal, gateway };
}

export async function run(answers: readonly Answer[], nodes: PlanNode | readonly PlanNode[], more: SetUp = {}) {
  const world = setUp(answers, more);
  const plan = validPlan({ nodes: 'id' in nodes ? [nodes] : [...nodes] });
  const handle = world.engine.start(plan, { scopes: [{ kind: 'tenant', id: 't' }], session: 'talk' });
  const result = await settled(world, handle);
  return { ...world, handle, result, events: await collected(handle.events()) };
}
