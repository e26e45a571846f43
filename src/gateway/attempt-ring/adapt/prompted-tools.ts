/** Tools for a model that has none: described in the prompt, with earlier calls and results as the texts that they would be. */
import type { ChatRequest, Message, Part, ToolCallPart, ToolResultPart } from '../../../core/model/model.ts';
import { sendableJson } from '../../../kit/json/sendable-json.ts';

export const CALL_OPENS = '<tool_call>';
export const CALL_CLOSES = '</tool_call>';

/** The request without tools; whose answer may have calls as text. */
export function withPromptedTools(request: ChatRequest): {
  readonly request: ChatRequest;
  readonly instruction: string | undefined;
} {
  const { tools = [], toolChoice, parallelToolCalls, messages, ...rest } = request;
  const instruction = toolChoice === 'none' || tools.length === 0 ? undefined : instructionOf(request);
  return { request: { ...rest, messages: messages.map(asText) }, instruction };
}

function instructionOf({ tools = [], toolChoice, parallelToolCalls }: ChatRequest): string {
  const named = typeof toolChoice === 'object' ? tools.filter(({ name }) => name === toolChoice.name) : tools;
  const described = named.map(({ name, description, inputSchema }) =>
    inert({ name, description, parameters: inputSchema }),
  );
  const how =
    toolChoice === 'required' || typeof toolChoice === 'object'
      ? 'You have to call one now. Write nothing but this:'
      : 'To call one, write nothing but this; otherwise answer as usual:';
  const several = parallelToolCalls === false ? 'Make one call at a time.' : 'Several calls stand one after the other.';
  return [
    'You can call these tools, one described in each line:',
    ...described,
    how,
    `${CALL_OPENS}{"name": "the name", "arguments": {}}${CALL_CLOSES}`,
    `The arguments are JSON that fits "parameters". ${several} Then stop: the results are given to you.`,
  ].join('\n');
}

function asText(message: Message): Message {
  const { role, content } = message;
  if (typeof content === 'string') return role === 'tool' ? { ...message, role: 'user' } : message;
  if (!content.some(({ type }) => type === 'tool-call' || type === 'tool-result')) return message;
  return { ...message, role: role === 'tool' ? 'user' : role, content: content.flatMap(partsOf) };
}

function partsOf(part: Part): readonly Part[] {
  if (part.type === 'tool-call') return [{ type: 'text', text: callText(part) }];
  return part.type === 'tool-result' ? resultParts(part) : [part];
}

const callText = ({ name, arguments: given }: ToolCallPart): string =>
  `${CALL_OPENS}${inert({ name, arguments: given })}${CALL_CLOSES}`;

/** Pictures and files of a result stand behind its text. */
function resultParts({ id, name, content, isError }: ToolResultPart): readonly Part[] {
  const parts = typeof content === 'string' ? [{ type: 'text', text: content } as const] : content;
  const text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
  const result = inert({ tool: name ?? id, ...(isError === true ? { error: text } : { result: text }) });
  return [
    { type: 'text', text: `<tool_result>${result}</tool_result>` },
    ...parts.filter(({ type }) => type !== 'text'),
  ];
}

/** JSON in which no text can end or begin a call or a result. */
const inert = (value: unknown): string => sendableJson(value).replaceAll('<', '\\u003c');
