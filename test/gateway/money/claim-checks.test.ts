/** What a provider bills for a prompt, beside what its own free endpoint counts. */
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/core/config.ts';
import type { GatewayEvent } from '../../../src/core/gateway.ts';
import type { Attempt } from '../../../src/core/model/model.ts';
import { fakeProvider, finish } from '../../../src/testing/fakes.ts';
import { harness, text, user } from '../harness.ts';

const DAY_MS = 86_400_000;

function world(claims: Config['claims'], claimed: number, count: (attempt: Attempt) => Promise<number>) {
  const asked: Attempt[] = [];
  const events: GatewayEvent[] = [];
  const made = harness({
    providers: (runtime) => [
      {
        ...fakeProvider({ runtime, script: () => [text('ok'), finish({ usage: { input: claimed, output: 1 } })] }),
        countTokens: (attempt) => {
          asked.push(attempt);
          return count(attempt);
        },
      },
    ],
    config: claims === undefined ? {} : { claims },
  });
  made.gateway.onEvent?.((event) => {
    if (event.type === 'claim-differs') events.push(event);
  });
  const ask = async (): Promise<void> => {
    await made.run(made.gateway.generate(user('How many?')));
    await made.runtime.clock.advance(0);
  };
  return { ...made, asked, events, ask };
}

describe('claims of providers', () => {
  it('are not checked unless the config asks for it', async () => {
    const { ask, asked } = world(undefined, 500, async () => 100);
    await ask();
    expect(asked).toEqual([]);
  });

  it('are told where they differ, once a day for a model, and not within the tolerance', async () => {
    const { ask, events, runtime } = world({ share: 1 }, 500, async () => 100);
    await ask();
    await ask();
    expect(events).toMatchObject([{ what: 'fake/one', claimed: 500, counted: 100 }]);
    await runtime.clock.advance(DAY_MS);
    await ask();
    expect(events).toHaveLength(2);
    const near = world({ share: 1 }, 120, async () => 100);
    await near.ask();
    expect(near.asked).toHaveLength(1);
    expect(near.events).toEqual([]);
    const strict = world({ share: 1, tolerance: 0.01 }, 120, async () => 100);
    await strict.ask();
    expect(strict.events).toHaveLength(1);
  });

  it('are checked for a share of the answers', async () => {
    const { ask, asked } = world({ share: 0.2 }, 10, async () => 10);
    for (let call = 0; call < 100; call += 1) await ask();
    expect(asked.length).toBeGreaterThan(8);
    expect(asked.length).toBeLessThan(35);
  });

  it('cost the caller nothing where the endpoint fails or hangs, and leave no timer', async () => {
    const failing = world({ share: 1 }, 500, () => Promise.reject(new Error('down')));
    await failing.ask();
    expect(failing.events).toEqual([]);
    const hanging = world(
      { share: 1 },
      500,
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    );
    // Without the clock, by which the questions would end.
    await Promise.all(Array.from({ length: 10 }, () => hanging.gateway.generate(user('How many?'))));
    expect(hanging.asked).toHaveLength(4);
    await hanging.runtime.clock.advance(10_000);
    await hanging.gateway.generate(user('How many?'));
    expect(hanging.asked).toHaveLength(5);
    await hanging.gateway.close();
    await hanging.runtime.clock.advance(0);
    expect(hanging.runtime.clock.pending()).toBe(0);
  });
});
