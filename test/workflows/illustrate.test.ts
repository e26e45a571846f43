/** A picture by whichever service is there, by the next where one fails, and a clear refusal where none is. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPolyphony, type Polyphony } from '../../src/index.ts';
import illustrate from '../../workflows/illustrate.ts';
import { CASES } from './cases.ts';
import { PIXEL, type PictureService, type Pool, scriptedPool } from './pool.ts';

const ALL: readonly PictureService[] = ['stability', 'together', 'replicate', 'fal'];
const [one] = CASES;
const rules = one?.rules ?? [];
const wish = { wish: 'a lighthouse in the fog' };

async function withPool<T>({ providers }: Pool, use: (polyphony: Polyphony) => Promise<T>): Promise<T> {
  const polyphony = await createPolyphony({ providers, config: { planner: { model: 'pool/planner' } } });
  try {
    return await use(polyphony);
  } finally {
    await polyphony.close();
  }
}
const asked = ({ server }: Pool): readonly string[] =>
  server.received.flatMap(({ path }) => (path.endsWith('/chat/completions') ? [] : (path.split('/')[1] ?? '')));

describe('illustrate', () => {
  it.each(ALL)('makes the picture by %s alone', async (service) => {
    const pool = await scriptedPool(rules, [service]);
    const { output } = await withPool(pool, (polyphony) => polyphony.run(illustrate, wish));
    expect(output).toMatchObject({ image: { data: PIXEL }, fits: true });
    expect(asked(pool)).toEqual([service]);
  });

  it.each(ALL)('makes it by another one while %s is down', async (service) => {
    const pool = await scriptedPool(rules, ALL, [service]);
    const { output } = await withPool(pool, (polyphony) => polyphony.run(illustrate, wish));
    expect(output.image).toMatchObject({ data: PIXEL });
    const order = asked(pool);
    expect(order.at(-1)).not.toBe(service);
    expect(new Set(order).size).toBe(order.includes(service) ? 2 : 1);
  });

  it('sends no empty text for what must not be in the picture', async () => {
    const pool = await scriptedPool(rules, ['stability']);
    await withPool(pool, (polyphony) => polyphony.run(illustrate, wish));
    const form = pool.server.received.find(({ path }) => path.startsWith('/stability'));
    expect(form?.body).toContain('name="prompt"');
    expect(form?.body).not.toContain('negative_prompt');
  });

  it('is refused before anything is paid where nothing makes pictures', async () => {
    const pool = await scriptedPool(rules);
    await withPool(pool, async (polyphony) => {
      await expect(polyphony.run(illustrate, wish)).rejects.toMatchObject({
        code: 'invalid-plan',
        message: expect.stringContaining('stable-diffusion-3'),
      });
    });
    expect(pool.server.received).toEqual([]);
  });

  it('is planned from the plain request, without knowing the workflow', async () => {
    const request = 'make a picture of a lighthouse in the fog';
    const {
      input: _input,
      budget: _budget,
      ...plan
    } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../workflows/illustrate.plan.json'), 'utf8'));
    const own = JSON.parse(JSON.stringify(plan).replaceAll('{{input.wish}}', wish.wish)) as typeof plan;
    delete own.nodes[1].in.size;
    const pool = await scriptedPool(
      [{ asked: ['planner', request, 'Makes or edits a picture'], answer: own }, ...rules],
      ALL,
    );
    const outcome = await withPool(pool, (polyphony) => polyphony.run(request));
    expect(outcome).toMatchObject({ status: 'done', output: { image: { data: PIXEL }, title: 'The lamp' } });
  });
});
