/** Items that the caller has to run arrive as tool calls, and their results go back in the form of their kind. */
import type { Message, ModelRequest, ToolResultPart } from 'polyphony';
import { describe, expect, test } from 'vitest';
import { chat } from './attempts.ts';
import { CHAT_WIRES, type ChatWire, said } from './chat-wires.ts';
import { failure } from './exchange.ts';

type Json = Record<string, unknown>;
const wire = CHAT_WIRES.find(({ name }) => name === 'responses') as ChatWire;
const done = (...output: Json[]): Json => ({
  object: 'response',
  status: 'completed',
  output,
  usage: { input_tokens: 1, output_tokens: 1 },
});

const next = (content: Message['content'], result: Partial<ToolResultPart>): ModelRequest =>
  chat([
    { role: 'user', content: 'Go' },
    { role: 'assistant', content },
    { role: 'tool', content: [{ type: 'tool-result', id: 'c', content: 'done', ...result }] },
  ]);

const CUSTOM = { type: 'custom_tool_call', id: 'i', call_id: 'c', name: 'sql', input: 'select 1' };
const LOCAL = { type: 'local_shell_call', id: 'i', call_id: 'c', action: { type: 'exec', command: ['pwd'], env: {} } };
const SHELL = { type: 'shell_call', id: 'i', call_id: 'c', action: { commands: ['pwd'], max_output_length: 9 } };
const PATCH = { type: 'apply_patch_call', id: 'i', call_id: 'c', operation: { type: 'delete_file', path: 'a' } };
const COMPUTER = {
  type: 'computer_call',
  id: 'i',
  call_id: 'c',
  action: { type: 'screenshot' },
  pending_safety_checks: [],
};
const APPROVAL = { type: 'mcp_approval_request', id: 'c', server_label: 'mail', name: 'send', arguments: '{"to":"x"}' };

const RESULTS: readonly (readonly [string, Json, string, unknown, Partial<ToolResultPart>, Json])[] = [
  [
    'a custom tool',
    CUSTOM,
    'sql',
    { input: 'select 1' },
    { content: '1' },
    { type: 'custom_tool_call_output', call_id: 'c', output: '1' },
  ],
  [
    'a local shell',
    LOCAL,
    'local_shell',
    LOCAL.action,
    { content: '/home' },
    { type: 'local_shell_call_output', id: 'c', output: '/home' },
  ],
  [
    'a shell',
    SHELL,
    'shell',
    SHELL.action,
    { content: '/home' },
    {
      type: 'shell_call_output',
      call_id: 'c',
      output: [{ stdout: '/home', stderr: '', outcome: { type: 'exit', exit_code: 0 } }],
      max_output_length: 9,
    },
  ],
  [
    'a shell that failed',
    SHELL,
    'shell',
    SHELL.action,
    { content: 'no such', isError: true },
    {
      type: 'shell_call_output',
      call_id: 'c',
      output: [{ stdout: '', stderr: 'no such', outcome: { type: 'exit', exit_code: 1 } }],
      max_output_length: 9,
    },
  ],
  [
    'a shell with an answer of its form',
    SHELL,
    'shell',
    SHELL.action,
    { content: '[{"stdout":"a","stderr":"b","outcome":{"type":"timeout"}}]' },
    {
      type: 'shell_call_output',
      call_id: 'c',
      output: [{ stdout: 'a', stderr: 'b', outcome: { type: 'timeout' } }],
      max_output_length: 9,
    },
  ],
  [
    'a patch',
    PATCH,
    'apply_patch',
    PATCH.operation,
    {},
    { type: 'apply_patch_call_output', call_id: 'c', status: 'completed', output: 'done' },
  ],
  [
    'a patch that failed',
    PATCH,
    'apply_patch',
    PATCH.operation,
    { isError: true, content: 'gone' },
    { type: 'apply_patch_call_output', call_id: 'c', status: 'failed', output: 'Error: gone' },
  ],
  [
    'a computer',
    COMPUTER,
    'computer',
    { action: { type: 'screenshot' }, pending_safety_checks: [] },
    { content: [{ type: 'image', source: { type: 'url', url: 'https://a.example/s.png' } }] },
    {
      type: 'computer_call_output',
      call_id: 'c',
      output: { type: 'computer_screenshot', image_url: 'https://a.example/s.png' },
    },
  ],
  [
    'an approval',
    APPROVAL,
    'mcp_approval',
    { server_label: 'mail', name: 'send', arguments: { to: 'x' } },
    { content: 'Yes' },
    { type: 'mcp_approval_response', approval_request_id: 'c', approve: true },
  ],
];

