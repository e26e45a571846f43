/** Runs of plans whose nodes meet faults. */
import { before, good, part, status } from '../plays.ts';
import type { Scenario, World } from '../scenario.ts';
import { TEXT } from '../wires.ts';
import { SCOPE } from '../world.ts';

const planWith = (fields: object): object => ({
  version: 1,
  nodes: ['one', 'two', 'three'].map((id, at, all) => ({
    id,
    use: 'llm',
    in: { prompt: at === 0 ? 'Good day.' : `Go on: {{${all[at - 1]}.text}}` },
    model: { route: 'main' },
    ...fields,
  })),
  output: '{{three.text}}',
});

async function run(world: World, fields: object = {}, after?: (runId: string) => Promise<void>): Promise<void> {
  const { polyphony, driver } = world;
  const plan = planWith(fields) as Parameters<typeof polyphony.start>[0];
  const handle = await driver.until(polyphony.start(plan, {}, { scopes: [SCOPE] }), 60_000);
  const result = await driver.until(handle.result(), 600_000);
  if (after !== undefined) await after(handle.runId);
  else {
    world.expect(result.status === 'done', `the run is ${result.status}`);
    world.expect(result.status === 'done' && result.output === TEXT, 'the run has another output');
  }
}

export const RUNS: readonly Scenario[] = [
  {
    name: 'run-over-a-dead-target',
    shows: 'a run whose first target is dead is done by the other one',
    first: status(503),
    async play(world) {
      await run(world);
      return [];
    },
    expect: {},
  },
  {
    name: 'run-with-one-bad-node',
    shows: 'a rule for one node hits that node alone, and its run goes on',
    rules: [{ node: 'two', provider: 'first', fault: { type: 'stall' } }],
    async play(world) {
      await run(world);
      world.expect(
        world.first.requests.length === 2,
        `the first target was asked ${world.first.requests.length} times`,
      );
      world.expect(world.second.requests.length === 1, `the second was asked ${world.second.requests.length} times`);
      return [];
    },
    expect: {},
  },
  {
    name: 'run-with-broken-streams',
    shows: 'nodes that may be tried again start again where their answers break',
    first: part(2, 'reset'),
    async play(world) {
      await run(world, { limits: { retries: 1 } });
      return [];
    },
    expect: {},
  },
  {
    name: 'resume-after-an-outage',
    shows: 'a run that failed in an outage is resumed, and pays no finished node again',
    first: (asked) => (asked.number === 1 || asked.number > 6 ? good() : status(503))(asked),
    second: before('reset'),
    async play(world) {
      const { polyphony, driver } = world;
      await run(world, {}, async (runId) => {
        world.expect((await polyphony.runs.show(runId)).status === 'failed', 'the run did not fail in the outage');
        const asked = world.first.requests.length;
        await driver.until(new Promise<void>((resolve) => world.runtime.clock.schedule(120_000, resolve)), 200_000);
        for (let tries = 0; tries < 4; tries += 1) {
          const handle = await driver.until(polyphony.resume(runId), 60_000);
          if ((await driver.until(handle.result(), 600_000)).status === 'done') break;
        }
        world.expect((await polyphony.runs.show(runId)).status === 'done', 'the run is not done after the outage');
        const bodies = world.first.requests.slice(asked).map(({ body }) => body);
        world.expect(
          bodies.every((body) => body.includes('Go on')),
          'a finished node was asked again',
        );
      });
      return [];
    },
    expect: {},
  },
];
