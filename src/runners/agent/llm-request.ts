/** Creates the chat request from a node's `in`. */

import type { AnswerLimitsConfig } from '../../core/config.ts';
import { defined } from '../../core/defined.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type {
  AskedChat,
  ChatRequest,
  JsonSchema,
  Message,
  Part,
  ProviderTool,
  Role,
  ToolDefinition,
} from '../../core/model/model.ts';
import type { Tool } from '../../core/plugin.ts';
import type { NodeCall } from '../../core/run/engine.ts';
import { zodOrJson } from '../../kit/json/own/own-schema.ts';
import { shownJson } from '../../language/shown.ts';
import { requestFields } from '../gateway-call.ts';
import { audioParts, fileParts, imageParts, invalidInput, numberInput, textInput } from '../inputs.ts';
import type { Callable } from './llm-tools.ts';
import { bareName } from './loop-rules.ts';
import { type FindWorkflow, WORKFLOW } from './workflow-tool.ts';

export type ChatDraft = AskedChat;

const ROLES: ReadonlySet<unknown> = new Set<Role>(['system', 'user', 'assistant', 'tool']);
const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high'] as const;

/** How long the answers of nodes become that say nothing about it. */
const NODE_ANSWERS = { nodeTokens: 4096, repeatedCharacters: 2048 } as const satisfies AnswerLimitsConfig;

/** The request of a node, without its system prompt and its tools: those are of the agent that is asked. */
export function chatRequest(
  call: NodeCall,
  schema: JsonSchema | undefined,
  answers: AnswerLimitsConfig = {},
): ChatDraft {
  const { nodeTokens = NODE_ANSWERS.nodeTokens, repeatedCharacters = NODE_ANSWERS.repeatedCharacters } = answers;

  const temperature = numberInput(call, 'temperature');
  const maxOutputTokens = maxTokensOf(call);
  const reasoning = reasoningOf(call);
  return defined({
    messages: messagesOf(call),
    onStreamFailure: maySayAgain(call) ? ('restart' as const) : undefined,
    output: schema === undefined ? undefined : ({ type: 'json', schema, name: call.node.id } as const),
    temperature,
    answerTokens: maxOutputTokens === undefined ? nodeTokens : undefined,
    maxOutputTokens,
    repeatedCharacters: repeatedCharacters === 0 ? undefined : repeatedCharacters,
    reasoning,
    ...requestFields(call),
  });
}

/**
 * A node that bounds or counts its attempts wants another one when an answer breaks or stalls in the middle too: its output is
 * read only when it is whole, and who reads its pieces is told that they begin again.
 */
function maySayAgain({ node: { limits } }: NodeCall): boolean {
  if (limits === undefined || limits.retries === 0) return false;
  return limits.attemptSeconds !== undefined || limits.retries !== undefined;
}

/** What is offered of tools, and of those that a list of names wants of the provider. */
export function offeredTools(named: unknown, tools: readonly Callable[]): Pick<ChatDraft, 'tools'> {
  const all = [...tools.map(definitionOf), ...(Array.isArray(named) ? named.filter(isProviderTool) : [])];
  return all.length === 0 ? {} : { tools: all };
}

const isProviderTool = (value: unknown): value is ProviderTool => {
  const { type, name } = (typeof value === 'object' && value !== null ? value : {}) as Partial<ProviderTool>;
  return type === 'provider' && typeof name === 'string' && name !== '';
};

function definitionOf({ name, description, input }: Callable): ToolDefinition {
  return { name, description, inputSchema: zodOrJson(input).input };
}

/** Where the tools that a node names are found. */
export interface KnownTools {
  readonly tools: ReadonlyMap<string, Tool>;
  /** Workflows that models may call. @default none */
  readonly workflow?: FindWorkflow;
}

/** Tools and workflows that a node names, `tool:` before the name or not. Throws invalid-request for one that does not exist. */
export function toolsOf(call: NodeCall, names: unknown, known: KnownTools): readonly Callable[] {
  if (names === undefined || names === null) return [];
  if (!Array.isArray(names)) throw invalidInput(call, 'tools', 'a list of tool names');
  return names.filter((name) => !isProviderTool(name)).map((name) => toolOf(call, name, known));
}

function toolOf(call: NodeCall, name: unknown, { tools, workflow }: KnownTools): Callable {
  const text = String(name);
  const found =
    tools.get(text) ??
    tools.get(bareName(text)) ??
    (text.startsWith(WORKFLOW) ? workflow?.(text.slice(WORKFLOW.length), call.plan) : undefined);
  if (found !== undefined) return found;
  const known = [...tools.keys()].join(', ');
  const remedy = known === '' ? 'register it' : `use one of ${known}`;
  const message = `Node ${call.node.id} names the tool ${shownJson(name)}, which is not registered: ${remedy}.`;
  throw new PolyphonyError('invalid-request', message);
}

function maxTokensOf(call: NodeCall): number | undefined {
  const bounds = [numberInput(call, 'maxTokens'), call.node.limits?.tokens].filter((bound) => bound !== undefined);
  return bounds.length === 0 ? undefined : Math.min(...bounds);
}

function reasoningOf(call: NodeCall): ChatRequest['reasoning'] | undefined {
  const { reasoning } = call.inputs;
  if (reasoning === undefined || reasoning === null) return undefined;
  const effort = EFFORTS.find((known) => known === reasoning);
  if (effort === undefined) throw invalidInput(call, 'reasoning', `one of ${EFFORTS.join(', ')}`);
  return { effort };
}

function messagesOf(call: NodeCall): readonly Message[] {
  const prompt = textInput(call, 'prompt');
  const history = historyOf(call);
  if (prompt === undefined && history.length === 0) {
    throw new PolyphonyError(
      'invalid-request',
      `Node ${call.node.id} has nothing to ask the model: give it "prompt" or "messages".`,
    );
  }
  const media = [...imageParts(call), ...fileParts(call), ...audioParts(call)];
  const asked = prompt === undefined && media.length === 0 ? [] : [userMessage(prompt, media)];
  return [...history, ...asked];
}

function userMessage(prompt: string | undefined, media: readonly Part[]): Message {
  if (media.length === 0) return { role: 'user', content: prompt ?? '' };
  return {
    role: 'user',
    content: [...media, ...(prompt === undefined ? [] : [{ type: 'text', text: prompt } as const])],
  };
}

function historyOf(call: NodeCall): readonly Message[] {
  const { messages } = call.inputs;
  if (messages === undefined || messages === null) return [];
  if (!Array.isArray(messages)) throw invalidInput(call, 'messages', 'a list of { role, content }');
  return messages.map((message: unknown) => {
    if (isMessage(message)) return message;
    throw invalidInput(
      call,
      'messages',
      'a list of { role, content } with a known role and a content of text or parts',
    );
  });
}

function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null || !('role' in value) || !('content' in value)) return false;
  return ROLES.has(value.role) && (typeof value.content === 'string' || Array.isArray(value.content));
}
