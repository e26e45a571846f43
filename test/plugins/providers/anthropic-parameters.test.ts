/** Parameters of the Messages wire by model: thinking, sampling, tools that are forced, schemas. */
import type { JsonSchema } from 'polyphony';
import { textOf } from 'polyphony/kit';
import { describe, expect, test } from 'vitest';
import { answered, call, sentFor, stream } from './anthropic-answers.ts';
import { type ChatExtras, chat } from './attempts.ts';
import { codes } from './exchange.ts';

const BUDGETED = 'claude-haiku-4-5';
const EITHER = 'claude-sonnet-4-6';
const SWITCHED = 'claude-opus-5';
const ALWAYS = 'claude-opus-5-5';

const sent = async (extras: ChatExtras, model: string) => {
  const { body, response } = await sentFor(chat('Hi', extras), model);
  return { ...body, codes: codes(response) } as Record<string, unknown> & { readonly codes: readonly string[] };
};

describe('reasoning', () => {
  test.each([
    [BUDGETED, { effort: 'low' }, { thinking: { type: 'enabled', budget_tokens: 2048 } }],
    [BUDGETED, { budgetTokens: 5000 }, { thinking: { type: 'enabled', budget_tokens: 5000 } }],
    [
      EITHER,
      { effort: 'high' },
      { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'high' } },
    ],
    [EITHER, { budgetTokens: 5000 }, { thinking: { type: 'enabled', budget_tokens: 5000 } }],
    [ALWAYS, { effort: 'minimal' }, { output_config: { effort: 'low' } }],
    [SWITCHED, { effort: 'none' }, { thinking: { type: 'disabled' } }],
    ['claude-sonnet-5-5', { effort: 'none' }, { thinking: { type: 'between_tools' } }],
  ] as const)('%s %j', async (model, reasoning, expected) => {
    expect(await sent({ reasoning }, model)).toMatchObject({ ...expected, codes: [] });
  });

  test('models that always reason get the least effort for none, and an effort for a budget', async () => {
    const none = await sent({ reasoning: { effort: 'none' } }, ALWAYS);
    expect(none).toMatchObject({ output_config: { effort: 'low' }, codes: ['effort-changed'] });
    expect(none.thinking).toBeUndefined();
    const budget = await sent({ reasoning: { budgetTokens: 20_000 } }, ALWAYS);
    expect(budget).toMatchObject({ output_config: { effort: 'high' }, codes: ['reasoning-budget-changed'] });
  });

  test('a budget leaves room for the answer, and is left out where there is none', async () => {
    const tight = await sent({ reasoning: { budgetTokens: 8000 }, maxOutputTokens: 4000 }, BUDGETED);
    expect(tight).toMatchObject({ thinking: { budget_tokens: 3000 }, codes: ['reasoning-budget-changed'] });
    const none = await sent({ reasoning: { effort: 'high' }, maxOutputTokens: 500 }, BUDGETED);
    expect(none.thinking).toBeUndefined();
    expect(none.codes).toEqual(['reasoning-dropped']);
  });
});

describe('sampling', () => {
  test('a temperature above 1 is 1; of temperature and topP one is sent', async () => {
    expect(await sent({ temperature: 1.5, stop: ['END'] }, BUDGETED)).toMatchObject({
      temperature: 1,
      stop_sequences: ['END'],
      codes: ['parameter-changed'],
    });
    const one = await sent({ temperature: 0.5, topP: 0.9, topK: 5 }, BUDGETED);
    expect(one).toMatchObject({ temperature: 0.5, top_k: 5, codes: ['parameter-dropped'] });
    expect(one).not.toHaveProperty('top_p');
  });

  test('is left out while the model reasons, and where the model takes none', async () => {
    const extras = { temperature: 0.5, topK: 5 };
    const thinking = await sent({ ...extras, reasoning: { effort: 'low' } }, BUDGETED);
    for (const body of [thinking, await sent(extras, ALWAYS)]) {
      expect(body).not.toHaveProperty('temperature');
      expect(body.codes).toEqual(['parameter-dropped', 'parameter-dropped']);
    }
  });

  test('what the wire does not know is left out, and too many tokens are fewer', async () => {
    const body = await sent(
      { seed: 1, presencePenalty: 1, logprobs: true, maxOutputTokens: 10_000_000, stop: [' '] },
      BUDGETED,
    );
    expect(body).toMatchObject({ max_tokens: 64_000 });
    expect(body.codes.filter((code) => code === 'parameter-dropped')).toHaveLength(4);
    expect(body.codes).toContain('parameter-changed');
  });

  test('tier and user have their own names', async () => {
    expect(await sent({ serviceTier: 'standard', user: 'u1' }, EITHER)).toMatchObject({
      service_tier: 'standard_only',
      metadata: { user_id: 'u1' },
    });
  });
});

