/** A start, and a call to a model without a rival, read no catalogue. */
import { describe, expect, it } from 'vitest';
import { isCatalogueRead } from '../../src/kit/models/model-catalogue.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { fakeCard, fakeProvider } from '../../src/testing/fakes.ts';

describe('the catalogue', () => {
  it('is read for the first choice among models, and not before', async () => {
    const one = await createPolyphony({ providers: [fakeProvider({ id: 'one', models: [fakeCard({ id: 'a' })] })] });
    await one.gateway.generate({ prompt: 'x' });
    expect(one.gateway.models()).toHaveLength(1);
    await one.close();
    expect(isCatalogueRead()).toBe(false);
    const models = [fakeCard({ id: 'a' }), fakeCard({ id: 'b' })];
    const two = await createPolyphony({ providers: [fakeProvider({ id: 'two', models })] });
    await two.gateway.generate({ prompt: 'x' });
    await two.close();
    expect(isCatalogueRead()).toBe(true);
  });
});