describe.each(RESULTS)('%s', (_title, item, name, given, result, expected) => {
  test('is a tool call, and its result goes back in its form', async () => {
    const { response } = await said(wire, chat('Go'), undefined, done(item));
    expect(response.finishReason).toBe('tool-calls');
    const [call] = response.content;
    expect(call).toMatchObject({ type: 'tool-call', id: 'c', name, arguments: given });
    const { body } = await said(wire, next(response.content, result));
    expect((body.input as Json[]).slice(1)).toEqual([item, expected]);
  });

  test('is a plain call with its arguments for another provider', async () => {
    const { response } = await said(wire, chat('Go'), undefined, done(item));
    for (const other of CHAT_WIRES) {
      if (other === wire || item === COMPUTER) continue;
      const { text } = await said(other, next(response.content, result));
      expect(text).toContain(name);
      expect(text).not.toContain(String(item.type));
    }
  });
});

test.each([
  ['yes', true],
  ['true', true],
  ['{"approve":true,"reason":"fine"}', true],
  ['no', false],
  ['yes, but ask first', false],
  ['{"approve":"yes"}', false],
  ['{"output":1}', false],
  ['', false],
])('the answer %j approves: %j', async (content, approve) => {
  const { response } = await said(wire, chat('Go'), undefined, done(APPROVAL));
  const { body } = await said(wire, next(response.content, { content }));
  expect((body.input as Json[]).at(-1)).toMatchObject({ type: 'mcp_approval_response', approve });
});

test('an approval that failed is none', async () => {
  const { response } = await said(wire, chat('Go'), undefined, done(APPROVAL));
  const { body } = await said(wire, next(response.content, { content: 'yes', isError: true }));
  expect((body.input as Json[]).at(-1)).toMatchObject({ approve: false });
});

test('commands that the provider ran in a container of its own are no calls', async () => {
  const ran = { ...SHELL, environment: { type: 'container_reference', container_id: 'x' } };
  const { response } = await said(wire, chat('Go'), undefined, done(ran));
  expect(response.finishReason).toBe('stop');
  expect(response.content.map(({ type }) => type)).toEqual(['reasoning']);
});

test('a computer call without an image is refused before it is sent', async () => {
  const { response } = await said(wire, chat('Go'), undefined, done(COMPUTER));
  expect(await failure(said(wire, next(response.content, {})))).toMatchObject({ code: 'invalid-request' });
});

test.each(['queued', 'in_progress'])('a response that is %s is no answer', async (status) => {
  const error = await failure(said(wire, chat('Go'), { background: true }, { ...done(), status, id: 'r1' }));
  expect(error).toMatchObject({ code: 'invalid-output', retryable: false });
  expect(error.message).toContain('background');
});

test('custom tools of chat completions have a text as input, and go back as what they are', async () => {
  const completions = CHAT_WIRES[0] as ChatWire;
  const call = { id: 'c', type: 'custom', custom: { name: 'sql', input: 'select {' } };
  const answer = {
    choices: [{ message: { content: null, tool_calls: [call] }, finish_reason: 'tool_calls' }],
    usage: { prompt_tokens: 1, completion_tokens: 1 },
  };
  const { response } = await said(completions, chat('Go'), undefined, answer);
  expect(response.warnings).toEqual([]);
  expect(response.content).toMatchObject([{ type: 'tool-call', name: 'sql', arguments: { input: 'select {' } }]);
  const { body } = await said(completions, next(response.content, {}));
  expect((body.messages as Json[])[1]).toMatchObject({ tool_calls: [call] });
});
