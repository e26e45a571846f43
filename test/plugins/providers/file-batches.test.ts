/** Batches as files at Mistral and Groq, which differ in names from those of OpenAI. */
import { describe, expect, it } from 'vitest';
import { groq } from '../../../plugins/providers/groq.ts';
import { mistral } from '../../../plugins/providers/mistral.ts';
import type { Provider } from '../../../src/core/model/provider.ts';
import { asNew, contextOf, lines, read, served } from './batch-server.ts';

const completion = (content: string) => ({
  id: 'c1',
  object: 'chat.completion',
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
});
const line = (custom_id: string, content: string) => ({
  id: 'l',
  custom_id,
  response: { status_code: 200, body: completion(content) },
  error: null,
});

const sentLines = (body: string | undefined): readonly unknown[] =>
  (body ?? '')
    .split('\n')
    .filter((one) => one.startsWith('{'))
    .map((one) => JSON.parse(one) as unknown);

describe('batches of Mistral', () => {
  const context = contextOf('mistral-small-2603', 'mistral');
  const at = (url: string): Provider => mistral({ baseURL: url, apiKey: 'mistral-test-key' });

  it('name the model in the job, and requests by their bodies alone', async () => {
    const server = await served(({ method, path }) => {
      if (path === '/files') return { id: 'file-1' };
      if (method === 'POST') return { id: 'job-1', status: 'QUEUED' };
      return { data: [{ id: 'other' }, { id: 'job-1', metadata: { polyphony_batch: 'batch_7' } }], total: 2 };
    });
    const provider = at(server.url);
    expect(await provider.batch?.submit(asNew, context)).toBe('job-1');
    const [file, job] = server.received;
    expect(file?.headers.authorization).toBe('Bearer mistral-test-key');
    const [first] = sentLines(file?.body);
    expect(first).toMatchObject({ custom_id: 'r1', body: { max_tokens: 20 } });
    expect(first).not.toHaveProperty('body.model');
    expect(job).toMatchObject({ method: 'POST', path: '/batch/jobs' });
    expect(JSON.parse(job?.body ?? '')).toEqual({
      input_files: ['file-1'],
      endpoint: '/v1/chat/completions',
      model: 'mistral-small-2603',
      metadata: { polyphony_batch: 'batch_7' },
    });
    expect(await provider.batch?.find(asNew, 0, context)).toBe('job-1');
    expect(server.received.at(-1)?.path).toBe('/batch/jobs?page_size=100&order_by=-created');
  });

  it('end as success, failure, too late or cancelled, with a file of answers and one of errors', async () => {
    const jobs: Record<string, object> = {
      q: { id: 'q', status: 'QUEUED' },
      n: { id: 'n', status: 'CANCELLATION_REQUESTED' },
      s: { id: 's', status: 'SUCCESS', output_file: 'out', error_file: 'err', succeeded_requests: 2 },
      t: { id: 't', status: 'TIMEOUT_EXCEEDED' },
      f: { id: 'f', status: 'FAILED' },
      c: { id: 'c', status: 'CANCELLED' },
    };
    const server = await served(({ path }) => {
      if (path === '/files/out/content') return lines(line('r2', 'two'), 'garbage', line('r1', 'one'));
      if (path === '/files/err/content')
        return lines({ custom_id: 'r3', response: { status_code: 422, body: { message: 'no such field' } } });
      return path.startsWith('/batch/jobs/') ? jobs[path.split('/')[3] ?? ''] : undefined;
    });
    const provider = at(server.url);
    const state = async (id: string) => (await provider.batch?.poll(id, context))?.state;
    const found = await Promise.all(['q', 'n', 's', 't', 'f', 'c'].map(state));
    expect(found).toEqual(['running', 'running', 'ended', 'ended', 'ended', 'ended']);
    expect(await provider.batch?.poll('s', context)).toEqual({ state: 'ended', said: 'success', answered: 2 });
    expect(await read(provider, 's', context)).toEqual({ r1: 'one', r2: 'two', r3: 'invalid-request' });
    expect(await read(provider, 't', context)).toEqual({});
  });

  it('are cancelled at the job', async () => {
    const server = await served(() => ({ id: 'j', status: 'CANCELLATION_REQUESTED' }));
    await at(server.url).batch?.cancel('j', context);
    expect(server.received.at(-1)).toMatchObject({ method: 'POST', path: '/batch/jobs/j/cancel' });
  });
});

describe('batches of Groq', () => {
  const context = contextOf('openai/gpt-oss-20b', 'groq');
  const at = (url: string): Provider => groq({ baseURL: `${url}/openai/v1`, apiKey: 'gsk_test_key' });

  it('speak the form of OpenAI for chats, below an address of their own', async () => {
    const server = await served(({ method, path }) => {
      if (path === '/openai/v1/files') return { id: 'file_1' };
      if (path === '/openai/v1/batches' && method === 'POST') return { id: 'batch_1', status: 'validating' };
      if (path === '/openai/v1/batches') return { data: [{ id: 'batch_1', metadata: { polyphony_batch: 'batch_7' } }] };
      if (path === '/openai/v1/files/out/content') return lines(line('r1', 'one'));
      if (path.startsWith('/openai/v1/batches/'))
        return { id: 'batch_1', status: 'completed', output_file_id: 'out', request_counts: { completed: 1 } };
      return undefined;
    });
    const provider = at(server.url);
    expect(await provider.batch?.submit(asNew, context)).toBe('batch_1');
    const [file, job] = server.received;
    expect(sentLines(file?.body)[0]).toMatchObject({
      custom_id: 'r1',
      method: 'POST',
      url: '/v1/chat/completions',
      body: { model: 'openai/gpt-oss-20b' },
    });
    expect(JSON.parse(job?.body ?? '')).toMatchObject({ endpoint: '/v1/chat/completions', completion_window: '24h' });
    expect(await provider.batch?.find(asNew, 0, context)).toBe('batch_1');
    expect(await provider.batch?.poll('batch_1', context)).toEqual({ state: 'ended', said: 'completed', answered: 1 });
    expect(await read(provider, 'batch_1', context)).toEqual({ r1: 'one' });
    expect(provider.batch?.takes({ operation: 'embed', input: ['a'] })).toBe(false);
  });
});
