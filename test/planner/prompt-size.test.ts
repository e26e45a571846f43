import { describe, expect, it } from 'vitest';
import type { Tool } from '../../src/core/plugin.ts';
import { estimateTokens } from '../../src/kit/models/tokens.ts';
import { promptParts, systemText } from '../../src/planner/prompt.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { fakeCard, fakeProvider } from '../../src/testing/index.ts';

const FIELDS = ['general', 'code', 'reasoning', 'tools', 'multilingual', 'vision', 'creative', 'grounding'];
const TIERS = ['fast', 'balanced', 'premium'] as const;

/** A pool as of many providers: 60 models with figures in every field. */
const POOL = Array.from({ length: 60 }, (_, index) =>
  fakeCard({
    id: `model-${index}-of-the-${2020 + (index % 7)}-family`,
    tier: TIERS[index % 3] ?? 'fast',
    capabilities: ['text', 'planning', 'image-in', 'file-in'],
    strengths: Object.fromEntries(FIELDS.map((field, at) => [field, 0.5 + ((index * 7 + at * 13) % 50) / 100])),
    price: { input: 0.1 * (index + 1), output: 0.4 * (index + 1) },
  }),
);

const WORK = [
  'invoice',
  'contact',
  'ticket',
  'shipment',
  'contract',
  'payment',
  'report',
  'calendar',
  'order',
  'survey',
];
const VERBS = ['find', 'create', 'update', 'archive', 'export', 'share', 'approve', 'compare', 'merge', 'translate'];

/** Tools as people write them: three to five inputs, some explained, typed outputs. */
const toolsOf = (count: number): readonly Tool[] =>
  Array.from({ length: count }, (_, index) => {
    const what = WORK[Math.floor(index / VERBS.length) % WORK.length];
    const verb = VERBS[index % VERBS.length];
    const round = Math.floor(index / 100);
    return {
      name: `${verb}_${what}${round === 0 ? '' : round}`,
      description: `Will ${verb} one ${what} in the back office by its number, and says which version it has then.`,
      input: {
        type: 'object',
        properties: {
          number: { type: 'string', description: `The number of the ${what}, such as 2026-0042.` },
          fields: { type: 'array', items: { type: 'string' } },
          state: { type: 'string', enum: ['open', 'closed', 'waiting'] },
          note: { type: 'string' },
        },
        required: ['number'],
      },
      output: { type: 'object', properties: { number: { type: 'string' }, version: { type: 'integer' } } },
      sideEffects: index % 3 === 1,
      run: async () => ({}),
    } satisfies Tool;
  });

async function withCatalogue<T>(
  tools: number,
  use: (catalogue: ReturnType<Awaited<ReturnType<typeof createPolyphony>>['catalogue']>) => T,
): Promise<T> {
  const polyphony = await createPolyphony({
    environment: false,
    providers: [fakeProvider({ id: 'many', models: POOL })],
    plugins: [{ name: 'office', tools: toolsOf(tools) }],
  });
  try {
    return use(polyphony.catalogue());
  } finally {
    await polyphony.close();
  }
}

const REQUEST = 'Find the invoice 2026-0042, compare it with the contract and write a letter to the customer';

describe('the message to a planner', () => {
  it.each([
    [0, 2500],
    [13, 2500],
    [20, 2500],
    [60, 4000],
    [200, 4000],
  ])('with %i tools beside the default ones and 60 models takes less than %i tokens', async (count, most) => {
    await withCatalogue(count, (catalogue) => {
      const parts = promptParts(REQUEST, catalogue);
      expect(estimateTokens(systemText(parts))).toBeLessThan(most);
      for (const { text, tokens } of parts) expect(tokens).toBe(estimateTokens(text));
      expect(parts.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['rules', 'advice', 'steps', 'models', 'run', 'tools', 'examples']),
      );
    });
  });

  it('names every step and every tool of up to 40, with its inputs', async () => {
    await withCatalogue(30, (catalogue) => {
      const text = systemText(promptParts(REQUEST, catalogue));
      for (const step of catalogue.steps.values()) {
        if (step.forPlanner === false || ['image', 'embed', 'moderate', 'rerank', 'llm'].includes(step.use)) continue;
        const line = text.split('\n').find((one) => one.startsWith(`${step.use}(`)) ?? '';
        for (const name of Object.keys((step.input as { properties?: object }).properties ?? {}))
          expect(line).toContain(name);
      }
    });
  });

  it('shows no step that no registered model can serve, in no example either', async () => {
    const providers = [fakeProvider({ models: [fakeCard({ id: 'words' })] })];
    const polyphony = await createPolyphony({ providers, environment: false });
    const text = systemText(promptParts('Make a picture of a cat', polyphony.catalogue()));
    expect(text).toContain('"use":"llm"');
    for (const use of ['image', 'rerank', 'moderate'])
      expect(text).not.toMatch(new RegExp(`"use":"${use}"|^${use}\\(`, 'm'));
    await polyphony.close();
  });
});
