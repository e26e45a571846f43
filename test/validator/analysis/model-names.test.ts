/** The names of models are found as a look through all models finds them. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Catalogue } from '../../../src/core/plan/validation.ts';
import { fakeCard } from '../../../src/testing/fakes.ts';
import { modelNames, modelsNamed } from '../../../src/validator/analysis/candidates.ts';

const name = fc.constantFrom('a', 'b', 'p/a', 'p/b', 'q/a', 'x', '__proto__');
const model = fc.record({
  provider: fc.constantFrom('p', 'q'),
  card: fc
    .record({ id: fc.constantFrom('a', 'b', 'p/a', '__proto__'), aliases: fc.array(name, { maxLength: 3 }) })
    .map(fakeCard),
});
const aliases = fc.constantFrom<Readonly<Record<string, string>>>({}, { x: 'a' }, { x: 'b', b: 'p/a' });

it('are those of ids, of providers with ids, and of aliases, each model once and in its order', () => {
  fc.assert(
    fc.property(fc.array(model, { maxLength: 6 }), aliases, name, (models, meant, asked) => {
      const catalogue = { models, aliases: meant } as unknown as Catalogue;
      let wanted: string = asked;
      for (let step = 0; step < 5 && Object.hasOwn(meant, wanted); step += 1) wanted = meant[wanted] ?? wanted;
      const found = models.filter(
        ({ provider, card }) =>
          card.id === wanted || `${provider}/${card.id}` === wanted || (card.aliases ?? []).includes(wanted),
      );
      for (let time = 0; time < 2; time += 1) expect(modelsNamed(asked, catalogue)).toEqual(found);
      const names = models.flatMap(({ provider, card }) => [
        card.id,
        `${provider}/${card.id}`,
        ...(card.aliases ?? []),
      ]);
      expect(modelNames(catalogue)).toEqual([...new Set([...Object.keys(meant), ...names])]);
    }),
  );
});

it('are those of the catalogue that is asked, also after another one', () => {
  const card = fakeCard({ id: 'a' });
  const one = { models: [{ provider: 'p', card }], aliases: {} } as unknown as Catalogue;
  const other = { ...one, models: [{ provider: 'q', card }] };
  expect(modelsNamed('a', one)).toEqual(one.models);
  expect(modelsNamed('a', other)).toEqual(other.models);
  expect(modelsNamed('p/a', other)).toEqual([]);
});
