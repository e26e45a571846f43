/**
 * Planners that are programs: one writes the gold plan of every request, two write it by a schema and as the argument of a tool, the
 * others make one kind of mistake. They cost a made-up price.
 */
import type { Capability, JsonValue, Plan, Provider } from 'polyphony';
import { fakeCard, fakeProvider, finish, type ScriptStep } from 'polyphony/testing';
import { closedPlan } from './closed-plan.ts';
import type { Task } from './task.ts';

export type Flaw = 'none' | 'schema' | 'tool' | 'renamed' | 'shortened' | 'chained' | 'prose';
export const FLAWS: readonly Flaw[] = ['none', 'schema', 'tool', 'renamed', 'shortened', 'chained', 'prose'];

/** What a model can do beside writing JSON, where that decides how it writes the plan. */
const ABLE: Readonly<Partial<Record<Flaw, readonly Capability[]>>> = {
  schema: ['json-schema'],
  tool: ['tools', 'tool-choice'],
};

const NOT_POSSIBLE: Plan = {
  version: 1,
  nodes: [{ id: 'no', use: 'value', in: { answer: 'This cannot be done with the tools that are there.' } }],
  output: '{{no.answer}}',
};

/** `scripted/none`, `scripted/shortened`, …: the model's name is the flaw. */
export function scriptedPlanner(tasks: readonly Task[]): Provider {
  const byRequest = new Map(tasks.map((task) => [task.request, task]));
  const models = FLAWS.map((id) =>
    fakeCard({ id, capabilities: ['text', 'streaming', 'system', 'json-mode', 'planning', ...(ABLE[id] ?? [])] }),
  );
  return fakeProvider({
    id: 'scripted',
    models,
    script: ({ request, target }) => {
      const asked = 'messages' in request ? request.messages.map(({ content }) => content) : [];
      const task = asked.map((content) => byRequest.get(String(content))).find((found) => found !== undefined);
      const steps = written(task?.golds[0] ?? NOT_POSSIBLE, target.model as Flaw);
      return [...steps, finish({ usage: { input: 1000, output: 200 } })];
    },
  });
}

function written(gold: Plan, flaw: Flaw): readonly ScriptStep[] {
  if (flaw !== 'tool') return [{ type: 'text-delta', text: writtenText(gold, flaw) }];
  const input = JSON.parse(JSON.stringify(gold)) as JsonValue;
  return [{ type: 'tool-call', call: { type: 'tool-call', id: 'call_1', name: 'plan', arguments: input } }];
}

function writtenText(gold: Plan, flaw: Flaw): string {
  switch (flaw) {
    case 'prose':
      return 'I would first look things up, and then write the answer.';
    case 'schema':
      return JSON.stringify(closedPlan(gold));
    case 'renamed':
      return JSON.stringify(renamed(gold));
    case 'shortened':
      return JSON.stringify(shortened(gold));
    default:
      return JSON.stringify(flaw === 'chained' ? chained(gold) : gold);
  }
}

/** Every id is another one, everywhere. */
function renamed(gold: Plan): Plan {
  let text = JSON.stringify({ nodes: gold.nodes, output: gold.output });
  for (const { id } of gold.nodes) {
    text = text
      .replaceAll(`"id":"${id}"`, `"id":"step_${id}"`)
      .replaceAll(new RegExp(`(?<=\\{\\{[^{}]*)(?<![\\w.'])${id}(?=\\b)(?!:)`, 'g'), `step_${id}`)
      .replaceAll(new RegExp(`(?<="(?:when|needs|until)":\\[?"[^"]*)(?<![\\w.'])${id}(?=\\b)`, 'g'), `step_${id}`);
  }
  return { ...gold, ...(JSON.parse(text) as Pick<Plan, 'nodes' | 'output'>) };
}

/** The first half of the nodes: what they refer to stands before them. */
function shortened(gold: Plan): Plan {
  const nodes = gold.nodes.slice(0, Math.ceil(gold.nodes.length / 2));
  return { ...gold, nodes, output: `{{${nodes.at(-1)?.id}}}` };
}

/** Every node waits for the one before it, for nothing. */
function chained(gold: Plan): Plan {
  const nodes = gold.nodes.map((node, place) => {
    const before = gold.nodes[place - 1]?.id;
    return before === undefined ? node : { ...node, needs: [...new Set([...(node.needs ?? []), before])] };
  });
  return { ...gold, nodes };
}
