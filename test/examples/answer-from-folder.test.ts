/** The plan that searches a folder, where a provider embeds: the same plan, ranked by words and meaning. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fakeCard, fakeProvider, finish } from 'polyphony/testing';
import { expect, it } from 'vitest';
import type { ChatRequest } from '../../src/core/model/model.ts';
import { createPolyphony } from '../../src/index.ts';

const plan = resolve(import.meta.dirname, '../../examples/plans/answer-from-folder.plan.json');

/** Two directions of meaning: what is about cards, and the rest. */
const vectorOf = (text: string): number[] => (/\bcard\b|badge/i.test(text) ? [1, 0] : [0, 1]);

it('answer-from-folder.plan.json finds by meaning what has no word of the question', async () => {
  const embedder = fakeCard({ id: 'embedder', operations: ['embed'] });
  const provider = fakeProvider({
    models: [fakeCard({ id: 'one' }), embedder],
    script: ({ request }) => {
      if (request.operation === 'embed') {
        const vectors = request.input.map(vectorOf);
        return [{ type: 'output', output: { operation: 'embed', vectors } }, finish()];
      }
      const { content } = (request as ChatRequest).messages.at(-1) ?? {};
      const text = JSON.stringify(content);
      return /three euros/.test(text) ? 'Three euros [1].' : 'It is not said.';
    },
  });
  const polyphony = await createPolyphony({ providers: [provider] });
  const { plan: valid, issues } = await polyphony.validate(readFileSync(plan, 'utf8'));
  expect(issues).toEqual([]);
  if (valid === undefined) throw new Error('the plan is not valid');
  const result = await (await polyphony.start(valid, { question: 'badge gone' })).result();
  expect(result.error).toBeUndefined();
  expect(result.output).toMatchObject({ answer: 'Three euros [1].', ranking: 'hybrid' });
  expect((result.output as { sources: string[] }).sources[0]).toBe('examples/material/handbook/membership.txt:1-5');
  await polyphony.close();
});
