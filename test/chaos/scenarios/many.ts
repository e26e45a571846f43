/** Many calls: outages, announced limits, slots, caps, connections that were kept. */
import { usdToNano } from '../../../src/core/money/money.ts';
import { ANSWER_NANO_USD } from '../judge.ts';
import { before, good, inTurn, part, slowly, status } from '../plays.ts';
import type { CallSettings, Scenario, Seen, World } from '../scenario.ts';
import type { Play } from '../servers.ts';

async function oneByOne(world: World, count: number, settings?: CallSettings): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  for (let at = 0; at < count; at += 1) seen.push(await world.call(settings));
  return seen;
}

const together = ({ begin, driver }: World, count: number, settings?: CallSettings): Promise<readonly Seen[]> =>
  driver.until(Promise.all(Array.from({ length: count }, () => begin(settings))), 600_000);

/** A different fault for each request, in a fixed order. */
const mixed: Play = (asked) => {
  const plays = [
    good(),
    status(503),
    part(1, 'reset'),
    good(),
    before('reset'),
    part(2, 'end'),
    slowly(200),
    before('stall'),
  ];
  return plays[(asked.number * 5) % plays.length]?.(asked);
};

export const MANY: readonly Scenario[] = [
  {
    name: 'outage-with-one-fallback',
    shows: 'in an outage every call is answered, and the dead target is not asked for each of them',
    first: status(503),
    async play(world) {
      const seen = await oneByOne(world, 30);
      world.expect(world.first.requests.length <= 15, `the dead target was asked ${world.first.requests.length} times`);
      return seen;
    },
    expect: { ending: 'failover' },
  },
  {
    name: 'silent-outage',
    shows: 'the same where the dead target says nothing, so that each try of it takes seconds',
    first: before('stall'),
    async play(world) {
      const seen = await oneByOne(world, 20);
      world.expect(
        world.first.requests.length <= 15,
        `the silent target was asked ${world.first.requests.length} times`,
      );
      return seen;
    },
    expect: { ending: 'failover' },
  },
  {
    name: 'recovery',
    shows: 'a target that is well again is used again',
    first: (asked) => (asked.atMs < 60_000 ? status(503)(asked) : good()(asked)),
    async play(world) {
      const during = await oneByOne(world, 20);
      await world.driver.until(new Promise<void>((resolve) => world.runtime.clock.schedule(120_000, resolve)), 200_000);
      const after = await oneByOne(world, 5);
      world.expect(after.at(-1)?.ending === 'answer', `after the outage calls end with ${after.at(-1)?.ending}`);
      return [...during, ...after];
    },
    expect: {},
  },
  {
    name: 'none-remaining',
    shows: 'a target that announces that nothing remains is not asked before its reset',
    first: good({
      'x-ratelimit-limit-requests': '10',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '20s',
    }),
    async play(world) {
      const seen = await together(world, 1);
      const more = await together(world, 5, { request: { limits: { ms: 5000 } } });
      world.expect(world.first.requests.length === 1, `it was asked ${world.first.requests.length} times`);
      return [...seen, ...more];
    },
    expect: {},
  },
  {
    name: 'slots-come-back',
    shows: 'calls that time out give their slots to those that wait',
    first: inTurn(before('stall'), before('stall'), good()),
    alone: true,
    config: { retry: { retries: 0 } },
    concurrency: 2,
    async play(world) {
      const seen = await together(world, 6);
      world.expect(seen.filter(({ ending }) => ending === 'answer').length === 4, 'not all others were answered');
      return seen;
    },
    expect: { withinMs: 12_000 },
  },
  {
    name: 'kept-connection-closed',
    shows: 'a kept connection that the server has closed meanwhile costs no call',
    async play(world) {
      const one = await world.call();
      world.first.dropIdle();
      await world.driver.quiet();
      return [one, await world.call()];
    },
    expect: { ending: 'answer', attempts: 1 },
  },
  {
    name: 'kept-connection-reset',
    shows: 'nor does one that the server closes in the moment of the request',
    first: (asked) => (asked.number === 2 ? before('close')(asked) : good()(asked)),
    resent: 1,
    play: (world) => oneByOne(world, 2),
    expect: { ending: 'answer' },
  },
  {
    name: 'cap-in-a-storm',
    shows: 'forty calls at once over targets that fail in every way never exceed their cap',
    first: mixed,
    second: mixed,
    async play(world) {
      const cap = usdToNano(0.004);
      const scopes = [
        { kind: 'tenant', id: 'payer', capNanoUsd: usdToNano(10) },
        { kind: 'user', id: 'storm', capNanoUsd: cap },
      ] as const;
      const seen = await together(world, 40, { request: { maxOutputTokens: 200 }, options: { scopes } });
      const spent = Number((await world.polyphony.stores.keyValue.get('budget:user:storm')) ?? 0);
      world.expect(spent <= cap, `the cap of ${cap} nano-dollars was exceeded: ${spent}`);
      world.expect(spent >= ANSWER_NANO_USD, 'nothing was spent');
      return seen;
    },
    expect: { withinMs: 120_000 },
  },
  {
    name: 'storm-by-shares',
    shows: 'a fifth of the attempts fails, by seed, and every call is answered',
    rules: [
      { share: 0.1, fault: { type: 'status', status: 503 } },
      { share: 0.1, fault: { type: 'reset' } },
      { share: 0.3, fault: { type: 'latency', ms: 150 } },
    ],
    config: { retry: { retries: 3, baseMs: 100, maxMs: 5000 } },
    play: (world) => together(world, 60),
    expect: { withinMs: 60_000 },
  },
  {
    name: 'one-model-only',
    shows: 'a rule for one provider leaves the other alone',
    rules: [{ provider: 'second', fault: { type: 'status', status: 500 } }],
    play: (world) => together(world, 10),
    expect: { ending: 'answer', attempts: 1 },
  },
];
