/** A user or a password in the address of a provider would not be sent, so it is refused, whatever the wire, and never shown. */
import { createPolyphony } from 'polyphony';
import { anthropic } from 'polyphony/plugins/providers/anthropic';
import { azureOpenAI } from 'polyphony/plugins/providers/azure-openai';
import { bedrock } from 'polyphony/plugins/providers/bedrock';
import { cohere } from 'polyphony/plugins/providers/cohere';
import { fal } from 'polyphony/plugins/providers/fal';
import { google } from 'polyphony/plugins/providers/google';
import { googleVertex } from 'polyphony/plugins/providers/google-vertex';
import { ollama } from 'polyphony/plugins/providers/ollama';
import { openai } from 'polyphony/plugins/providers/openai';
import { openaiCompatible } from 'polyphony/plugins/providers/openai-compatible';
import { openaiResponses } from 'polyphony/plugins/providers/openai-responses';
import { replicate } from 'polyphony/plugins/providers/replicate';
import { stability } from 'polyphony/plugins/providers/stability';
import { afterEach, describe, expect, test, vi } from 'vitest';

const baseURL = 'https://ann:hunter22@models.example/v1';
const RULE = 'at https://models.example holds a user or a password, which are not sent: leave both out';

const refusalOf = (make: () => unknown): Error => {
  try {
    make();
  } catch (error) {
    return error as Error;
  }
  return new Error('it was taken');
};

describe('is refused where a provider is made', () => {
  test.each<[string, () => unknown]>([
    ['anthropic', () => anthropic({ baseURL })],
    ['bedrock', () => bedrock({ baseURL })],
    ['cohere', () => cohere({ baseURL })],
    ['fal', () => fal({ baseURL })],
    ['google', () => google({ baseURL })],
    ['google-vertex', () => googleVertex({ baseURL, accessToken: async () => 'x' })],
    ['ollama', () => ollama({ baseURL })],
    ['openai', () => openai({ baseURL })],
    ['openai-responses', () => openaiResponses({ baseURL })],
    ['openai-compatible', () => openaiCompatible({ id: 'own', baseURL, models: ['m'] })],
    ['replicate', () => replicate({ baseURL })],
    ['stability', () => stability({ baseURL })],
  ])('%s', (_, make) => {
    const error = refusalOf(make);
    expect(error).toMatchObject({ code: 'invalid-config', message: expect.stringContaining(RULE) });
    expect(String(error.stack)).not.toMatch(/hunter22|ann:/);
  });
});

describe('is refused at the request where the address is read then', () => {
  afterEach(() => vi.unstubAllEnvs());

  test.each([
    ['azure-openai', () => azureOpenAI({ endpoint: baseURL, apiKey: 'k', models: [{ id: 'm', tier: 'fast' }] })],
    ['openai', () => openai({ baseURL: () => baseURL, apiKey: 'k', models: ['m'] })],
    ['ollama', () => ollama({ models: ['m'] })],
  ])('%s', async (_, make) => {
    vi.stubEnv('OLLAMA_HOST', baseURL);
    const polyphony = await createPolyphony({ plugins: [], providers: [make()] });
    const error: Error = await polyphony.gateway.generate({ prompt: 'Hello' }).then(
      () => new Error('it was answered'),
      (thrown: Error) => thrown,
    );
    await polyphony.close();
    expect(error.message).toContain(RULE);
    expect(JSON.stringify([error.message, error.stack])).not.toMatch(/hunter22|ann:/);
  });
});
