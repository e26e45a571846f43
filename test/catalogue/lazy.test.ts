/** A start, and a call to a model without a rival, read no catalogue. */
import { describe, expect, it, vi } from 'vitest';
import { createPolyphony } from '../../src/polyphony.ts';
import { fakeCard, fakeProvider } from '../../src/testing/fakes.ts';

const reads = vi.hoisted(() => ({ count: 0 }));
vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const readFileSync = (...given: Parameters<typeof fs.readFileSync>) => {
    if (String(given[0]).includes('catalogue/models.json')) reads.count += 1;
    return fs.readFileSync(...given);
  };
  return { ...fs, readFileSync };
});

describe('the catalogue', () => {
  it('is read for the first choice among models, and not before', async () => {
    const one = await createPolyphony({ providers: [fakeProvider({ id: 'one', models: [fakeCard({ id: 'a' })] })] });
    await one.gateway.generate({ prompt: 'x' });
    expect(one.gateway.models()).toHaveLength(1);
    await one.close();
    expect(reads.count).toBe(0);
    const models = [fakeCard({ id: 'a' }), fakeCard({ id: 'b' })];
    const two = await createPolyphony({ providers: [fakeProvider({ id: 'two', models })] });
    await two.gateway.generate({ prompt: 'x' });
    await two.close();
    expect(reads.count).toBe(1);
  });
});
