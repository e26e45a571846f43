import { createPolyphony } from 'polyphony';
import { fakeCard, fakeProvider } from 'polyphony/testing';
import { describe, expect, it } from 'vitest';
import { openaiTokens } from '../../../plugins/tokenizers/openai-tokens.ts';

/** Counts of o200k_base that the vendor's cookbook shows for tiktoken ("How to count tokens"). */
const KNOWN: readonly (readonly [string, number])[] = [
  ['hello world', 2],
  ['antidisestablishmentarianism', 6],
  ['2 + 2 = 4', 7],
  ['お誕生日おめでとう', 8],
];

async function counter(models?: readonly string[]) {
  const parts = await openaiTokens(models && { models }).setup?.({} as never);
  return parts?.tokenizers ?? {};
}

describe('openai-tokens', () => {
  it('counts as the published encoding does', async () => {
    const count = (await counter())['gpt-4o*'];
    expect(KNOWN.map(([text]) => [text, count?.(text)])).toEqual(KNOWN);
  });

  it('takes what looks like a special token as text', async () => {
    const count = (await counter(['m'])).m;
    expect(count?.('<|endoftext|>')).toBeGreaterThan(1);
  });

  it.each([['gpt-4o*'], [[]], [['']], [[4]]])('refuses %j as names of models, and says what to give', (models) => {
    expect(() => openaiTokens({ models: models as never })).toThrow(
      expect.objectContaining({
        code: 'invalid-config',
        message: expect.stringContaining('give a list of one or more names'),
      }),
    );
  });

  it('decides what an answer is expected to cost', async () => {
    const models = [fakeCard({ id: 'gpt-4o-mini', price: { input: 1, output: 0 } })];
    const polyphony = await createPolyphony({ plugins: [openaiTokens()], providers: [fakeProvider({ models })] });
    const messages = [{ role: 'user', content: 'お誕生日おめでとう'.repeat(100) }] as const;
    const [first] = polyphony.gateway.explain({ operation: 'chat', messages }).candidates;
    // 800 tokens, and 12 for the message and the request.
    expect(first?.estimatedNanoUsd).toBe(812_000);
    await polyphony.close();
  });
});
