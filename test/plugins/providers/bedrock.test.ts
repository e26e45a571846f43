/** Requests of the Converse wire, and who signs them. */
import { collect } from 'polyphony/kit';
import { fakeClock } from 'polyphony/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { authorise, credentialsOf } from '../../../plugins/providers/bedrock/credentials.ts';
import { type BedrockOptions, bedrock } from '../../../plugins/providers/bedrock.ts';
import { loopback } from '../../kit/loopback.ts';
import { ask, chat, speak } from './attempts.ts';
import { HELLO, sentFor } from './bedrock-answers.ts';
import { codes, failure, transport } from './exchange.ts';

afterEach(() => vi.unstubAllEnvs());

const NOVA = 'amazon.nova-x-v1:0';
const LLAMA = 'meta.llama-x-v1:0';
const tool = { name: 'f', description: 'F', inputSchema: { type: 'object', properties: { b: {}, a: {} } } };
const base64 = (mediaType: string) => ({ type: 'base64', data: 'AA==', mediaType }) as const;

describe('messages', () => {
  test('a conversation with every kind of part', async () => {
    const { body, path } = await sentFor(
      chat(
        [
          { role: 'system', content: [{ type: 'text', text: 'Be brief.', cache: 'long' }] },
          {
            role: 'user',
            content: [
              { type: 'image', source: base64('image/jpg') },
              { type: 'file', source: base64('application/pdf'), name: 'Q3_report (v2).pdf' },
              { type: 'file', source: { type: 'url', url: 's3://bucket/notes.txt' } },
              { type: 'text', text: 'See', cache: 'short' },
            ],
          },
          {
            role: 'assistant',
            content: [
              { type: 'reasoning', text: 'Hm', family: 'bedrock', signature: 'sig' },
              { type: 'reasoning', text: '', family: 'bedrock', redacted: 'c2VjcmV0' },
              { type: 'reasoning', text: 'elsewhere', family: 'other', signature: 'x' },
              { type: 'tool-call', id: 'a', name: 'f', arguments: { x: 1 } },
            ],
          },
          { role: 'user', content: 'And?' },
          {
            role: 'tool',
            content: [
              {
                type: 'tool-result',
                id: 'a',
                content: [
                  { type: 'text', text: 'bad' },
                  { type: 'image', source: base64('image/png') },
                ],
                isError: true,
              },
            ],
          },
        ],
        { tools: [tool] },
      ),
    );
    expect(path).toBe('/model/anthropic.claude-x-v1%3A0/converse-stream');
    expect(body).toEqual({
      system: [{ text: 'Be brief.' }, { cachePoint: { type: 'default', ttl: '1h' } }],
      messages: [
        {
          role: 'user',
          content: [
            { image: { format: 'jpeg', source: { bytes: 'AA==' } } },
            { document: { format: 'pdf', name: 'Q3 report (v2)', source: { bytes: 'AA==' } } },
            { document: { format: 'txt', name: 'file 1', source: { s3Location: { uri: 's3://bucket/notes.txt' } } } },
            { text: 'See' },
            { cachePoint: { type: 'default' } },
          ],
        },
        {
          role: 'assistant',
          content: [
            { reasoningContent: { reasoningText: { text: 'Hm', signature: 'sig' } } },
            { reasoningContent: { redactedContent: 'c2VjcmV0' } },
            { toolUse: { toolUseId: 'a', name: 'f', input: { x: 1 } } },
          ],
        },
        {
          role: 'user',
          content: [
            {
              toolResult: {
                toolUseId: 'a',
                content: [{ text: 'bad' }, { image: { format: 'png', source: { bytes: 'AA==' } } }],
                status: 'error',
              },
            },
            { text: 'And?' },
          ],
        },
      ],
      toolConfig: { tools: [{ toolSpec: { name: 'f', description: 'F', inputSchema: { json: tool.inputSchema } } }] },
    });
  });

  test('tools that were called are defined although none is offered', async () => {
    const { body } = await sentFor(
      chat([
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: [{ type: 'tool-call', id: 'a', name: 'gone', arguments: {} }] },
        { role: 'tool', content: [{ type: 'tool-result', id: 'a', content: '1' }] },
      ]),
    );
    expect(body.toolConfig).toEqual({
      tools: [{ toolSpec: { name: 'gone', inputSchema: { json: { type: 'object' } } } }],
    });
  });

  test('blank text is left out, and an image by address is refused', async () => {
    const blank = await sentFor(
      chat([
        {
          role: 'user',
          content: [
            { type: 'text', text: ' ' },
            { type: 'text', text: 'Hi' },
          ],
        },
      ]),
    );
    expect(blank.body.messages).toEqual([{ role: 'user', content: [{ text: 'Hi' }] }]);
    const image = { type: 'image', source: { type: 'url', url: 'https://a.example/x.png' } } as const;
    expect(await failure(sentFor(chat([{ role: 'user', content: [image] }])))).toMatchObject({ code: 'unsupported' });
  });

  test('of more than four cache marks the last four are sent', async () => {
    const marked = [1, 2, 3, 4, 5].map((number) => ({ type: 'text', text: `${number}`, cache: 'short' }) as const);
    const { body, response } = await sentFor(chat([{ role: 'user', content: marked }]));
    expect(JSON.stringify(body.messages).match(/cachePoint/g)).toHaveLength(4);
    expect(JSON.stringify(body.messages)).toContain('{"text":"1"},{"text":"2"}');
    expect(codes(response)).toContain('cache-marks-dropped');
  });
});

