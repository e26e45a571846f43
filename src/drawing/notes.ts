/** What a picture says of a node beside its name and its step: a line each, in few words. */
import type { Intent } from '../core/model/model.ts';
import { agentsOf, bareTool } from '../core/plan/offered-tools.ts';
import type { Plan, PlanNode } from '../core/plan/plan.ts';
import { memberPlan, workflowNameOf } from '../core/plan/plan-workflows.ts';
import { handledAs } from '../core/plan/stand-in.ts';

/** The reference or the expression itself. */
const withoutBraces = (text: string): string => text.replace(/^\{\{=?\s*|\s*\}\}$/g, '');

const keyOf = (thread: NonNullable<PlanNode['thread']>): string => (typeof thread === 'string' ? thread : thread.key);

/** @param plan in which the node is: it knows the workflows of its own */
export function notesOf(node: PlanNode, plan: Pick<Plan, 'workflows'>): string[] {
  const notes: string[] = [];
  if (node.model?.id !== undefined) notes.push(withoutBraces(node.model.id));
  else if (node.model?.tier !== undefined) notes.push(withoutBraces(node.model.tier));
  if (node.model?.intent !== undefined) notes.push(intentText(node.model.intent));
  const inner = memberPlan(plan, workflowNameOf(node.use) ?? '');
  if (inner !== undefined) notes.push(`${inner.nodes.length} ${inner.nodes.length === 1 ? 'node' : 'nodes'} inside`);
  if (node.use === 'wait') notes.push(...waitNotes(node.in ?? {}));
  if (node.use === 'llm') notes.push(...agentNotes(node.in ?? {}));
  if (node.thread !== undefined) notes.push(`thread ${withoutBraces(keyOf(node.thread))}`);
  if (node.each !== undefined) notes.push(`each ${withoutBraces(node.each)}`);
  if (node.when !== undefined) notes.push(`when ${node.when}`);
  if (node.repeat !== undefined) notes.push(`until ${node.repeat.until}, at most ${node.repeat.max} rounds`);
  if (node.wait === 'any') notes.push('first to finish');
  else if (typeof node.wait === 'object') notes.push(`${node.wait.atLeast} of them`);
  if (node.escalate !== undefined) notes.push(`below ${node.escalate.below ?? 0.7} to ${node.escalate.to.join(', ')}`);
  if (node.undo !== undefined) notes.push(`undone by ${typeof node.undo === 'string' ? node.undo : node.undo.use}`);
  if (node.finish === true) notes.push('ends the run');
  if (handledAs(node) === 'keep') notes.push('keeps its error');
  return notes;
}

function intentText(intent: string | Intent): string {
  if (typeof intent === 'string') return intent;
  const { usd, ms, accuracy } = intent;
  const bounds = [
    usd === undefined ? [] : `under $${usd}`,
    ms === undefined ? [] : `under ${ms} ms`,
    accuracy === undefined ? [] : `accuracy above ${accuracy}`,
  ];
  return bounds.flat().join(', ');
}

type Inputs = Readonly<Record<string, unknown>>;

function waitNotes({ seconds, until, event }: Inputs): string[] {
  const notes: string[] = [];
  if (isGiven(seconds)) notes.push(`for ${shown(seconds)} seconds`);
  if (isGiven(until)) notes.push(`until ${shown(until)}`);
  if (isGiven(event)) notes.push(`for the event ${shown(event)}`);
  return notes;
}

/** Its tools, those that a person approves, the tool that ends its loop, and a line for each agent that may take over. */
function agentNotes({ tools, rounds, stopWhen, approve, agents }: Inputs): string[] {
  const notes: string[] = [];
  const own = toolNames(tools);
  if (own !== '') notes.push(`tools ${own}`);
  if (isGiven(rounds)) notes.push(`at most ${shown(rounds)} rounds of tools`);
  if (isGiven(stopWhen)) notes.push(`stops with ${shown(stopWhen)}`);
  const asked = toolNames(approve);
  if (asked !== '') notes.push(`asks before ${asked}`);
  for (const [name, agent] of agentsOf(agents)) {
    const theirs = toolNames(agent.tools);
    notes.push(`hands over to ${name}${theirs === '' ? '' : `: ${theirs}`}`);
  }
  return notes;
}

function toolNames(tools: unknown): string {
  if (typeof tools === 'string') return withoutBraces(tools);
  return Array.isArray(tools) ? tools.map(toolName).join(', ') : '';
}

/** A tool of the provider has a name of its own. */
function toolName(tool: unknown): string {
  if (typeof tool === 'string') return withoutBraces(bareTool(tool));
  const { name } = (tool ?? {}) as { readonly name?: unknown };
  return typeof name === 'string' ? name : 'a tool';
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

const shown = (value: unknown): string => withoutBraces(typeof value === 'string' ? value : JSON.stringify(value));
