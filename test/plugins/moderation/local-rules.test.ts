import { describe, expect, it } from 'vitest';
import { localRules } from '../../../plugins/moderation/moderation.ts';

const rules = localRules({
  rules: [
    { category: 'violence', terms: ['kill', 'blow up'], except: ['kill the process', 'do not kill'] },
    { category: 'secrets', terms: ['codename*', '秘密'] },
  ],
});

describe('local rules', () => {
  const found = (text: string) =>
    [
      ...(rules.classify(text, { before: '' } as never) as readonly {
        category: string;
        start?: number;
        end?: number;
      }[]),
    ].map(({ category, start, end }) => `${category}:${text.slice(start, end)}`);

  it('finds words and phrases, whatever their case, accents, spaces and invisible characters', () => {
    expect(found('KILL')).toEqual(['violence:KILL']);
    expect(found('They blow\n  UP it')).toEqual(['violence:blow\n  UP']);
    expect(found('k\u200bi\u0301ll')).toEqual(['violence:k\u200bi\u0301ll']);
    expect(found('Codenames and codenamed')).toEqual(['secrets:Codenames', 'secrets:codenamed']);
    expect(found('これは秘密です')).toEqual(['secrets:秘密']);
  });

  it('leaves parts of words and excused phrases alone', () => {
    expect(found('skill, killjoy, blow it up')).toEqual([]);
    expect(found('kill the process; please do not kill')).toEqual([]);
    expect(found('kill the processor')).toEqual(['violence:kill']);
  });

  it('refuses terms without a word', () => {
    expect(() => localRules({ rules: [{ category: 'x', terms: ['!!'] }] })).toThrow(/0 words/);
    expect(() => localRules({ rules: [{ category: '', terms: ['a'] }] })).toThrow(/empty category/);
  });

  it('looks at no word more often than there are words in a rule', () => {
    let looks = 0;
    const counting = localRules({ rules: [{ category: 'x', terms: ['a a a a b'] }] });
    const text = 'a '.repeat(20_000);
    const normalize = String.prototype.normalize;
    try {
      String.prototype.normalize = function counted(this: string, ...form) {
        looks += 1;
        return normalize.apply(this, form);
      };
      counting.classify(text, { before: '' } as never);
    } finally {
      String.prototype.normalize = normalize;
    }
    expect(looks).toBe(20_000);
  });
});
