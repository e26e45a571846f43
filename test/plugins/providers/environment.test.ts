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

  test('never send the key of a base URL to the vendor itself', async () => {
    expect(await names({ OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'http://localhost:8000/v1' })).toEqual([
      'openai-compatible',
    ]);
  });

  test('are the embedded one where nothing is set, or set to nothing', async () => {
    expect(await names({})).toEqual(['embedded']);
    expect(await names({ OPENAI_API_KEY: '' })).toEqual(['embedded']);
  });
});
