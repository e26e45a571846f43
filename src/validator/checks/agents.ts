/** Checks what an `llm` node says of its tools, of the loop in which they are called, and of its agents. */

import { agentsOf, bareTool, namesIn, stepOfTool, type ToolList, toolLists } from '../../core/plan/offered-tools.ts';
import { nearest } from '../../language/suggest.ts';
import type { NodeAnalysis, PlanAnalysis } from '../analysis/plan-analysis.ts';
import { isRecord, pointerToken } from '../document/document.ts';
import { shown } from '../document/report.ts';
import { remedyOf } from '../document/unknown-use.ts';
import { checkModels } from './models.ts';

const MOST_REPORTED = 20;
const MOST_AGENTS = 16;
const AGENT = /^[a-z][a-z0-9_]{0,39}$/;

/** The inputs that say something of tools. */
const FIELDS = ['tools', 'agents', 'rounds', 'stopWhen', 'approve', 'toolLimits'] as const;

export function checkAgents(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { node } = nodeAnalysis;
  const inputs = node.in;
  if (node.use !== 'llm' || inputs === undefined || !FIELDS.some((field) => inputs[field] !== undefined)) return;
  const lists = toolLists(node);
  for (const list of lists) checkTools(list, nodeAnalysis, analysis);
  checkDeclared(nodeAnalysis, analysis);
  checkRounds(nodeAnalysis, analysis);
  checkRules(lists, nodeAnalysis, analysis);
}

/** The tools that a model may call: those whose names stand in the plan exist. */
function checkTools(list: ToolList, { node, pointer }: NodeAnalysis, { catalogue, report }: PlanAnalysis): void {
  const { names } = list;
  const unknown = namesIn(list).filter((name) => !catalogue.steps.has(stepOfTool(name)));
  if (unknown.length === 0 || !Array.isArray(names)) return;
  const tools = [...catalogue.steps.keys()].filter((use) => /^(?:tool|workflow):/.test(use)).map(bareTool);
  for (const name of unknown.slice(0, MOST_REPORTED)) {
    const message = `Node "${node.id}" names the tool ${shown(name)}, which does not exist: ${remedyOf(stepOfTool(name)) ?? 'use a tool from the catalogue'}.`;
    const suggest = nearest(name, tools);
    report.add('use.unknown', `${pointer}${list.place}/${names.indexOf(name)}`, message, {
      got: name,
      suggest,
      expected: suggest.length > 0 ? undefined : tools.slice(0, 50),
    });
  }
}

function checkDeclared(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { node, pointer } = nodeAnalysis;
  const agents = agentsOf(node.in?.agents);
  if (agents.length > MOST_AGENTS) {
    const message = `Node "${node.id}" declares ${agents.length} agents, but at most ${MOST_AGENTS} are allowed: declare fewer.`;
    analysis.report.add('agent.handoff', `${pointer}/in/agents`, message, { expected: { atMost: MOST_AGENTS } });
  }
  for (const [name, { model }] of agents.slice(0, MOST_AGENTS)) {
    const path = `${pointer}/in/agents/${pointerToken(name)}`;
    if (!AGENT.test(name) || name === node.id) {
      const message = `No agent of node "${node.id}" may be called ${shown(name)}: use lower-case letters, digits and underscores, a letter first, at most 40, and not the id of the node.`;
      analysis.report.add('agent.handoff', path, message, { got: name });
    }
    // It is asked in place of the node, with a model of its own.
    const { escalate: _escalate, ...rest } = node;
    if (isRecord(model)) checkModels({ ...nodeAnalysis, pointer: path, node: { ...rest, model } }, analysis);
  }
}

function checkRounds({ node, pointer }: NodeAnalysis, { catalogue, report }: PlanAnalysis): void {
  const { toolRounds: most } = catalogue.bounds;
  const rounds = node.in?.rounds;
  if (typeof rounds !== 'number' || rounds <= most) return;
  const message = `The model of node "${node.id}" may call tools in ${rounds} rounds, but at most ${most} are allowed (bounds.toolRounds): lower "rounds".`;
  report.add('agent.rounds', `${pointer}/in/rounds`, message, { expected: { atMost: most }, got: rounds });
}

/** A rule for a tool that the model cannot call was meant for another one. */
function checkRules(lists: readonly ToolList[], { node, pointer }: NodeAnalysis, { report }: PlanAnalysis): void {
  const rules = rulesOf(node.in ?? {});
  const agents = agentsOf(node.in?.agents).map(([name]) => name);
  const hasTools = lists.length + agents.length > 0;
  if (!hasTools && node.in?.rounds !== undefined) {
    const message = `"in.rounds" of node "${node.id}" has no effect, because its model has no tools to call: name some in "tools", or remove it.`;
    report.add('field.ineffective', `${pointer}/in/rounds`, message);
  }
  // What a reference gives is known only when the node runs, which refuses it then.
  const isOpen = lists.some(
    (list) => !Array.isArray(list.names) || list.names.some((name) => typeof name === 'string' && name.includes('{{')),
  );
  if (isOpen) return;
  const handoffs = agents.length === 0 ? [] : [node.id, ...agents].map((name) => `handoff:${name}`);
  const known = new Set([...lists.flatMap(namesIn).map(bareTool), ...handoffs]);
  for (const { place, name } of rules.filter((rule) => !known.has(bareTool(rule.name))).slice(0, MOST_REPORTED)) {
    const message = `Node "${node.id}" has a rule for the tool ${shown(name)}, which its model cannot call: name it in "tools", or correct the name.`;
    const suggest = nearest(bareTool(name), known);
    report.add('agent.tool', `${pointer}/in/${place}`, message, {
      got: name,
      suggest,
      expected: [...known].slice(0, 50),
    });
  }
}

interface Rule {
  /** Below `in`. */
  readonly place: string;
  readonly name: string;
}

function rulesOf({ stopWhen, approve, toolLimits }: Readonly<Record<string, unknown>>): readonly Rule[] {
  const rules: Rule[] = [];
  const add = (place: string, name: unknown): void => {
    if (typeof name === 'string' && !name.includes('{{')) rules.push({ place, name });
  };
  add('stopWhen', stopWhen);
  if (Array.isArray(approve)) for (const [index, name] of approve.entries()) add(`approve/${index}`, name);
  if (isRecord(toolLimits)) for (const name of Object.keys(toolLimits)) add(`toolLimits/${pointerToken(name)}`, name);
  return rules;
}
