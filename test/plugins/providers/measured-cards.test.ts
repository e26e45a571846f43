/** The cards of all vendors against the catalogue of measured facts. */
import type { ModelCard, Provider, Tier } from 'polyphony';
import { describe, expect, it } from 'vitest';
import { anthropic } from '../../../plugins/providers/anthropic.ts';
import { bedrock } from '../../../plugins/providers/bedrock.ts';
import { cohere } from '../../../plugins/providers/cohere.ts';
import { deepseek } from '../../../plugins/providers/deepseek.ts';
import { fal } from '../../../plugins/providers/fal.ts';
import { google } from '../../../plugins/providers/google.ts';
import { googleVertex } from '../../../plugins/providers/google-vertex.ts';
import { groq } from '../../../plugins/providers/groq.ts';
import { mistral } from '../../../plugins/providers/mistral.ts';
import { openai } from '../../../plugins/providers/openai.ts';
import { openrouter } from '../../../plugins/providers/openrouter.ts';
import { perplexity } from '../../../plugins/providers/perplexity.ts';
import { qwen } from '../../../plugins/providers/qwen.ts';
import { replicate } from '../../../plugins/providers/replicate.ts';
import { stability } from '../../../plugins/providers/stability.ts';
import { together } from '../../../plugins/providers/together.ts';
import { xai } from '../../../plugins/providers/xai.ts';
import { hostFacts, knownModel, modelCatalogue } from '../../../src/kit/models/model-catalogue.ts';
import { isApart } from '../../../src/kit/models/strengths.ts';

const makers = [anthropic, bedrock, cohere, deepseek, google, groq, mistral, openai, openrouter, qwen, together, xai];
const providers: readonly Provider[] = [
  ...makers.map((make) => make({ apiKey: 'k' })),
  googleVertex({ accessToken: async () => 't', project: 'p' }),
];
const listed = providers.flatMap(({ id, models }) => models.map((card) => ({ name: `${id}/${card.id}`, id, card })));

const pictures: readonly Provider[] = [fal, perplexity, replicate, stability].map((make) => make({ apiKey: 'k' }));
const all = [...providers, ...pictures].flatMap(({ id, models }) => models.map((card) => ({ provider: id, card })));

describe('what cards say of keeping requests', () => {
  it('is what the page of the vendor says, and unknown where none says it', () => {
    const said = all.map(({ provider, card }) => [`${provider}/${card.id}`, card.retention]);
    const known = all.map(({ provider, card }) => [
      `${provider}/${card.id}`,
      hostFacts(provider, card.id).retention?.keeps ?? 'unknown',
    ]);
    expect(Object.fromEntries(said)).toEqual(Object.fromEntries(known));
  });

  it('is nothing good of a model that the page does not name', () => {
    const kept = (id: string) => hostFacts('bedrock', id).retention;
    expect(kept('global.anthropic.claude-opus-5')?.keeps).toBe('none');
    expect(kept('global.anthropic.claude-fable-5-1')).toMatchObject({ keeps: 'provider', days: 30 });
    expect(kept('global.anthropic.claude-fable-5-2')).toBeUndefined();
    expect(hostFacts('nobody', 'x')).toEqual({});
    for (const id of ['us.anthropic.claude-fable-5-1', 'amazon.titan-embed-text-v1']) {
      expect(bedrock({ apiKey: 'k' }).unlisted?.(id)?.retention).toBe('unknown');
    }
  });
});

it("the price of a card is its vendor's or a public list's, or says that it is assumed", () => {
  const LISTS = /^@pydantic\/genai-prices|by LiteLLM and models\.dev|, assumed$|: assumed$/;
  const VENDORS =
    /^https:\/\/([a-z-]+\.)*(claude\.com|openai\.com|google\.dev|aws\.amazon\.com|cohere\.com|deepseek\.com|groq\.com|x\.ai|replicate\.com|alibabacloud\.com)\//;
  const others = all.flatMap(({ card: { id, price } }) => {
    const source = price?.source ?? '';
    return price === null || LISTS.test(source) || VENDORS.test(source) ? [] : [`${id}: ${source}`];
  });
  expect(others).toEqual([]);
});

describe('the dates of cards', () => {
  it.each(listed.map(({ name, card }) => [name, card] as const))('%s ends when its vendor says', (name, card) => {
    const facts = modelCatalogue().cards[name]?.lifecycle;
    if (facts === undefined) return;
    expect(card.lifecycle?.endsOn).toBe(facts.endsOn);
    if (facts.stage === 'retired') expect(card.lifecycle?.stage).toBe('retired');
    else expect(card.lifecycle?.stage).not.toBe('retired');
  });

  it('are those of a card that exists', () => {
    const names = new Set(
      listed.flatMap(({ id, card }) => [card.id, ...(card.aliases ?? [])].map((n) => `${id}/${n}`)),
    );
    const vendors = new Set(providers.map(({ id }) => id));
    const lost = Object.keys(modelCatalogue().cards).filter((name) => vendors.has(name.split('/')[0] ?? ''));
    expect(lost.filter((name) => !names.has(name))).toEqual([]);
  });
});

describe('tiers', () => {
  const RANK: Readonly<Record<Tier, number>> = { fast: 0, balanced: 1, premium: 2 };
  const measured = (id: string, card: ModelCard): number | undefined => {
    const fields = Object.entries(knownModel(id, card.id)?.facts?.strengths ?? {}).filter(([field]) => !isApart(field));
    return fields.length < 3 ? undefined : fields.reduce((sum, [, { value }]) => sum + value, 0) / fields.length;
  };

  it('follow the data: at most one pair of cards in twelve stands the wrong way round', () => {
    const rated = listed.flatMap(({ id, card }) => {
      const value = card.operations.includes('chat') ? measured(id, card) : undefined;
      return value === undefined ? [] : [{ tier: RANK[card.tier], value }];
    });
    let pairs = 0;
    let wrong = 0;
    for (const low of rated) {
      for (const high of rated) {
        if (low.tier >= high.tier) continue;
        pairs += 1;
        if (low.value > high.value) wrong += 1;
      }
    }
    expect(pairs).toBeGreaterThan(1000);
    expect(wrong / pairs).toBeLessThan(1 / 12);
  });
});
