/** An answer of a node that stalls or breaks after its first words: a node that bounds or counts its attempts gets another one. */
import { describe, expect, it } from 'vitest';
import { createPolyphony, type PlanNode, PolyphonyError } from '../../src/index.ts';
import { fakeProvider, fakeRuntime, type ScriptStep } from '../../src/testing/index.ts';
import { settled } from '../executor/harness.ts';

async function ask(limits: PlanNode['limits'], broken: ScriptStep) {
  const runtime = fakeRuntime();
  const provider = fakeProvider({
    runtime,
    script: ({ number }) => (number === 1 ? [{ type: 'text-delta', text: 'Good' }, broken] : 'Good evening.'),
  });
  const polyphony = await createPolyphony({ providers: [provider], runtime });
  const node = { id: 'say', use: 'llm', in: { prompt: 'Greet.' }, ...(limits === undefined ? {} : { limits }) };
  const handle = await polyphony.start({ version: 1, nodes: [node], output: '{{say.text}}' });
  const result = await settled({ runtime }, handle);
  const restarts: unknown[] = [];
  for await (const event of handle.events()) if (event.type === 'node-delta' && event.restart) restarts.push(event);
  await polyphony.close();
  return { result, restarts, attempts: provider.seen.length };
}

const stalls: ScriptStep = { hang: true };
const breaks: ScriptStep = { fail: new PolyphonyError('network', 'The line is dead.') };

describe('an answer that', () => {
  it.each([
    ['stalls, with a bound on the attempt', { attemptSeconds: 2 }, stalls],
    ['stalls, with a bound and retries', { attemptSeconds: 2, retries: 1 }, stalls],
    ['breaks, with retries', { retries: 2 }, breaks],
  ])('%s is asked for again, and readers are told', async (_name, limits, broken) => {
    const { result, restarts, attempts } = await ask(limits, broken);
    expect(result).toMatchObject({ status: 'done', output: 'Good evening.' });
    expect([attempts, restarts.length]).toEqual([2, 1]);
  });

  it.each([
    ['breaks, without limits', undefined],
    ['breaks, with no retries', { retries: 0, attemptSeconds: 2 }],
  ])('%s fails the node', async (_name, limits) => {
    const { result, attempts } = await ask(limits, breaks);
    expect(result).toMatchObject({ status: 'failed', error: { code: 'network' } });
    expect(attempts).toBe(1);
  });
});
