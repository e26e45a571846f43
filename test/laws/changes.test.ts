/** Changes of latency, refusals and scores are found, and rarely by mistake. */
import { describe, expect, it } from 'vitest';
import type { GatewayEvent } from '../../src/core/gateway.ts';
import { type Changes, createChanges } from '../../src/gateway/health/changes.ts';
import { fakeProvider, seededRandom } from '../../src/testing/fakes.ts';
import { fault, harness, user } from '../gateway/harness.ts';

const WEEK_MINUTES = 7 * 24 * 60;

/** Twenty calls a minute of each workflow, with latencies of a long tail. */
function simulated(seed: number) {
  const random = seededRandom(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let nowMs = 0;
  const events: GatewayEvent[] = [];
  const changes: Changes = createChanges(
    { monotonic: () => nowMs },
    { tell: (draft) => void events.push({ ...draft, at: nowMs } as GatewayEvent), listen: () => () => {} },
  );
  const minute = (workflow: string, factor = 1, refusals = 0.02, score = 0.7): void => {
    for (let call = 0; call < 20; call += 1) {
      nowMs += 3000;
      changes.take(workflow, 'latency', factor * Math.exp(7 + 0.8 * normal()));
      changes.take(workflow, 'refusals', random() < refusals ? 1 : 0);
      changes.take(workflow, 'quality', Math.min(1, Math.max(0, score + 0.2 * normal())));
    }
    nowMs += 1000;
  };
  return { events, minute };
}

describe('law: changes', () => {
  it('of nothing are told less than once a week, over four workflows', () => {
    const world = simulated(5);
    for (let workflow = 0; workflow < 4; workflow += 1) {
      for (let minute = 0; minute < WEEK_MINUTES; minute += 1) world.minute(`w${workflow}`);
    }
    expect(world.events.length).toBeLessThan(1);
  }, 60_000);

  it('of each figure are found within minutes, with what it was and what it is', () => {
    for (const [change, figure, up] of [
      [[2], 'latency', true],
      [[0.4], 'latency', false],
      [[1, 0.3], 'refusals', true],
      [[1, 0.02, 0.5], 'quality', false],
    ] as const) {
      const world = simulated(9);
      for (let minute = 0; minute < 300; minute += 1) world.minute('w');
      expect(world.events).toEqual([]);
      let took = 0;
      for (; took < 30 && world.events.length === 0; took += 1) world.minute('w', ...change);
      expect(took).toBeLessThan(15);
      const [event] = world.events;
      expect(event).toMatchObject({ type: 'change-detected', workflow: 'w', figure });
      if (event?.type === 'change-detected') expect(event.after > event.before).toBe(up);
    }
  });

  it('are looked for only where the config asks for it, by the tag of calls', async () => {
    for (const alerts of [false, true]) {
      let slow = 100;
      const { gateway, runtime } = harness({
        providers: (made) => [
          fakeProvider({
            runtime: made,
            script: () => [
              { waitMs: slow },
              { type: 'text-delta', text: 'a' },
              { type: 'finish', reason: 'stop', usage: { input: 1, output: 1 } },
            ],
          }),
        ],
        config: { health: { alerts } },
      });
      const told: GatewayEvent[] = [];
      gateway.onEvent?.((event) => told.push(event));
      const minute = async (): Promise<void> => {
        const calls = Array.from({ length: 21 }, () =>
          gateway.generate(user(), { scopes: [{ kind: 'tag', id: 'workflow=letters' }] }),
        );
        await runtime.clock.advance(60_000);
        await Promise.all(calls);
      };
      for (let count = 0; count < 50; count += 1) await minute();
      slow = 900;
      for (let count = 0; count < 8; count += 1) await minute();
      expect(told.map((event) => ('workflow' in event ? [event.workflow, event.figure] : event.type))).toEqual(
        alerts ? [['letters', 'latency']] : [],
      );
    }
  });

  it('count a refusal that comes as an error as one that comes as an answer', async () => {
    let refuses = false;
    let asked = 0;
    const { gateway, runtime } = harness({
      providers: (made) => [
        fakeProvider({
          runtime: made,
          script: () => (refuses && ++asked % 4 === 0 ? [fault('content-policy')] : 'ok'),
        }),
      ],
      config: { health: { alerts: true } },
    });
    const told: GatewayEvent[] = [];
    gateway.onEvent?.((event) => told.push(event));
    const minute = async (): Promise<void> => {
      const calls = Array.from({ length: 21 }, () => gateway.generate(user()).catch(() => undefined));
      await runtime.clock.advance(61_000);
      await Promise.all(calls);
      await gateway.generate(user()).catch(() => undefined);
    };
    for (let count = 0; count < 50; count += 1) await minute();
    refuses = true;
    for (let count = 0; count < 12; count += 1) await minute();
    expect(told).toMatchObject([{ type: 'change-detected', figure: 'refusals' }]);
  });
});
