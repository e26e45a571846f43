/** The preferred length of an answer is a limit that every model can keep, and excludes none. */
import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../../src/core/model/model.ts';
import type { ModelCard } from '../../../src/core/model/provider.ts';
import { answerLimit, outputCeiling } from '../../../src/gateway/routing/estimate.ts';
import { fakeCard, fakeProvider } from '../../../src/testing/fakes.ts';
import { harness, user } from '../harness.ts';

const asked = (fields: Partial<ChatRequest> = {}): ChatRequest => ({
  operation: 'chat',
  ...user(),
  answerTokens: 4096,
  ...fields,
});
const card = (fields: Partial<ModelCard> = {}): ModelCard =>
  fakeCard({ id: 'm', contextTokens: 100_000, maxOutputTokens: 64_000, ...fields });
const reasons = { capabilities: ['text', 'reasoning'] } as const;

describe('the limit of an answer', () => {
  it.each<[string, Partial<ChatRequest>, Partial<ModelCard>, number | undefined]>([
    ['is the preferred length', {}, {}, 4096],
    ['has room for reasoning', {}, reasons, 4096 + 12_288],
    ['has less room at a low effort', { reasoning: { effort: 'low' } }, reasons, 8192],
    ['has more room at a high effort', { reasoning: { effort: 'high' } }, reasons, 32_768],
    ['has no room where reasoning is off', { reasoning: { effort: 'none' } }, reasons, 4096],
    ['has the room that the request names', { reasoning: { budgetTokens: 1000 } }, reasons, 5096],
    ['is never above the card', {}, { ...reasons, maxOutputTokens: 2000 }, 2000],
    ['gives way to a stated limit', { maxOutputTokens: 9000 }, {}, undefined],
    ['leaves room for the prompt', {}, { contextTokens: 4096 }, 4046],
    ['is left out where the window is nearly full', user('word '.repeat(790)), { contextTokens: 1024 }, undefined],
  ])('%s', (_what, request, fields, expected) => {
    const limit = answerLimit(asked(request), card(fields));
    if (expected === 4046) expect(limit).toSatisfy((value) => value > 3900 && value < 4096);
    else expect(limit).toBe(expected);
  });

  it('bounds what is reserved, and is what each model is sent', async () => {
    expect(outputCeiling(asked(), card())).toBe(4096);
    const provider = fakeProvider({ id: 'p', models: [card({ maxOutputTokens: 512 })], script: () => 'ok' });
    const made = harness({ providers: [provider] });
    await made.run(made.gateway.generate({ ...user(), answerTokens: 4096 }));
    await made.run(made.gateway.generate({ ...user(), answerTokens: 4096, maxOutputTokens: 100 }));
    await made.run(made.gateway.generate(user()));
    const sent = provider.seen.map(({ request }) => (request as ChatRequest).maxOutputTokens);
    expect(sent).toEqual([512, 100, undefined]);
  });
});
