/**
 * Calls that the caller has to run, though they are no function calls: custom tools, shells, patches, a computer, and approvals of
 * calls to an MCP server. They arrive as tool calls that keep their item, so that item and result go back in the form of their kind.
 */
import { PolyphonyError } from '../../../core/errors.ts';
import type { JsonValue, ToolCallPart, ToolResultPart } from '../../../core/model/model.ts';
import { asList, asRecord, asText, defined, type JsonRecord, tryParseJson } from '../../json/json-shape.ts';
import { fileContent, type Item, imageContent, textContent } from './content.ts';

interface Kind {
  /** The name of the call; undefined: the item's own. */
  readonly name?: string;
  /** What the call says, as arguments; undefined if the provider runs the call itself. */
  given(item: JsonRecord): JsonRecord | undefined;
  answer(result: ToolResultPart, item: JsonRecord): Item;
}

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  [
    'custom_tool_call',
    {
      given: ({ input }) => ({ input: asText(input) ?? '' }),
      answer: (result) => ({ type: 'custom_tool_call_output', call_id: result.id, output: outputOf(result) }),
    },
  ],
  [
    'local_shell_call',
    {
      name: 'local_shell',
      given: ({ action }) => asRecord(action) ?? {},
      answer: (result) => ({ type: 'local_shell_call_output', id: result.id, output: textOf(result) }),
    },
  ],
  [
    'shell_call',
    {
      name: 'shell',
      // In a container of the provider, the provider runs the commands.
      given: ({ action, environment }) =>
        asText(asRecord(environment)?.type)?.startsWith('container') === true ? undefined : (asRecord(action) ?? {}),
      answer: (result, { action }) =>
        defined({
          type: 'shell_call_output',
          call_id: result.id,
          output: shellOutput(result),
          max_output_length: asRecord(action)?.max_output_length,
        }),
    },
  ],
  [
    'apply_patch_call',
    {
      name: 'apply_patch',
      given: ({ operation }) => asRecord(operation) ?? {},
      answer: (result) => ({
        type: 'apply_patch_call_output',
        call_id: result.id,
        status: result.isError === true ? 'failed' : 'completed',
        output: textOf(result),
      }),
    },
  ],
  [
    'computer_call',
    {
      name: 'computer',
      given: ({ action, actions, pending_safety_checks }) => defined({ action, actions, pending_safety_checks }),
      answer: screenshot,
    },
  ],
  [
    'mcp_approval_request',
    {
      name: 'mcp_approval',
      given: ({ server_label, name, arguments: given }) => ({
        server_label,
        name,
        arguments: typeof given === 'string' ? (tryParseJson(given) ?? given) : given,
      }),
      answer: approval,
    },
  ],
]);

/** The call that an item is; undefined for every item that the caller has nothing to run for. */
export function clientCallOf(item: JsonRecord, family: string): ToolCallPart | undefined {
  const kind = KINDS.get(asText(item.type) ?? '');
  const given = kind?.given(item);
  const id = asText(item.call_id) ?? asText(item.id);
  if (kind === undefined || given === undefined || id === undefined) return undefined;
  const name = kind.name ?? asText(item.name) ?? '';
  return { type: 'tool-call', id, name, arguments: defined(given) as JsonValue, family, item: item as JsonValue };
}

/** The item that a call of this provider came in; undefined for a function call, and for calls of other providers. */
export function ownItem({ family: made, item }: ToolCallPart, family: string): JsonRecord | undefined {
  const own = made === family ? asRecord(item) : undefined;
  return own !== undefined && KINDS.has(asText(own.type) ?? '') ? own : undefined;
}

/**
 * The result of such a call in the form of its kind. A text that is a JSON object with the fields of that form is taken as it is.
 *
 * @throws invalid-request for a computer call whose result has no image
 */
export const answerItem = (result: ToolResultPart, item: JsonRecord): Item =>
  KINDS.get(asText(item.type) ?? '')?.answer(result, item) ?? {};

// ---------------------------------------------------------------------------------------------------- results

/** The wire has no flag for a failed tool. */
const prefixOf = ({ isError }: ToolResultPart): string => (isError === true ? 'Error: ' : '');

function textOf(result: ToolResultPart): string {
  const { content } = result;
  if (typeof content === 'string') return prefixOf(result) + content;
  return prefixOf(result) + content.map((part) => (part.type === 'text' ? part.text : `[${part.type}]`)).join('\n');
}

/** The output of a function or custom tool: a text, or a list of contents. */
export function outputOf(result: ToolResultPart): string | readonly Item[] {
  const { content } = result;
  const prefix = prefixOf(result);
  if (typeof content === 'string') return prefix + content;
  const output = content.map((part) => {
    if (part.type === 'text') return textContent(part);
    return part.type === 'image' ? imageContent(part) : fileContent(part);
  });
  if (prefix !== '') output.unshift(textContent({ text: prefix.trim() }));
  return output;
}

/** The text of a result as JSON, where it is JSON. */
const jsonOf = ({ content }: ToolResultPart): unknown => {
  const texts =
    typeof content === 'string' ? [content] : content.flatMap((part) => (part.type === 'text' ? part.text : []));
  return texts.length === 1 ? tryParseJson(texts[0] ?? '') : undefined;
};

/** One entry per command. A text is the output of one command, which failed if the result is an error. */
function shellOutput(result: ToolResultPart): readonly unknown[] {
  const given = jsonOf(result);
  const entries = asList(given) ?? asList(asRecord(given)?.output) ?? (given === undefined ? [] : [given]);
  const isEntry = (entry: unknown): boolean => asText(asRecord(entry)?.stdout ?? asRecord(entry)?.stderr) !== undefined;
  const failed = result.isError === true;
  const outcome = { type: 'exit', exit_code: failed ? 1 : 0 };
  if (entries.length > 0 && entries.every(isEntry)) {
    return entries.map((entry) => ({ stdout: '', stderr: '', outcome, ...asRecord(entry) }));
  }
  const text = textOf({ ...result, isError: false });
  return [{ stdout: failed ? '' : text, stderr: failed ? text : '', outcome }];
}

/** Checks are acknowledged only by a text `{ "acknowledged_safety_checks": […] }` beside the image. */
function screenshot(result: ToolResultPart): Item {
  const { content, id } = result;
  const image = typeof content === 'string' ? undefined : content.find((part) => part.type === 'image');
  if (image === undefined || image.type !== 'image') {
    const message = `The result of the computer call "${id}" has no image: give a screenshot as an image part.`;
    throw new PolyphonyError('invalid-request', message);
  }
  const { type: _type, detail: _detail, ...shown } = imageContent(image);
  const checks = asList(asRecord(jsonOf(result))?.acknowledged_safety_checks);
  return defined({
    type: 'computer_call_output',
    call_id: id,
    output: { type: 'computer_screenshot', ...shown },
    acknowledged_safety_checks: checks,
  });
}

const YES: ReadonlySet<string> = new Set(['true', 'yes', 'approve', 'approved']);

/** Whatever is not clearly a yes does not approve. */
function approval(result: ToolResultPart): Item {
  const text = textOf({ ...result, isError: false }).trim();
  const given = asRecord(jsonOf(result));
  const approve =
    result.isError !== true && (given === undefined ? YES.has(text.toLowerCase()) : given.approve === true);
  const reason = given === undefined ? (approve ? undefined : text || undefined) : asText(given.reason);
  return defined({ type: 'mcp_approval_response', approval_request_id: result.id, approve, reason });
}
