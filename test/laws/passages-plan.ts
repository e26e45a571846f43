/** The plan of the laws of passages, and a provider that embeds and says what it embedded. */
import type { Plan } from '../../src/core/plan/plan.ts';
import type { Plugin } from '../../src/core/plugin.ts';
import { fakeCard, fakeProvider, finish } from '../../src/testing/fakes.ts';

export const passagesPlan: Plan = {
  version: 1,
  input: { documents: 'any[]', question: 'string' },
  nodes: [
    { id: 'kept', use: 'tool:index', in: { index: 'notes', documents: '{{input.documents}}' } },
    { id: 'vectors', use: 'embed', in: { index: '{{kept.index}}', input: ['{{input.question}}'] } },
    {
      id: 'found',
      use: 'tool:search',
      in: {
        index: '{{kept.index}}',
        query: '{{input.question}}',
        queryVector: '{{vectors.vectors[0]}}',
        model: '{{vectors.model}}',
        top: 100,
      },
    },
  ],
  output: { hits: '{{found.hits}}', ranking: '{{found.ranking}}', embedded: '{{vectors.embedded}}' },
};

const vectorOf = (text: string): readonly number[] => [text.length, text.charCodeAt(0) || 0, 1];

/** A text costs 1000 nano-dollars. */
export const TEXT_COST = 1000;

/** `embedded` is told the texts of each call before it is answered, and fails the call by throwing. */
export function embedding(embedded: (texts: readonly string[]) => void): Plugin {
  const provider = fakeProvider({
    models: [fakeCard({ id: 'embedder', operations: ['embed'] })],
    script: ({ request }) => {
      if (request.operation !== 'embed') throw new Error('It only embeds.');
      embedded(request.input);
      const vectors = request.input.map(vectorOf);
      return [
        { type: 'output', output: { operation: 'embed', vectors } },
        finish({ usage: { input: request.input.length, output: 0 } }),
      ];
    },
  });
  return { name: 'embedding', providers: [provider] };
}
