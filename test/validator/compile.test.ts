import { describe, expect, it } from 'vitest';
import type { ValidPlan } from '../../src/core/plan/plan.ts';
import { validate } from '../../src/validator/validate.ts';
import { catalogue, TICKET } from './catalogue.ts';
import { ask, plan } from './fragments.ts';

const valid = (raw: unknown): ValidPlan => {
  const { plan: checked } = validate(raw, catalogue());
  if (checked === undefined) throw new Error('the plan of the test is not valid');
  return checked;
};

const hashOf = (checked: ValidPlan) => Object.getOwnPropertyDescriptor(checked, 'hash');

describe('the hash of a plan', () => {
  it('is a field like any other, also of a copy', () => {
    const checked = valid(TICKET);
    expect(Object.keys(checked)).toContain('hash');
    expect({ ...checked }.hash).toBe(checked.hash);
    expect(checked.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  // A getter of its own would give each plan a shape of its own, which holds the whole analysis until a full collection.
  it('is computed by one function for all plans, those that were repaired too', () => {
    const repaired = valid(plan(ask('a', 'x'), ask('b', '{{a.txet}}')));
    expect(repaired.repaired).toHaveLength(1);
    expect(hashOf(valid(TICKET))?.get).toBeTypeOf('function');
    expect(hashOf(valid(TICKET))?.get).toBe(hashOf(repaired)?.get);
    expect(repaired.hash).not.toBe(valid(TICKET).hash);
  });
});
