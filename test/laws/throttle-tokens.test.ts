/** Law: a limit on tokens is kept by what the provider counts, also where that is far from our own estimate. */
import { expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { Attempt, ModelEvent } from '../../src/core/model/model.ts';
import type { Provider, ProviderContext } from '../../src/core/model/provider.ts';
import { needsOf } from '../../src/gateway/calls/requirements.ts';
import type { GatewayPlugin } from '../../src/gateway/gateway-plugin.ts';
import { parseRateLimits } from '../../src/kit/http/rate-limits.ts';
import { sleep } from '../../src/system/clock.ts';
import { fakeCard, finish } from '../../src/testing/fakes.ts';
import { harness, text } from '../gateway/harness.ts';

const LIMIT = 20_000;
const PERIOD_MS = 10_000;
const ANSWER = 50;
const request = { messages: [{ role: 'user', content: 'word '.repeat(400) }], maxOutputTokens: ANSWER } as const;

/** Counts so many tokens for one of our own estimate, and refuses what its window cannot take. With plugins it states no usage. */
function counting(ratio: number, concurrency = 64, plugins?: readonly GatewayPlugin[]) {
  const state = { refused: 0, tokens: 0 };
  const made = harness({
    ...(plugins && { plugins }),
    config: { retry: { retries: 0 }, breaker: { rateLimits: 1000 }, concurrency: { fake: concurrency } },
    providers({ clock }) {
      let left = LIMIT;
      let since = clock.now();
      async function* stream(attempt: Attempt, context: ProviderContext): AsyncGenerator<ModelEvent> {
        if (clock.now() - since >= PERIOD_MS) {
          since += PERIOD_MS * Math.floor((clock.now() - since) / PERIOD_MS);
          left = LIMIT;
        }
        const input = Math.round(ratio * needsOf(attempt.request).size.roughTokens);
        state.tokens = input + ANSWER;
        const fits = left >= state.tokens;
        if (fits) left -= state.tokens;
        else state.refused += 1;
        const headers = {
          'x-ratelimit-limit-tokens': String(LIMIT),
          'x-ratelimit-remaining-tokens': String(left),
          'x-ratelimit-reset-tokens': `${since + PERIOD_MS - clock.now()}ms`,
        };
        await sleep(clock, 25, attempt.signal);
        context.report({ rateLimits: parseRateLimits(headers, clock.now()) });
        if (!fits) throw new PolyphonyError('rate-limited', 'too many tokens');
        yield text('a');
        yield finish({ usage: { input: plugins === undefined ? input : 0, output: ANSWER } });
      }
      const provider: Provider = { id: 'fake', models: [fakeCard({ id: 'one' })], stream };
      return [provider];
    },
  });
  return Object.assign(state, made);
}

it.each([1, 3])('sends no more than the window takes: %d tokens for one of our own', async (ratio) => {
  const here = counting(ratio);
  const { clock } = here.runtime;
  for (let call = 0; call < 60; call += 1) await here.run(Promise.allSettled([here.gateway.generate(request)]));
  await clock.advance(2 * PERIOD_MS);
  here.refused = 0;
  const began = clock.now();
  const calls = Array.from({ length: 60 }, () => here.gateway.generate(request));
  await here.run(Promise.all(calls));
  expect(here.refused).toBe(0);
  // And it is used: no more than a quarter of each window is left over.
  const windows = (60 * here.tokens) / LIMIT;
  expect(clock.now() - began).toBeLessThanOrEqual((Math.ceil(windows / 0.75) + 1) * PERIOD_MS);
});

it('has learned from the first answer what the provider counts', async () => {
  const here = counting(3);
  await here.run(here.gateway.generate(request));
  await here.run(Promise.all(Array.from({ length: 60 }, () => here.gateway.generate(request))));
  expect(here.refused).toBe(0);
});

it.each([1, 3])(
  'weighs what waits and what is on its way anew once it has learned: %d tokens for one',
  async (ratio) => {
    const here = counting(ratio, 4);
    const { clock } = here.runtime;
    const began = clock.now();
    await here.run(Promise.all(Array.from({ length: 60 }, () => here.gateway.generate(request))));
    expect(here.refused).toBe(0);
    const windows = (60 * here.tokens) / LIMIT;
    expect(clock.now() - began).toBeLessThanOrEqual((Math.ceil(windows / 0.75) + 1) * PERIOD_MS);
  },
);

it('keeps the limit of an endpoint that states no usage where a plugin counts as it does', async () => {
  const tokenizers = { one: (piece: string) => (3 * piece.length) / 4 };
  const here = counting(3, 64, [{ name: 'counts', tokenizers }]);
  await here.run(here.gateway.generate(request));
  await here.run(Promise.all(Array.from({ length: 60 }, () => here.gateway.generate(request))));
  expect(here.refused).toBe(0);
});
