import { describe, expect, test } from 'vitest';
import { providersFromEnvironment } from '../../../plugins/providers/environment.ts';

const names = async (environment: Record<string, string>): Promise<readonly string[]> =>
  (await providersFromEnvironment(environment)).map(({ name }) => name);

describe('providers from the environment', () => {
  test('are those whose variables are set', async () => {
    expect(await names({ OPENAI_API_KEY: 'k' })).toEqual(['openai']);
    expect(await names({ POLYPHONY_BASE_URL: 'http://localhost:8000/v1' })).toEqual(['openai-compatible']);
    expect(await names({ OPENAI_API_KEY: 'k', POLYPHONY_BASE_URL: 'http://localhost:8000/v1' })).toEqual([
      'openai-compatible',
      'openai',
    ]);
  });

  test('are those with wires of their own, by either name of a key', async () => {
    expect(await names({ ANTHROPIC_API_KEY: 'k' })).toEqual(['anthropic']);
    expect(await names({ GEMINI_API_KEY: 'k' })).toEqual(['google']);
    expect(await names({ GOOGLE_API_KEY: 'k', GOOGLE_CLOUD_PROJECT: 'p' })).toEqual(['google']);
    expect(await names({ GOOGLE_CLOUD_PROJECT: 'p' })).toEqual(['embedded']);
  });

  test('never send the key of a base URL to the vendor itself', async () => {
    expect(await names({ OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'http://localhost:8000/v1' })).toEqual([
      'openai-compatible',
    ]);
  });

  test('an access key to AWS counts only where it is said that it may', async () => {
    const access = { AWS_ACCESS_KEY_ID: 'k', AWS_SECRET_ACCESS_KEY: 's', AWS_REGION: 'eu-west-1' };
    expect(await names(access)).toEqual(['embedded']);
    expect(await names({ ...access, POLYPHONY_BEDROCK: '1' })).toEqual(['bedrock']);
    expect(await names({ AWS_BEARER_TOKEN_BEDROCK: 'k' })).toEqual(['bedrock']);
  });

  test('are the embedded one where nothing is set, or set to nothing', async () => {
    expect(await names({})).toEqual(['embedded']);
    expect(await names({ OPENAI_API_KEY: '' })).toEqual(['embedded']);
  });
});