describe('parameters', () => {
  test('have their places', async () => {
    const { body, response } = await sentFor(
      chat('Hi', {
        maxOutputTokens: 9,
        temperature: 0.5,
        topP: 0.9,
        topK: 3,
        stop: ['x'],
        seed: 1,
        serviceTier: 'flex',
      }),
    );
    expect(body).toMatchObject({
      inferenceConfig: { maxTokens: 9, temperature: 0.5, topP: 0.9, stopSequences: ['x'] },
      additionalModelRequestFields: { top_k: 3 },
      serviceTier: { type: 'flex' },
    });
    expect(codes(response)).toEqual(['parameter-dropped']);
    expect((await sentFor(chat('Hi', { topK: 3 }), NOVA)).body.additionalModelRequestFields).toEqual({
      inferenceConfig: { topK: 3 },
    });
  });

  test('reasoning is asked for in the words of the family', async () => {
    const request = chat('Hi', { reasoning: { effort: 'low' }, temperature: 1, maxOutputTokens: 4000 });
    const claude = await sentFor(request);
    expect(claude.body.additionalModelRequestFields).toEqual({ thinking: { type: 'enabled', budget_tokens: 2048 } });
    expect(claude.body.inferenceConfig).toEqual({ maxTokens: 4000 });
    expect(codes(claude.response)).toEqual(['parameter-dropped']);
    const nova = await sentFor(request, NOVA);
    expect(nova.body.additionalModelRequestFields).toEqual({
      reasoningConfig: { type: 'enabled', maxReasoningEffort: 'low' },
    });
    const adaptive = await sentFor(request, 'global.anthropic.claude-opus-5');
    expect(adaptive.body.additionalModelRequestFields).toMatchObject({ output_config: { effort: 'low' } });
    expect(codes((await sentFor(request, LLAMA)).response)).toContain('parameter-dropped');
  });

  test('a call is forced where the model lets itself be forced', async () => {
    expect((await sentFor(chat('Hi', { tools: [tool], toolChoice: 'required' }))).body.toolConfig).toMatchObject({
      toolChoice: { any: {} },
    });
    const named = await sentFor(chat('Hi', { tools: [tool], toolChoice: { name: 'f' } }), NOVA);
    expect(named.body.toolConfig).toMatchObject({ toolChoice: { tool: { name: 'f' } } });
    const llama = await sentFor(chat('Hi', { tools: [tool], toolChoice: 'required' }), LLAMA);
    expect(codes(llama.response)).toEqual(['tool-choice-changed']);
    expect((await sentFor(chat('Hi', { tools: [tool], toolChoice: 'none' }))).body.toolConfig).toBeUndefined();
  });

  test('a schema is the input of a forced tool, its keys in order, or words', async () => {
    const schema = { type: 'object', properties: { b: {}, a: {} } };
    const forced = await sentFor(chat('Hi', { output: { type: 'json', schema } }));
    expect(forced.body.toolConfig).toMatchObject({ toolChoice: { tool: { name: 'output' } } });
    expect(JSON.stringify(forced.body.toolConfig)).toContain('{"b":{},"a":{}}');
    const told = await sentFor(chat('Hi', { output: { type: 'json', schema } }), LLAMA);
    expect(told.body.toolConfig).toBeUndefined();
    expect(JSON.stringify(told.body.system)).toContain('JSON Schema');
  });

  test('providerOptions are merged in last', async () => {
    const guardrailConfig = { guardrailIdentifier: 'g', guardrailVersion: '1' };
    expect(
      (await sentFor(chat('Hi', { providerOptions: { bedrock: { guardrailConfig } } }))).body.guardrailConfig,
    ).toEqual(guardrailConfig);
  });
});

