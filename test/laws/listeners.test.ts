/**
 * The law of listeners: however many calls, runs and readers share a signal, Node warns of no leak while they go on, and
 * nothing of them is left on the signal afterwards.
 */
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exactCache } from '../../plugins/caching/exact-cache.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import { createPolyphony, type Polyphony } from '../../src/polyphony.ts';
import { fakeCard, fakeProvider } from '../../src/testing/fakes.ts';

const MANY = 80;
const warnings: string[] = [];
const onWarning = ({ message }: Error): void => void warnings.push(message);

beforeEach(() => {
  warnings.length = 0;
  process.on('warning', onWarning);
});
afterEach(() => void process.off('warning', onWarning));

/** Warnings are emitted in a later turn. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const PLAN: Plan = {
  version: 1,
  nodes: [
    { id: 'given', use: 'value', in: { items: [1, 2, 3] } },
    { id: 'm', use: 'llm', each: '{{given.items}}', in: { prompt: 'hi {{item}}' } },
  ],
};

type Work = (polyphony: Polyphony, index: number, signal: AbortSignal | undefined) => Promise<unknown>;
const ask = (text: string) => ({ messages: [{ role: 'user' as const, content: text }] });
const options = (signal: AbortSignal | undefined): { signal?: AbortSignal } => (signal === undefined ? {} : { signal });

const WORKS: Readonly<Record<string, Work>> = {
  'calls of generate': (polyphony, index, signal) => polyphony.gateway.generate(ask(`x${index}`), options(signal)),
  'equal calls, which share an answer': (polyphony, _, signal) => polyphony.gateway.generate(ask('x'), options(signal)),
  async streams(polyphony, index, signal) {
    for await (const _event of polyphony.gateway.stream(ask(`x${index}`), options(signal)));
  },
  runs: async (polyphony, _, signal) => polyphony.run(PLAN, {}, options(signal)),
};

describe.each(Object.entries(WORKS))('%s', (_name, work) => {
  it.each(['answers', 'hangs until the abort'])('many at once, the model %s', async (behaviour) => {
    const provider = fakeProvider({
      models: [fakeCard({ id: 'm' })],
      script: () => (behaviour === 'answers' ? 'yes' : [{ hang: true }]),
    });
    const polyphony = await createPolyphony({ plugins: [exactCache()], providers: [provider] });
    const controller = new AbortController();
    const { signal } = controller;
    const all = Promise.allSettled(Array.from({ length: MANY }, (_, index) => work(polyphony, index, signal)));
    await turn();
    if (behaviour !== 'answers') controller.abort();
    const failed = (await all).filter(({ status }) => status === 'rejected');
    if (behaviour === 'answers') expect(failed).toEqual([]);
    await turn();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(warnings).toEqual([]);
    await polyphony.close();
  });

  it('many at once without a signal', async () => {
    const polyphony = await createPolyphony({ plugins: [exactCache()], providers: [fakeProvider({})] });
    await Promise.all(Array.from({ length: MANY }, (_, index) => work(polyphony, index, undefined)));
    await turn();
    expect(warnings).toEqual([]);
    await polyphony.close();
  });
});
