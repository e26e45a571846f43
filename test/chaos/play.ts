/** Plays one scenario and judges it. */
import { judgeCall, judgeMoney, judgeRest } from './judge.ts';
import type { Played, Scenario, Seen } from './scenario.ts';
import { type OpenWorld, openWorld } from './world.ts';

const socketsOf = (): number => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;

export async function playScenario(scenario: Scenario): Promise<Played> {
  const problems: string[] = [];
  const sockets = socketsOf();
  let world: OpenWorld | undefined;
  let calls: readonly Seen[] = [];
  let costNanoUsd = 0;
  let attempts = 0;
  try {
    world = await openWorld(scenario, problems);
    calls = scenario.play === undefined ? [await world.call()] : await scenario.play(world);
    for (const seen of calls) judgeCall(seen, scenario, problems);
    await world.driver.quiet();
    await judgeMoney(world, scenario, problems);
    const rows = await world.rows();
    attempts = rows.length;
    costNanoUsd = rows.reduce((sum, row) => sum + (row.costNanoUsd ?? 0), 0);
    await judgeRest(world, problems);
  } catch (error) {
    problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    await world?.close();
  }
  await world?.driver.quiet();
  if (socketsOf() > sockets) problems.push('a socket is left when everything is closed');
  const endings = [...new Set(calls.map(({ ending }) => ending))];
  const ms = Math.max(0, ...calls.map((seen) => seen.ms));
  return { name: scenario.name, endings, ms, attempts, costNanoUsd, problems: [...new Set(problems)] };
}
