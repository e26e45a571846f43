/** The batch interfaces of OpenAI and Anthropic, against servers that speak what the vendors document. */
import { describe, expect, it } from 'vitest';
import { anthropic } from '../../../plugins/providers/anthropic.ts';
import { openai } from '../../../plugins/providers/openai.ts';
import type { Provider } from '../../../src/core/model/provider.ts';
import { asNew, contextOf, lines, read, served } from './batch-server.ts';

describe('batches of OpenAI', () => {
  const completion = (content: string) => ({
    id: 'c1',
    object: 'chat.completion',
    model: 'gpt-4o',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  });
  const line = (custom_id: string, content: string) => ({
    custom_id,
    response: { status_code: 200, request_id: 'q', body: completion(content) },
    error: null,
  });
  const context = contextOf('gpt-4o', 'openai');
  const at = (url: string): Provider => openai({ baseURL: url, apiKey: 'sk-test' });

  it('are a file of requests and a job, which is found again by our name', async () => {
    const server = await served(({ method, path }) => {
      if (path === '/files') return { id: 'file-1', object: 'file' };
      if (method === 'POST') return { id: 'batch_abc', status: 'validating' };
      return { data: [{ id: 'other' }, { id: 'batch_abc', metadata: { polyphony_batch: 'batch_7' } }] };
    });
    const provider = at(server.url);
    expect(await provider.batch?.submit(asNew, context)).toBe('batch_abc');
    const [file, job] = server.received;
    expect(file?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(file?.headers.authorization).toBe('Bearer sk-test');
    const sent = (file?.body ?? '')
      .split('\n')
      .filter((one) => one.startsWith('{'))
      .map((one) => JSON.parse(one) as Record<string, unknown>);
    expect(sent).toHaveLength(4);
    expect(sent[0]).toMatchObject({
      custom_id: 'r1',
      method: 'POST',
      url: '/v1/chat/completions',
      body: { model: 'gpt-4o' },
    });
    expect(sent[0]?.body).not.toHaveProperty('stream');
    expect(JSON.parse(job?.body ?? '')).toEqual({
      input_file_id: 'file-1',
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
      metadata: { polyphony_batch: 'batch_7' },
    });
    expect(await provider.batch?.find(asNew, 0, context)).toBe('batch_abc');
    expect(await provider.batch?.find({ ...asNew, key: 'batch_8' }, 0, context)).toBeUndefined();
  });

  it('answer in any order, in part, twice, with errors, with megabytes and with garbage between', async () => {
    const large = 'x'.repeat(3_000_000);
    const server = await served(({ path }) => {
      if (path === '/batches/b') return { id: 'b', status: 'expired', output_file_id: 'out', error_file_id: 'err' };
      if (path === '/files/out/content')
        return lines(
          line('r2', large),
          '{"custom_id":',
          line('nobody', 'lost'),
          line('r1', 'one'),
          'null',
          '[]',
          line('r1', '!'),
        );
      if (path !== '/files/err/content') return undefined;
      return lines(
        { custom_id: 'r3', response: null, error: { code: 'batch_expired', message: 'too late' } },
        {
          custom_id: 'r4',
          response: { status_code: 400, body: { error: { message: 'no such field', type: 'invalid_request_error' } } },
        },
      );
    });
    const provider = at(server.url);
    expect(await provider.batch?.poll('b', context)).toMatchObject({ state: 'ended', said: 'expired' });
    const said = await read(provider, 'b', context);
    expect(said).toEqual({ r1: 'one!', r2: large, r3: 'timeout', r4: 'invalid-request' });
  });

  it('are running, cancelled, failed without files, or unknown', async () => {
    const states: Record<string, object> = {
      a: { id: 'a', status: 'in_progress' },
      c: { id: 'c', status: 'cancelled', output_file_id: null },
      f: { id: 'f', status: 'failed', errors: { data: [] } },
      g: { hello: 'world' },
    };
    const server = await served(({ path }) => states[path.split('/')[2] ?? '']);
    const provider = at(server.url);
    const state = async (id: string) => (await provider.batch?.poll(id, context))?.state;
    expect([await state('a'), await state('c'), await state('f')]).toEqual(['running', 'ended', 'ended']);
    expect(await read(provider, 'c', context)).toEqual({});
    await expect(state('g')).rejects.toMatchObject({ code: 'truncated' });
    await expect(state('z')).rejects.toMatchObject({ status: 404 });
    await provider.batch?.cancel('a', context);
    expect(server.received.at(-1)).toMatchObject({ method: 'POST', path: '/batches/a/cancel' });
  });
});

describe('batches of Anthropic', () => {
  const message = (text: string) => ({
    id: 'm1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 3, output_tokens: 2 },
  });
  const context = contextOf('claude-sonnet-4-5', 'anthropic');
  const at = (url: string): Provider => anthropic({ baseURL: url, apiKey: 'sk-ant-test' });
  const line = (custom_id: string, result: object) => ({ custom_id, result });

  it('are one body of requests, answered as JSON lines', async () => {
    const server = await served(({ method, path }) => {
      if (method === 'POST') return { id: 'msgbatch_1', processing_status: 'in_progress' };
      if (path === '/messages/batches/msgbatch_1')
        return { id: 'msgbatch_1', processing_status: 'ended', request_counts: { succeeded: 1 } };
      return lines(
        line('r4', { type: 'canceled' }),
        line('r3', { type: 'expired' }),
        'garbage',
        line('r2', {
          type: 'errored',
          error: { type: 'error', error: { type: 'invalid_request_error', message: 'bad' } },
        }),
        line('r1', { type: 'succeeded', message: message('one') }),
      );
    });
    const provider = at(server.url);
    expect(await provider.batch?.submit(asNew, context)).toBe('msgbatch_1');
    const [made] = server.received;
    expect(made).toMatchObject({ path: '/messages/batches', headers: { 'x-api-key': 'sk-ant-test' } });
    const { requests: sent } = JSON.parse(made?.body ?? '') as { requests: readonly object[] };
    expect(sent).toHaveLength(4);
    expect(sent[0]).toMatchObject({ custom_id: 'r1', params: { model: 'claude-sonnet-4-5', max_tokens: 20 } });
    expect(await provider.batch?.poll('msgbatch_1', context)).toEqual({ state: 'ended', said: 'ended', answered: 1 });
    expect(await read(provider, 'msgbatch_1', context)).toEqual({
      r1: 'one',
      r2: 'invalid-request',
      r3: 'timeout',
      r4: 'timeout',
    });
  });

  it('are found again by the ids of their results, as soon as they have ended', async () => {
    let status = 'in_progress';
    const since = Date.parse('2026-11-01T00:00:00Z');
    const of = (id: string, succeeded: number, day: string) => ({
      id,
      processing_status: id === 'ours' ? status : 'ended',
      created_at: `2026-11-${day}T00:00:00Z`,
      request_counts: { succeeded, processing: 4 - succeeded },
    });
    const server = await served(({ path }) => {
      if (path.endsWith('/ours/results')) return lines(line('r1', { type: 'succeeded', message: message('one') }));
      if (path.endsWith('/results')) return lines(line('x', { type: 'expired' }));
      const old = { ...of('old', 4, '01'), created_at: '2026-10-01T00:00:00Z' };
      return { data: [of('others', 4, '03'), of('ours', 0, '02'), old], has_more: false };
    });
    const provider = at(server.url);
    await expect(provider.batch?.find(asNew, since, context)).rejects.toMatchObject({ code: 'overloaded' });
    status = 'ended';
    expect(await provider.batch?.find(asNew, since, context)).toBe('ours');
    const others = { ...asNew, requests: asNew.requests.map((one) => ({ ...one, id: `${one.id}-other` })) };
    expect(await provider.batch?.find(others, since, context)).toBeUndefined();
  });
});
