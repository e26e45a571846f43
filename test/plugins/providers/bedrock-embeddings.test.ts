/** Embeddings at Bedrock, and what ARNs say. */
import { collect } from 'polyphony/kit';
import { describe, expect, test } from 'vitest';
import { type BedrockOptions, bedrock } from '../../../plugins/providers/bedrock.ts';
import { chat, speak } from './attempts.ts';
import { answered, HELLO, sentFor } from './bedrock-answers.ts';
import { codes, failure } from './exchange.ts';

const input = ['one'];

describe('an embedding', () => {
  test.each([
    ['amazon.titan-embed-text-v2:0', { inputText: 'one', dimensions: 2 }],
    ['amazon.titan-embed-image-v1', { inputText: 'one', embeddingConfig: { outputEmbeddingLength: 2 } }],
    [
      'cohere.embed-v4:0',
      { texts: input, input_type: 'search_query', embedding_types: ['float'], output_dimension: 2 },
    ],
  ])('is asked of %s in its own form', async (model, expected) => {
    const request = { operation: 'embed', input, dimensions: 2, purpose: 'query' } as const;
    const { body, path, response } = await answered('{"embedding":[1,2],"inputTextTokenCount":4}', request, model);
    expect(path).toBe(`/model/${encodeURIComponent(model)}/invoke`);
    expect(body).toEqual(expected);
    expect(response.output).toEqual({ operation: 'embed', vectors: [[1, 2]] });
    expect(response.usage.input).toBe(4);
  });

  test.each(['amazon.titan-embed-text-v1', 'us.cohere.embed-english-v3'])(
    'of %s has one length, which is told',
    async (model) => {
      const request = { operation: 'embed', input, dimensions: 2 } as const;
      const { body, response } = await answered('{"embedding":[1]}', request, model);
      expect(JSON.stringify(body)).not.toContain('dimension');
      expect(codes(response)).toEqual(['parameter-dropped', 'usage-missing']);
    },
  );

  test('of Cohere comes as one list or by type, its tokens in a header', async () => {
    const request = { operation: 'embed', input: ['a', 'b'] } as const;
    const headers = { 'x-amzn-bedrock-input-token-count': '7' };
    for (const embeddings of [[[1], [2]], { float: [[1], [2]] }]) {
      const given = JSON.stringify({ embeddings });
      const { body, response } = await answered(given, request, 'cohere.embed-v4:0', { headers });
      expect(body.input_type).toBe('search_document');
      expect(response.output).toEqual({ operation: 'embed', vectors: [[1], [2]] });
      expect(response.usage).toEqual({ input: 7, output: 0 });
    }
  });

  test('is refused before it is sent where nobody knows the form, unless the card names it', async () => {
    const request = { operation: 'embed', input } as const;
    const error = await failure(answered('{}', request, 'vendor.unheard-of'));
    expect(error).toMatchObject({ code: 'unsupported', message: expect.stringContaining('wire: { embedding') });
    expect(await failure(answered('{}', request, 'amazon.titan-embed-text-v2:0'))).toMatchObject({
      code: 'invalid-output',
    });
  });
});

describe('an ARN', () => {
  const profile = 'arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc';
  const marked = chat([{ role: 'user', content: [{ type: 'text', text: 'long', cache: 'short' }] }]);

  test.each([
    profile,
    'arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-x-v1:0',
    'arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-x-v1:0',
  ])('keeps the marks of a cache: %s', async (model) => {
    const { body } = await sentFor(marked, model);
    expect(JSON.stringify(body)).toContain('cachePoint');
  });

  test.each<readonly [BedrockOptions, string | undefined]>([
    [{ region: 'us-east-1' }, undefined],
    [{ regions: ['us-east-1', 'us-west-2'] }, 'us-west-2'],
    [{}, undefined],
  ])('is asked and signed in its own region (%j)', async (options, region) => {
    const asked: { url: string; headers: Readonly<Record<string, string>> }[] = [];
    const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not-a-key-of-anybody' };
    const provider = bedrock({ ...options, credentials });
    const transport = {
      request: async (sent: { url: string; headers: Readonly<Record<string, string>> }) => {
        asked.push(sent);
        const body = (async function* () {
          yield HELLO;
        })();
        return { status: 200, headers: {}, body, bytes: async () => HELLO };
      },
      close: async () => {},
    };
    const target = { model: profile, ...(region === undefined ? {} : { region }) };
    const signal = new AbortController().signal;
    await collect(speak(provider, transport, chat('Hi'), { target, signal }), { signal, trace: { attempts: [] } });
    expect(asked[0]?.url).toMatch(/^https:\/\/bedrock-runtime\.eu-west-1\.amazonaws\.com\//);
    expect(asked[0]?.headers.authorization).toContain('/eu-west-1/bedrock/');
  });

  test('of a model says where it runs; a profile may run anywhere', () => {
    const model = 'arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-x-v1:0';
    const { models } = bedrock({ regions: ['us-east-1'], models: [model, profile, 'eu.amazon.nova-x-v1:0'] });
    expect(models.map(({ regions }) => regions)).toEqual([['eu-west-1'], [], undefined]);
  });
});
