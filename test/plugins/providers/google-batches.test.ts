/** Gemini's batches, against a server that speaks what the vendor documents. */
import { describe, expect, it } from 'vitest';
import { google } from '../../../plugins/providers/google.ts';
import type { Provider } from '../../../src/core/model/provider.ts';
import { loopback } from '../../kit/loopback.ts';
import { asNew, contextOf, read, served } from './batch-server.ts';

const context = contextOf('gemini-3.5-flash', 'google');
const at = (url: string): Provider => google({ baseURL: url, apiKey: 'AIza-test' });

const answer = (text: string) => ({
  candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
  modelVersion: 'gemini-3.5-flash',
});
const inlined = (key: string, outcome: object) => ({ metadata: { key }, ...outcome });

describe("Gemini's batches", () => {
  it('are one body of requests without a model, which is part of the address', async () => {
    const server = await served(() => ({ name: 'batches/b1', metadata: { state: 'BATCH_STATE_PENDING' } }));
    const provider = at(server.url);
    expect(await provider.batch?.submit(asNew, context)).toBe('b1');
    const [made] = server.received;
    expect(made).toMatchObject({
      method: 'POST',
      path: '/models/gemini-3.5-flash:batchGenerateContent',
      headers: { 'x-goog-api-key': 'AIza-test', 'content-type': 'application/json' },
    });
    const { batch } = JSON.parse(made?.body ?? '') as { batch: { inputConfig: { requests: { requests: object[] } } } };
    expect(batch).toMatchObject({ displayName: 'batch_7' });
    const sent = batch.inputConfig.requests.requests;
    expect(sent).toHaveLength(4);
    expect(sent[0]).toMatchObject({
      metadata: { key: 'r1' },
      request: { contents: [{ parts: [{ text: 'ask r1' }] }], generationConfig: { maxOutputTokens: 20 } },
    });
  });

  it('take chats only, because embeddings have another endpoint', () => {
    const provider = at('http://localhost');
    expect(provider.batch?.takes({ operation: 'embed', input: ['a'] })).toBe(false);
    expect(provider.batch?.takes({ operation: 'chat', messages: [] })).toBe(true);
  });

  it('answer in any order, in part, with errors of each request', async () => {
    const outcomes = [
      inlined('r3', { error: { code: 8, message: 'Resource exhausted', status: 'RESOURCE_EXHAUSTED' } }),
      { response: answer('nobody') },
      inlined('r1', { response: answer('one') }),
      'garbage',
      null,
      inlined('r2', { error: { code: 3, message: 'bad request', status: 'INVALID_ARGUMENT' } }),
      inlined('unknown', { response: answer('lost') }),
    ];
    const server = await served(({ path }) =>
      path === '/batches/b'
        ? {
            name: 'batches/b',
            done: true,
            metadata: { state: 'BATCH_STATE_SUCCEEDED', batchStats: { successfulRequestCount: '1' } },
            response: { inlinedResponses: { inlinedResponses: outcomes } },
          }
        : undefined,
    );
    const provider = at(server.url);
    expect(await provider.batch?.poll('b', context)).toEqual({ state: 'ended', said: 'succeeded', answered: 1 });
    expect(await read(provider, 'b', context)).toEqual({ r1: 'one', r2: 'invalid-request', r3: 'rate-limited' });
  });

  it('read answers where the vendor puts them: in the response, its list, or the output of the batch', async () => {
    const entries = [inlined('r1', { response: answer('one') })];
    const operations: Record<string, object> = {
      list: { name: 'batches/list', done: true, response: { inlinedResponses: entries } },
      output: { name: 'batches/output', metadata: { output: { inlinedResponses: { inlinedResponses: entries } } } },
      none: { name: 'batches/none', done: true, error: { code: 1, message: 'cancelled' } },
    };
    const server = await served(({ path }) => operations[path.split('/')[2] ?? '']);
    const provider = at(server.url);
    expect(await read(provider, 'list', context)).toEqual({ r1: 'one' });
    expect(await read(provider, 'output', context)).toEqual({ r1: 'one' });
    expect(await read(provider, 'none', context)).toEqual({});
  });

  it('are running, ended in whatever way, cancelled, or unknown', async () => {
    const states: Record<string, object> = {
      p: { name: 'batches/p', metadata: { state: 'BATCH_STATE_PENDING' } },
      r: { name: 'batches/r', metadata: { state: 'JOB_STATE_RUNNING' } },
      x: { name: 'batches/x', metadata: { state: 'BATCH_STATE_EXPIRED' } },
      c: { name: 'batches/c', metadata: { state: 'BATCH_STATE_CANCELLED' }, done: true },
      d: { name: 'batches/d', done: true },
      g: { hello: 'world' },
    };
    const server = await served(({ method, path }) => (method === 'POST' ? {} : states[path.split('/')[2] ?? '']));
    const provider = at(server.url);
    const state = async (id: string) => (await provider.batch?.poll(id, context))?.state;
    const found = await Promise.all(['p', 'r', 'x', 'c', 'd'].map(state));
    expect(found).toEqual(['running', 'running', 'ended', 'ended', 'ended']);
    await expect(state('g')).rejects.toMatchObject({ code: 'truncated' });
    await expect(state('z')).rejects.toMatchObject({ status: 404 });
    await provider.batch?.cancel('p', context);
    expect(server.received.at(-1)).toMatchObject({ method: 'POST', path: '/batches/p:cancel' });
  });

  it('are found again by our name on whichever page, and not found only after the last one', async () => {
    const server = await served(({ path }) =>
      path.includes('pageToken=2')
        ? { operations: [{ name: 'batches/ours', metadata: { displayName: 'batch_7' } }] }
        : { operations: [{ name: 'batches/other', metadata: { displayName: 'batch_1' } }, null], nextPageToken: '2' },
    );
    const provider = at(server.url);
    expect(await provider.batch?.find(asNew, 0, context)).toBe('ours');
    expect(await provider.batch?.find({ ...asNew, key: 'batch_8' }, 0, context)).toBeUndefined();
    const endless = at((await served(() => ({ operations: [], nextPageToken: 'more' }))).url);
    await expect(endless.batch?.find(asNew, 0, context)).rejects.toMatchObject({ code: 'overloaded', retryable: true });
  });

  it('keep the key out of their errors', async () => {
    const server = await loopback(({ headers }, response) => {
      response.statusCode = 400;
      response.end(JSON.stringify({ error: { code: 400, message: `no such key: ${headers['x-goog-api-key']}` } }));
    });
    const failing = at(server.url).batch?.submit(asNew, context);
    await expect(failing).rejects.toThrow(/no such key/);
    await expect(failing).rejects.not.toThrow(/AIza-test/);
  });
});
