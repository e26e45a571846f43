/** The messages to the planner model. The catalogue stands between two tags, so that any planner can find it. */
import type { JsonSchema, Message } from '../core/model/model.ts';
import type { Catalogue, StepType } from '../core/plan/validation.ts';
import { inputShape, outputShape } from './step-shapes.ts';

const RULES = `You write plans. A plan is one JSON document that a machine runs as a graph over a pool of models and tools.
Answer with the JSON document alone.

Shape:
{ "version": 1, "goal": string, "workflows": {name: {"input": map of types, "nodes", "output"}} if needed, "nodes": [node, ...], "output": any JSON with references }
"use": "workflow:name" runs one, also as the body of each or repeat; it sees only its own input.
A node: { "id", "use", "in" } and, when needed:
"needs": [ids] to wait for without using their output; "when": a CEL condition over earlier outputs, false skips the node;
"each": "{{ref to an array}}" runs the node once an item, with {{item}} and {{index}}, its output is the array of outputs;
"repeat": {"until": CEL over self, "max": 2-20}; "wait": "all" | "any" | {"atLeast": n};
"out": {"field": "string" | "number" | "integer" | "boolean" | "a|b|c" | "string[]" | nested map; "?" behind makes it optional} for typed answers of llm;
"model": {"tier": "fast" | "balanced" | "premium", "can": [capabilities]}; "escalate": {"evaluator", "below": 0-1, "to": [tiers]};
"thread": "{{input.user}}" lets llm go on with the conversation of that key; "limits": {"usd", "seconds", "concurrency"}; "onError": "fail" | "skip" | {"value": any} | {"keep": true}, which gives null and meta.error {code, message}; "finish": true ends the run with its output.

Rules:
- ids match [a-z][a-z0-9_]*, are unique, and are never input, item, index, prev or self.
- A reference is {{node.field}}, {{node.list[0].field}} or {{a.text ?? b.text}}; it names EARLIER nodes only. A value that is one reference alone keeps its type.
- A whole string "{{= CEL}}" computes: list.filter(x, x.n > 1).sortBy('n').first(3), c ? a : b.
- llm without "out" gives {text}; with "out" it gives exactly those fields. A tool gives the fields of its output.
- llm: "tools" names tools or "workflow:x"; "approve": [tools] asks a person before each such call; "rounds": most rounds of calls.
- Use only the steps of the catalogue; there "?" ends what may be left out, "# ..." explains, media is a picture or file as a step gives it. Independent nodes run in parallel by themselves: never chain what need not wait.
- Take the cheapest tier that will do. Every node's result must be used by another node or by "output".`;

interface CatalogueStep {
  readonly use: string;
  readonly description: string;
  readonly input: unknown;
  readonly output?: unknown;
  /** It changes something outside the run. */
  readonly sideEffects?: true;
}

/** Inputs of `llm` that the rules name, or that few plans need: their schemas would be longer than all the rules. */
const UNLISTED: ReadonlySet<string> = new Set(['rounds', 'stopWhen', 'approve', 'toolLimits', 'transcript', 'agents']);

function listedInput({ use, input }: StepType): JsonSchema {
  const { properties } = input;
  if (use !== 'llm' || typeof properties !== 'object' || properties === null) return input;
  const listed = Object.entries(properties).filter(([name]) => !UNLISTED.has(name));
  return { ...input, properties: Object.fromEntries(listed) };
}

const describeStep = (step: StepType): CatalogueStep => ({
  use: step.use,
  description: step.description,
  input: inputShape(listedInput(step)),
  ...(step.output === undefined ? {} : { output: outputShape(step.output) }),
  ...(step.sideEffects === true ? { sideEffects: true } : {}),
});

/** The catalogue as the model reads it: names and shapes, no prices and no ids, because those change often. */
function describeCatalogue(catalogue: Catalogue): string {
  const steps = [...catalogue.steps.values()].filter(({ forPlanner }) => forPlanner !== false);
  const capabilities = new Set(catalogue.models.flatMap(({ card }) => card.capabilities));
  return JSON.stringify({
    steps: steps.filter((step) => !step.use.startsWith('tool:')).map(describeStep),
    tools: steps.filter((step) => step.use.startsWith('tool:')).map(describeStep),
    tiers: [...new Set(catalogue.models.map(({ card }) => card.tier))],
    capabilities: [...capabilities],
    evaluators: catalogue.evaluators,
    ...(catalogue.routes.length > 0 ? { routes: catalogue.routes } : {}),
  });
}

/** System rules with the catalogue, then only the request as the last message. */
export function planningMessages(request: string, catalogue: Catalogue): Message[] {
  return [
    { role: 'system', content: `${RULES}\n\n<catalogue>\n${describeCatalogue(catalogue)}\n</catalogue>` },
    { role: 'user', content: request },
  ];
}
