/**
 * `npm run recordings [-- --index <file> --data <folder> --json]`: every recording against every adapter that we have.
 * Fails where one disagrees; protocols without an adapter are named.
 */
import { parseArgs } from 'node:util';
import { createTransport } from '../../src/gateway/transport.ts';
import { ADAPTERS } from './adapters.ts';
import {
  checkFixture,
  type Disagreement,
  type Fixture,
  haveRecordings,
  RECORDINGS,
  type ReplayServer,
  readIndex,
  startReplay,
  VARIANTS,
} from './runner.ts';

interface Tally {
  readonly total: number;
  agree: number;
  readonly disagree: Disagreement[];
  readonly adapter: boolean;
}

const AT_ONCE = 16;

async function checkAll(fixtures: readonly Fixture[], server: ReplayServer): Promise<ReadonlyMap<string, Tally>> {
  const tallies = new Map<string, Tally>();
  for (const { protocol } of fixtures) {
    const total = (tallies.get(protocol)?.total ?? 0) + 1;
    tallies.set(protocol, { total, agree: 0, disagree: [], adapter: Object.hasOwn(ADAPTERS, protocol) });
  }
  const transport = createTransport();
  const waiting = fixtures.filter(({ protocol }) => Object.hasOwn(ADAPTERS, protocol));
  const worker = async (): Promise<void> => {
    for (let fixture = waiting.shift(); fixture !== undefined; fixture = waiting.shift()) {
      const tally = tallies.get(fixture.protocol);
      const found = await checkFixture(fixture, server, transport);
      if (tally !== undefined && found === undefined) tally.agree += 1;
      else if (found !== undefined) tally?.disagree.push(found);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await transport.close();
  return tallies;
}

function print(tallies: ReadonlyMap<string, Tally>): void {
  for (const [protocol, { total, agree, disagree, adapter }] of [...tallies].sort()) {
    console.log(`${protocol.padEnd(24)} ${adapter ? `${agree} of ${total} agree` : `${total}: no adapter`}`);
    for (const { id, variant, field, expected, got } of disagree) {
      const short = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 200);
      console.log(`  ${id} (${variant})\n    ${field}: expected ${short(expected)}, got ${short(got)}`);
    }
  }
  console.log(`Each recording was sent in ${VARIANTS.length} ways.`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { index: { type: 'string' }, data: { type: 'string' }, json: { type: 'boolean' } },
  });
  if (!haveRecordings) {
    console.log(`There are no recordings at ${RECORDINGS}: set POLYPHONY_SHARED to the folder that holds them.`);
    return 0;
  }
  const server = await startReplay(values.data);
  const tallies = await checkAll(readIndex(values.index), server);
  await server.stop();
  if (values.json === true) console.log(JSON.stringify(Object.fromEntries(tallies)));
  else print(tallies);
  return [...tallies.values()].some(({ disagree }) => disagree.length > 0) ? 1 : 0;
}

process.exitCode = await main();