// ---------------------------------------------------------------------------------------------------- who asks

const served = async (options: BedrockOptions, target = {}) => {
  const server = await loopback((_, response) => void response.end(HELLO));
  const provider = bedrock({
    baseURL: server.url,
    region: 'us-east-1',
    ...options,
  });
  const clock = fakeClock(1_700_000_000_000);
  await ask(provider, transport, chat('Hi'), { target: { model: 'm:0/x', ...target }, clock });
  return { provider, received: server.received[0] };
};
const pair = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };

describe('who asks', () => {
  test('a bearer token is sent as it is', async () => {
    const { received } = await served({ apiKey: 'bedrock-key' });
    expect(received?.headers.authorization).toBe('Bearer bedrock-key');
  });

  test('an access key signs for its day, region and service, the session token with it', async () => {
    const { received } = await served({ credentials: { ...pair, sessionToken: 'session' } }, { region: 'eu-west-1' });
    expect(received?.path).toBe('/model/m%3A0%2Fx/converse-stream');
    expect(received?.headers['x-amz-date']).toBe('20231114T221320Z');
    expect(received?.headers['x-amz-security-token']).toBe('session');
    expect(received?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20231114\/eu-west-1\/bedrock\/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/,
    );
  });

  test("the signature is that of the vendor's own signer", async () => {
    // Computed with @smithy/signature-v4 5.7.5 for the same request.
    const signature = 'ca85b90c24f5d776c3823b46f9542baaf5703d20a5cb41f3747b3510682a52a1';
    const url = 'https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-x-v1%3A0/converse';
    const credentials = credentialsOf({ credentials: { ...pair, sessionToken: 'session' } });
    const request = { url, body: '{"messages":[]}', region: 'us-east-1' };
    const headers = await authorise(credentials, request, {
      apiKey: pair.secretAccessKey,
      clock: fakeClock(),
    });
    expect(headers.authorization).toContain(`Signature=${signature}`);
  });

  test('several are rotated over by their labels', async () => {
    const two = { accessKeyId: 'SECOND', secretAccessKey: 'second-secret' };
    const { provider, received } = await served({ credentials: [pair, two] }, { credential: 'bedrock#2' });
    expect(provider.credentials).toEqual(['bedrock#1', 'bedrock#2']);
    expect(received?.headers.authorization).toContain('Credential=SECOND/');
  });

  test('a chain is asked at each request', async () => {
    let asked = 0;
    const credentials = async () => ({ ...pair, accessKeyId: `KEY${++asked}` });
    const { provider, received } = await served({ credentials });
    expect(received?.headers.authorization).toContain('Credential=KEY1/');
    await failure(
      ask(
        provider,
        transport,
        chat([{ role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'x' } }] }]),
      ),
    );
    expect(asked).toBe(1);
  });

  test('the environment names both, and a region', async () => {
    vi.stubEnv('AWS_BEARER_TOKEN_BEDROCK', '');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'FROMENV');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'env-secret');
    vi.stubEnv('AWS_SESSION_TOKEN', '');
    expect((await served({})).received?.headers.authorization).toContain('Credential=FROMENV/');
    vi.stubEnv('AWS_BEARER_TOKEN_BEDROCK', 'env-token');
    expect((await served({})).received?.headers.authorization).toBe('Bearer env-token');
    vi.stubEnv('AWS_REGION', '');
    vi.stubEnv('AWS_DEFAULT_REGION', '');
    expect(await failure(ask(bedrock(), transport, chat('Hi')))).toMatchObject({ code: 'invalid-config' });
  });

  test('nobody is told so before anything is sent, and no secret is in an error', async () => {
    for (const name of ['AWS_BEARER_TOKEN_BEDROCK', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, '');
    expect(await failure(served({}))).toMatchObject({ code: 'invalid-credential' });
    const server = await loopback((_, response) => {
      response.writeHead(403);
      response.end(JSON.stringify({ message: `bad signature for ${pair.secretAccessKey}` }));
    });
    const provider = bedrock({ baseURL: server.url, region: 'us-east-1', credentials: pair });
    const refused = collect(speak(provider, transport, chat('Hi')), {
      signal: new AbortController().signal,
      trace: { attempts: [] },
    });
    expect((await failure(refused)).message).not.toContain(pair.secretAccessKey);
  });
});
