import { describe, expect, it } from 'vitest';
import { validate } from '../../src/validator/validate.ts';
import { judged } from './judged-plans.ts';
import { hasPublishedPlans, publishedCatalogue, publishedPlans } from './published-plans.ts';

/** Needs the folder of public plans (POLYPHONY_SHARED); skipped where it is absent. */
describe.skipIf(!hasPublishedPlans)('986 plans that two models wrote', () => {
  const all = hasPublishedPlans ? publishedCatalogue() : undefined;
  const results = hasPublishedPlans
    ? publishedPlans().map(({ model, plan }) => ({
        model,
        plan,
        asWritten: all && validate(plan, all, { repair: false }),
        repaired: all && validate(plan, all),
      }))
    : [];

  it('are read without a failure of our own', () => {
    expect(results).toHaveLength(986);
    const codes = results.flatMap(({ asWritten, repaired }) => [
      ...(asWritten?.issues ?? []),
      ...(repaired?.issues ?? []),
    ]);
    expect(codes.filter(({ code }) => code === 'validator.failed' || code.startsWith('shape.'))).toEqual([]);
  });

  it('are valid more often after repair, and never less', () => {
    const lost = results.filter(
      ({ asWritten, repaired }) => asWritten?.plan !== undefined && repaired?.plan === undefined,
    );
    expect(lost).toEqual([]);
    const valid = (kind: 'asWritten' | 'repaired') =>
      results.filter((result) => result[kind]?.plan !== undefined).length;
    expect(valid('repaired')).toBeGreaterThan(valid('asWritten') + 100);
  });

  it('are repaired as often as docs/decisions/validation-repairs.md says', () => {
    const silent = publishedCatalogue({});
    const quiet = results.map(({ plan }) => validate(plan, silent));
    const told = results.flatMap(({ repaired }) => repaired ?? []);
    const figures = (validations: readonly ReturnType<typeof validate>[]) => {
      const codes = validations.flatMap(({ repaired }) => repaired.map(({ code }) => code));
      const count = (wanted: string): number => codes.filter((code) => code === wanted).length;
      const valid = validations.filter(({ plan }) => plan !== undefined).length;
      return [valid, count('name.corrected'), count('reference.shifted'), count('node.moved')];
    };
    expect(results.filter(({ asWritten }) => asWritten?.plan !== undefined)).toHaveLength(371);
    expect(figures(told)).toEqual([488, 3, 276, 97]);
    expect(figures(quiet)).toEqual([379, 3, 0, 96]);
  });

  it('mean after repair what their models listed as links, at least as often as they bear a sign of it', () => {
    const all = publishedPlans().map((published) => judged(published, publishedCatalogue()));
    const repaired = all.filter(({ plan, repaired: repairs }) => plan !== undefined && repairs.length > 0);
    expect(all.filter(({ isAsLinked }) => isAsLinked).length / all.length).toBeGreaterThanOrEqual(0.34);
    expect(repaired.filter(({ unwritten }) => unwritten.length > 0).length / repaired.length).toBeLessThanOrEqual(0.05);
  });

  it('stay as they are where nothing is wrong, and nothing is said in words', () => {
    for (const { plan, asWritten, repaired } of results) {
      if (asWritten?.plan === undefined) continue;
      const codes = new Set(repaired?.repaired.map(({ code }) => code));
      if (codes.has('reference.rewritten')) continue;
      expect([...codes]).toEqual([]);
      expect(repaired?.plan?.plan).toEqual(plan);
    }
  });
});
