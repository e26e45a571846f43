/**
 * Calls that wait for a batch of Gemini, Mistral or Groq, from the gateway to a server on the loopback: a process takes and sends them,
 * another one fetches the answers, and each is charged once, at the price of a batch.
 */
import { describe, expect, it } from 'vitest';
import { google } from '../../../plugins/providers/google.ts';
import { groq } from '../../../plugins/providers/groq.ts';
import { mistral } from '../../../plugins/providers/mistral.ts';
import type { Provider } from '../../../src/core/model/provider.ts';
import { createGateway, type GatewayHandle } from '../../../src/gateway/create-gateway.ts';
import { createTransport } from '../../../src/gateway/transport/transport.ts';
import { memoryStores } from '../../../src/stores/memory.ts';
import { type FakeRuntime, fakeRuntime } from '../../../src/testing/fakes.ts';
import type { Loopback, Received } from '../../kit/loopback.ts';
import { lines, served } from './batch-server.ts';

interface Vendor {
  readonly name: string;
  readonly model: string;
  readonly provider: (baseURL: string) => Provider;
  readonly serve: (server: Batches) => (request: Received) => unknown;
  /** Of 1,000 tokens in and 500 out, in nano-dollars, at half the price of its card. */
  readonly costNanoUsd: number;
  readonly key: string;
}

/** What a server knows: the ids of the requests, and whether the batch has ended. */
interface Batches {
  ids: readonly string[];
  isOver: boolean;
  isCancelled: boolean;
}

const completion = {
  id: 'c1',
  object: 'chat.completion',
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'done' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 },
};
const idsIn = (body: string): readonly string[] =>
  [...body.matchAll(/"(?:custom_id|key)":"([^"]+)"/g)].map((match) => match[1] ?? '');

/** Files of requests and answers, below a path of jobs. */
const filesOf =
  (
    jobs: string,
    fields: { readonly running: string; readonly over: string; readonly cancelled: string; readonly file: string },
  ) =>
  (server: Batches) =>
  ({ method, path, body }: Received): unknown => {
    if (path === '/files') {
      server.ids = idsIn(body);
      return { id: 'file' };
    }
    if (path.startsWith('/files/')) {
      return lines(...server.ids.map((custom_id) => ({ custom_id, response: { status_code: 200, body: completion } })));
    }
    if (path.endsWith('/cancel')) server.isCancelled = true;
    if (!path.startsWith(jobs)) return undefined;
    if (server.isCancelled) return { id: 'job', status: fields.cancelled };
    if (method === 'POST' || !server.isOver) return { id: 'job', status: fields.running };
    return { id: 'job', status: fields.over, [fields.file]: 'answers' };
  };

const VENDORS: readonly Vendor[] = [
  {
    name: 'Gemini',
    model: 'google/gemini-3.5-flash-lite',
    provider: (baseURL) => google({ baseURL, apiKey: 'AIza-settled' }),
    key: 'AIza-settled',
    costNanoUsd: 775_000,
    serve:
      (server) =>
      ({ method, path, body }) => {
        if (method === 'POST' && path.endsWith(':batchGenerateContent')) server.ids = idsIn(body);
        if (path.endsWith(':cancel')) server.isCancelled = true;
        const state = server.isCancelled ? 'CANCELLED' : server.isOver ? 'SUCCEEDED' : 'RUNNING';
        const inlinedResponses = server.ids.map((key) => ({
          metadata: { key },
          response: {
            candidates: [{ content: { role: 'model', parts: [{ text: 'done' }] }, finishReason: 'STOP' }],
            usageMetadata: { promptTokenCount: 1000, candidatesTokenCount: 500, totalTokenCount: 1500 },
          },
        }));
        return {
          name: 'batches/b1',
          metadata: { state: `BATCH_STATE_${state}` },
          ...(state === 'SUCCEEDED' ? { done: true, response: { inlinedResponses: { inlinedResponses } } } : {}),
        };
      },
  },
  {
    name: 'Mistral',
    model: 'mistral/mistral-small-2603',
    provider: (baseURL) => mistral({ baseURL, apiKey: 'mistral-settled' }),
    key: 'mistral-settled',
    costNanoUsd: 225_000,
    serve: filesOf('/batch/jobs', { running: 'RUNNING', over: 'SUCCESS', cancelled: 'CANCELLED', file: 'output_file' }),
  },
  {
    name: 'Groq',
    model: 'groq/openai/gpt-oss-20b',
    provider: (baseURL) => groq({ baseURL, apiKey: 'gsk_settled' }),
    key: 'gsk_settled',
    costNanoUsd: 112_500,
    serve: filesOf('/batches', {
      running: 'in_progress',
      over: 'completed',
      cancelled: 'cancelled',
      file: 'output_file_id',
    }),
  },
];

