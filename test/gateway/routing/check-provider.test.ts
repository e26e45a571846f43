/** A provider that could never be asked, or whose price pays money back, is refused when the polyphony is made. */
import { describe, expect, it } from 'vitest';
import { createPolyphony } from '../../../src/polyphony.ts';
import { fakeCard, fakeProvider } from '../../../src/testing/fakes.ts';

const priced = (price: object): object => ({ models: [{ ...fakeCard({ id: 'one' }), price }] });

const make = async (fields: object): Promise<string> => {
  const provider = { ...fakeProvider({}), ...fields };
  const polyphony = await createPolyphony({ providers: [provider], plugins: [], environment: false });
  await polyphony.close();
  return 'made';
};

describe('a provider', () => {
  it.each([
    [{ models: null }, /"fake" has null as models: give a list of model cards/],
    [{ concurrency: 0 }, /"fake" has 0 as concurrency: give 1 or more/],
    [{ concurrency: Number.NaN }, /has NaN as concurrency/],
    [priced({ input: -1, output: 2 }), /has -1 as price.input of the model "one": give 0 or more/],
    [priced({ input: 1, output: Number.NaN }), /has NaN as price.output/],
  ])('with %j is refused', async (fields, message) => {
    await expect(make(fields)).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringMatching(message),
    });
  });

  it.each([
    { concurrency: 1 },
    { concurrency: Number.POSITIVE_INFINITY },
    priced({ input: 0, output: 0 }),
    { models: [] },
  ])('with %j is taken', async (fields) => expect(await make(fields)).toBe('made'));
});
