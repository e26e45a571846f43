/** How models behind the Converse wire are held to a JSON Schema. */
import { describe, expect, test } from 'vitest';
import { chat } from './attempts.ts';
import { sentFor } from './bedrock-answers.ts';

const schema = {
  type: 'object',
  properties: { z: { type: 'string', minLength: 2 }, a: { type: 'integer' } },
  required: ['z'],
} as const;
const open = { type: 'object', additionalProperties: { type: 'string' } } as const;
const NEW = 'global.anthropic.claude-sonnet-4-5-20250929-v1:0';
const OLD = 'anthropic.claude-3-7-sonnet-20250219-v1:0';

describe('an output schema', () => {
  test.each([NEW, 'us.anthropic.claude-opus-5', 'qwen.qwen3-32b-v1:0', 'mistral.mistral-large-3-675b-instruct'])(
    'is sent natively to %s: closed, as text, its keys in order',
    async (model) => {
      const { body } = await sentFor(chat('Hi', { output: { type: 'json', name: 'the answer', schema } }), model);
      const jsonSchema = {
        name: 'the_answer',
        schema:
          '{"type":"object","properties":{"z":{"type":"string","description":"(minLength: 2)"},"a":{"type":"integer"}},"required":["z"],"additionalProperties":false}',
      };
      expect(body.outputConfig).toEqual({ textFormat: { type: 'json_schema', structure: { jsonSchema } } });
      expect(body.toolConfig).toBeUndefined();
    },
  );

  test('becomes a tool where it cannot be closed, is not to be strict, or the model is older', async () => {
    const tool = { tools: [{ toolSpec: { name: 'output' } }], toolChoice: { tool: { name: 'output' } } };
    for (const [model, output] of [
      [OLD, { type: 'json', schema }],
      [NEW, { type: 'json', schema: open }],
      [NEW, { type: 'json', schema, strict: false }],
    ] as const) {
      const { body } = await sentFor(chat('Hi', { output }), model);
      expect(body).toMatchObject({ toolConfig: tool });
      expect(body.outputConfig).toBeUndefined();
    }
  });

  test('holds while the model reasons, which a tool cannot', async () => {
    const request = chat('Hi', {
      output: { type: 'json', schema },
      reasoning: { effort: 'low' },
      maxOutputTokens: 8000,
    });
    expect((await sentFor(request, NEW)).body).toMatchObject({ outputConfig: { textFormat: { type: 'json_schema' } } });
    expect((await sentFor(request, OLD)).body).toMatchObject({
      system: [{ text: expect.stringContaining('JSON Schema') }],
    });
  });
});

test('a strict tool is strict where the model can be held to it', async () => {
  const tools = [{ name: 'look', inputSchema: schema, strict: true }];
  const { body } = await sentFor(chat('Hi', { tools }), NEW);
  expect(body).toMatchObject({
    toolConfig: { tools: [{ toolSpec: { strict: true, inputSchema: { json: { additionalProperties: false } } } }] },
  });
  const older = await sentFor(chat('Hi', { tools }), OLD);
  expect(JSON.stringify(older.body)).not.toContain('strict');
});