interface World {
  readonly runtime: FakeRuntime;
  readonly server: Batches;
  readonly received: Loopback['received'];
  readonly rows: () => Promise<readonly { readonly costNanoUsd: number | null; readonly outcome: string }[]>;
  process(): GatewayHandle;
  /** Moves the clock and lets the sockets work until it holds. */
  until(holds: () => boolean | Promise<boolean>): Promise<void>;
}

async function worldOf(vendor: Vendor): Promise<World> {
  const server: Batches = { ids: [], isOver: false, isCancelled: false };
  const { url, received } = await served(vendor.serve(server));
  const runtime = fakeRuntime();
  const stores = memoryStores({ clock: runtime.clock });
  return {
    runtime,
    server,
    received,
    async rows() {
      const rows = [];
      for await (const row of stores.ledger.rows()) rows.push(row);
      return rows;
    },
    process: () =>
      createGateway({
        providers: [vendor.provider(url)],
        plugins: [],
        config: { batches: { flushMs: 1000, pollMs: 10_000 } },
        runtime,
        keyValue: stores.keyValue,
        ledger: stores.ledger,
        transport: createTransport(),
      }),
    async until(holds) {
      for (let turn = 0; turn < 5000; turn += 1) {
        if (await holds()) return;
        await runtime.clock.advance(turn % 10 === 0 ? 500 : 0);
        await new Promise((resolve) => setImmediate(resolve));
      }
      throw new Error('it never came about');
    },
  };
}

const ask = ({ model }: Vendor, text: string) =>
  ({ operation: 'chat', model, messages: [{ role: 'user', content: text }], maxOutputTokens: 500 }) as const;

describe.each(VENDORS)('batches of $name, settled', (vendor) => {
  it('are sent by one process, answered to another, and charged once at half the price', async () => {
    const world = await worldOf(vendor);
    const first = world.process();
    const ids = [];
    for (const id of ['a', 'b']) ids.push(await first.batches?.queue(ask(vendor, id), { id }));
    await world.until(async () => ((await first.batches?.list()) ?? []).every(({ batch }) => batch !== null));
    // It was asked for once, so the process knows its id.
    await world.until(() => world.received.some(({ method }) => method === 'GET'));
    expect(world.server.ids).toHaveLength(2);
    await first.close();

    world.server.isOver = true;
    const next = world.process();
    const { batches } = next;
    await world.until(async () => (await batches?.list())?.length === 0);
    for (const id of ids) {
      expect(await batches?.result(id ?? '')).toMatchObject({
        content: [{ type: 'text', text: 'done' }],
        usage: { input: 1000, output: 500 },
      });
    }
    const rows = await world.rows();
    expect(rows.map(({ costNanoUsd }) => costNanoUsd)).toEqual([vendor.costNanoUsd, vendor.costNanoUsd]);
    await next.close();
    expect(JSON.stringify(rows)).not.toContain(vendor.key);
  });

  it('are cancelled at the vendor, and cost nothing', async () => {
    const world = await worldOf(vendor);
    const gateway = world.process();
    const { batches } = gateway;
    await batches?.queue(ask(vendor, 'a'), { id: 'a' });
    await world.until(() => world.server.ids.length === 1);
    await world.until(async () => ((await batches?.list()) ?? []).every(({ batch }) => batch !== null));
    const [sent] = (await batches?.list()) ?? [];
    expect(await batches?.cancel(sent?.batch ?? '')).toBe(true);
    await world.until(async () => (await batches?.list())?.length === 0);
    expect(world.server.isCancelled).toBe(true);
    await expect(batches?.result('a')).rejects.toMatchObject({ code: 'cancelled' });
    expect((await world.rows()).map(({ costNanoUsd }) => costNanoUsd)).toEqual([0]);
    await gateway.close();
  });
});
