/**
 * The agents of an `llm` node: the node itself and those that it declares. One of them is asked at a time; a call of `handoff:<name>`
 * hands the conversation over, with all that was said.
 */
import type { ChatRequest } from '../../core/model/model.ts';
import type { NodeCall, ToolCallRecord } from '../../core/run/engine.ts';
import { isPlainObject } from '../../language/shorthand.ts';
import { invalidInput, textInput } from '../inputs.ts';
import { type ChatDraft, type KnownTools, offeredTools, toolsOf } from './llm-request.ts';
import type { Callable, Handoff } from './llm-tools.ts';

export interface Agent {
  /** The id of the node, for the one that is asked first. */
  readonly name: string;
  readonly system?: string | undefined;
  readonly tools: readonly Callable[];
  /** What each request of it has besides the messages. */
  readonly request: Pick<ChatDraft, 'tools' | 'model'>;
}

const MOST_AGENTS = 16;
const NAME = /^[a-z][a-z0-9_]{0,39}$/;
const HANDOFF = 'handoff:';

/** The node itself first. Throws invalid-request for a tool that does not exist, and for agents that are none. */
export function agentsOf(call: NodeCall, known: KnownTools): ReadonlyMap<string, Agent> {
  const own = { name: call.node.id, system: textInput(call, 'system'), named: call.inputs.tools, about: '' };
  const drafts = [own, ...declaredAgents(call)];
  return new Map(
    drafts.map(({ name, system, named, model }: AgentDraft) => {
      const others = drafts.filter((other) => other.name !== name);
      const tools = [...toolsOf(call, named, known), ...others.map(handoffTo)];
      const request = { ...offeredTools(named, tools), ...(model === undefined ? {} : { model }) };
      return [name, { name, system, tools, request }];
    }),
  );
}

interface AgentDraft {
  readonly name: string;
  readonly system?: string | undefined;
  readonly named: unknown;
  readonly about: string;
  readonly model?: ChatRequest['model'];
}

function declaredAgents(call: NodeCall): readonly AgentDraft[] {
  const { agents } = call.inputs;
  if (agents === undefined || agents === null) return [];
  const rule = 'a map from names to { about, system, tools, model }';
  if (!isPlainObject(agents)) throw invalidInput(call, 'agents', rule);
  const entries = Object.entries(agents);
  if (entries.length > MOST_AGENTS) throw invalidInput(call, 'agents', `at most ${MOST_AGENTS} agents`);
  return entries.map(([name, agent]) => {
    if (!NAME.test(name) || name === call.node.id || !isPlainObject(agent)) throw invalidInput(call, 'agents', rule);
    const { about, system, tools, model } = agent;
    if (!isText(about) || !isText(system) || !(model === undefined || isPlainObject(model)))
      throw invalidInput(call, 'agents', rule);
    return {
      name,
      system,
      named: tools,
      about: about ?? '',
      ...(model === undefined ? {} : { model: model as ChatRequest['model'] }),
    };
  });
}

const isText = (value: unknown): value is string | undefined => value === undefined || typeof value === 'string';

function handoffTo({ name, about }: AgentDraft): Handoff {
  const description = `Hands the conversation to ${name}${about === '' ? '' : ` (${about})`}, who goes on in your place.`;
  const input = { type: 'object', properties: { message: { type: 'string' } }, additionalProperties: false } as const;
  return { name: `${HANDOFF}${name}`, description, input, handsTo: name };
}

/** Who goes on after a round: whom the last call of it that was a handoff names. */
export function nextAgent(
  agents: ReadonlyMap<string, Agent>,
  current: Agent,
  records: readonly ToolCallRecord[],
): Agent {
  const last = records.findLast(({ name, error }) => error === undefined && name.startsWith(HANDOFF));
  return (last === undefined ? undefined : agents.get(last.name.slice(HANDOFF.length))) ?? current;
}