describe('tools', () => {
  const tools = [{ name: 'f', description: 'F', inputSchema: { type: 'object', properties: {} } }] as const;

  test.each([
    ['auto', undefined, { type: 'auto' }],
    ['none', false, { type: 'none' }],
    ['required', undefined, { type: 'any' }],
    ['required', false, { type: 'any', disable_parallel_tool_use: true }],
    [{ name: 'f' }, undefined, { type: 'tool', name: 'f' }],
    [undefined, false, { type: 'auto', disable_parallel_tool_use: true }],
  ] as const)('choice %j, parallel %j', async (toolChoice, parallelToolCalls, expected) => {
    const chosen = toolChoice === undefined ? {} : { toolChoice };
    const parallel = parallelToolCalls === undefined ? {} : { parallelToolCalls };
    expect((await sent({ tools, ...chosen, ...parallel }, EITHER)).tool_choice).toEqual(expected);
  });

  test('what thinks is not forced, what is forced does not think', async () => {
    const forced = { tools, toolChoice: 'required' } as const;
    expect(await sent(forced, ALWAYS)).toMatchObject({ tool_choice: { type: 'auto' }, codes: ['tool-choice-changed'] });
    expect(await sent(forced, SWITCHED)).toMatchObject({
      tool_choice: { type: 'any' },
      thinking: { type: 'disabled' },
    });
    const both = await sent({ ...forced, reasoning: { effort: 'high' } }, EITHER);
    expect(both).toMatchObject({ tool_choice: { type: 'any' }, codes: ['reasoning-dropped'] });
    expect(both.thinking).toBeUndefined();
  });

  test('a strict tool has a closed schema', async () => {
    const strict = [{ ...tools[0], strict: true }];
    expect((await sent({ tools: strict }, EITHER)).tools).toEqual([
      {
        name: 'f',
        description: 'F',
        strict: true,
        input_schema: { type: 'object', properties: {}, additionalProperties: false },
      },
    ]);
  });
});

describe('structured output', () => {
  const schema: JsonSchema = {
    type: 'object',
    properties: {
      z: { type: 'string', description: 'Last', minLength: 3 },
      a: { oneOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }] },
    },
    required: ['z'],
  };

  test('native: closed, limits in words, key order kept', async () => {
    const body = await sent({ output: { type: 'json', schema } }, ALWAYS);
    expect(JSON.stringify(body.output_config)).toBe(
      JSON.stringify({
        format: {
          type: 'json_schema',
          schema: {
            type: 'object',
            properties: {
              z: { type: 'string', description: 'Last (minLength: 3)' },
              a: { anyOf: [{ type: 'integer', description: '(minimum: 1)' }, { type: 'null' }] },
            },
            required: ['z'],
            additionalProperties: false,
          },
        },
      }),
    );
  });

  const open: JsonSchema = { type: 'object', additionalProperties: { type: 'string' } };
  const recursive: JsonSchema = {
    type: 'object',
    properties: { next: { $ref: '#/$defs/node' } },
    $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } },
  };

  test.each([
    ['open', open],
    ['recursive', recursive],
  ])('a schema that is %s is the input of a tool that has to be called, and its input the answer', async (_, loose) => {
    const request = chat('Hi', { output: { type: 'json', schema: loose, name: 'my answer' } });
    const { body, response } = await answered(
      stream([call(0, 'a', 'my_answer', '{"k":', '"v"}')], 'tool_use'),
      request,
    );
    expect(body).toMatchObject({ tools: [{ name: 'my_answer' }], tool_choice: { type: 'tool', name: 'my_answer' } });
    expect(textOf(response)).toBe('{"k":"v"}');
    expect(response.finishReason).toBe('stop');
  });

  test('a schema that is advice is asked for in words where nothing can be forced', async () => {
    const body = await sent({ output: { type: 'json', schema, strict: false } }, ALWAYS);
    expect(String(body.system)).toContain(JSON.stringify(schema));
    expect(body).not.toHaveProperty('output_config');
  });

  test('beside tools of the caller, one of them or the answer is called', async () => {
    const tools = [{ name: 'f', inputSchema: { type: 'object' } }];
    const request = chat('Hi', { tools, output: { type: 'json', schema: open } });
    const { body, response } = await answered(stream([call(0, 'a', 'f', '{}')], 'tool_use'), request);
    expect(body.tool_choice).toEqual({ type: 'any' });
    expect(response).toMatchObject({ finishReason: 'tool-calls', content: [{ type: 'tool-call', name: 'f' }] });
  });
});
