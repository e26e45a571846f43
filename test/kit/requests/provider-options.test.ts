import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeFields, withProviderOptions } from '../../../src/kit/requests/provider-options.ts';

const target = { target: { provider: 'acme', model: 'm' } };

describe('provider options', () => {
  it('are those of the provider that is asked', () => {
    const body = { a: 1 };
    expect(withProviderOptions(body, { providerOptions: { other: { a: 2 } } }, target)).toBe(body);
    expect(withProviderOptions(body, { providerOptions: { acme: { a: 2 } } }, target)).toEqual({ a: 2 });
    expect(withProviderOptions(body, {}, target)).toBe(body);
  });

  it('are merged into objects at every depth', () => {
    const body = { deep: { deeper: { ours: 1, both: 2 }, flat: 3 } };
    const merged = mergeFields(body, { deep: { deeper: { both: 4, theirs: 5 } } });
    expect(merged).toEqual({ deep: { deeper: { ours: 1, both: 4, theirs: 5 }, flat: 3 } });
    expect(body).toEqual({ deep: { deeper: { ours: 1, both: 2 }, flat: 3 } });
  });

  it('are appended to lists, without repeating texts', () => {
    const merged = mergeFields(
      { tools: [{ name: 'a' }], include: ['x'] },
      { tools: [{ name: 'a' }], include: ['y', 'x'] },
    );
    expect(merged).toEqual({ tools: [{ name: 'a' }, { name: 'a' }], include: ['x', 'y'] });
  });

  it('take the place of anything else', () => {
    const merged = mergeFields({ a: [1], b: { c: 1 }, d: 2, e: 3 }, { a: { x: 1 }, b: 'text', d: null, e: undefined });
    expect(JSON.parse(JSON.stringify(merged))).toEqual({ a: { x: 1 }, b: 'text', d: null });
  });

  it('change nothing that objects inherit', () => {
    const merged = mergeFields({ a: {} }, JSON.parse('{"__proto__":{"x":1},"a":{"__proto__":{"x":1}},"toString":1}'));
    expect((merged as { x?: unknown }).x).toBeUndefined();
    expect((merged.a as { x?: unknown }).x).toBeUndefined();
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  });

  it('keep every field that they do not name', () => {
    const object = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.jsonValue({ maxDepth: 3 }));
    fc.assert(
      fc.property(object, object, (body, options) => {
        const merged = mergeFields(body, options);
        for (const [name, value] of Object.entries(body)) {
          if (!Object.hasOwn(options, name)) expect(merged[name]).toBe(value);
        }
        for (const name of Object.keys(options)) expect(Object.hasOwn(merged, name)).toBe(true);
      }),
    );
  });
});
