/** Planners that are programs: one writes the gold plan of every request, the others make one kind of mistake. They cost a made-up price. */
import type { Plan, Provider } from 'polyphony';
import { fakeCard, fakeProvider, finish } from 'polyphony/testing';
import type { Task } from './task.ts';

export type Flaw = 'none' | 'renamed' | 'shortened' | 'chained' | 'prose';
export const FLAWS: readonly Flaw[] = ['none', 'renamed', 'shortened', 'chained', 'prose'];

const NOT_POSSIBLE: Plan = {
  version: 1,
  nodes: [{ id: 'no', use: 'value', in: { answer: 'This cannot be done with the tools that are there.' } }],
  output: '{{no.answer}}',
};

/** `scripted/none`, `scripted/shortened`, …: the model's name is the flaw. */
export function scriptedPlanner(tasks: readonly Task[]): Provider {
  const byRequest = new Map(tasks.map((task) => [task.request, task]));
  const models = FLAWS.map((id) =>
    fakeCard({ id, capabilities: ['text', 'streaming', 'system', 'json-mode', 'planning'] }),
  );
  return fakeProvider({
    id: 'scripted',
    models,
    script: ({ request, target }) => {
      const asked = 'messages' in request ? request.messages.map(({ content }) => content) : [];
      const task = asked.map((content) => byRequest.get(String(content))).find((found) => found !== undefined);
      const text = written(task?.golds[0] ?? NOT_POSSIBLE, target.model as Flaw);
      return [{ type: 'text-delta', text }, finish({ usage: { input: 1000, output: 200 } })];
    },
  });
}

function written(gold: Plan, flaw: Flaw): string {
  if (flaw === 'prose') return 'I would first look things up, and then write the answer.';
  if (flaw === 'renamed') return JSON.stringify(renamed(gold));
  if (flaw === 'shortened') return JSON.stringify(shortened(gold));
  return JSON.stringify(flaw === 'chained' ? chained(gold) : gold);
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
