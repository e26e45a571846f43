/** A provider with batches, whose server outlives the processes that use it. */

import { PolyphonyError } from '../../../src/core/errors.ts';
import type { BatchAnswer, BatchEndpoint, NewBatch } from '../../../src/core/model/batch.ts';
import type { ModelEvent } from '../../../src/core/model/model.ts';
import { type FakeProvider, type FakeRuntime, fakeCard, fakeProvider, finish } from '../../../src/testing/fakes.ts';

export interface ServedBatch {
  readonly id: string;
  readonly asked: NewBatch;
  readonly at: number;
  cancelled: boolean;
}

export interface Server {
  readonly batches: ServedBatch[];
  /** Milliseconds from submission to end. */
  takesMs: number;
  /** What it says of each request that has ended, in its order. @default an answer to each */
  answers: (batch: ServedBatch) => readonly BatchAnswer[];
  polls: number;
}

export async function* said(text: string, usage = { input: 10, output: 5 }): AsyncGenerator<ModelEvent> {
  yield { type: 'text-delta', text };
  yield finish({ usage });
}

export const fakeServer = (): Server => ({
  batches: [],
  takesMs: 3_600_000,
  answers: ({ asked }) => asked.requests.map(({ id }) => ({ id, events: said(`answer ${id}`) })),
  polls: 0,
});

/** Half of the usual price in a batch: 1 and 2 dollars for a million tokens. */
export const CARD = fakeCard({ id: 'one', price: { input: 2, output: 4, serviceTiers: { batch: { times: 0.5 } } } });
/** 10 × 1 + 5 × 2 millionths of a dollar. */
export const BATCH_COST = 20_000;
export const LIVE_COST = 40_000;

export function batchProvider(server: Server, runtime: FakeRuntime, around = direct): FakeProvider {
  return fakeProvider({ models: [CARD], runtime, batch: around(endpointOf(server, runtime)), script: () => 'live' });
}

const direct = (endpoint: BatchEndpoint): BatchEndpoint => endpoint;

function endpointOf(server: Server, { clock }: FakeRuntime): BatchEndpoint {
  const find = (id: string): ServedBatch => {
    const batch = server.batches.find((one) => one.id === id);
    if (batch === undefined) throw new PolyphonyError('not-found', `no batch ${id}`, { status: 404 });
    return batch;
  };
  return {
    most: { requests: 100, bytes: 1_000_000 },
    takes: ({ operation }) => operation === 'chat',
    async submit(asked) {
      const id = `b${server.batches.length + 1}`;
      server.batches.push({ id, asked, at: clock.now(), cancelled: false });
      return id;
    },
    find: async ({ key }) => server.batches.find(({ asked }) => asked.key === key)?.id,
    async poll(id) {
      server.polls += 1;
      const { at, cancelled } = find(id);
      const isOver = cancelled || clock.now() - at >= server.takesMs;
      return { state: isOver ? 'ended' : 'running', said: cancelled ? 'cancelled' : isOver ? 'completed' : 'running' };
    },
    async *results(id) {
      const batch = find(id);
      if (!batch.cancelled) yield* server.answers(batch);
    },
    async cancel(id) {
      find(id).cancelled = true;
    },
  };
}
