/**
 * `npm run recordings [-- --index <file> --data <folder> --json]`: every recording against every adapter that we have.
 * What has no adapter or no file disagrees.
 * Exit codes: 0 all agree, 1 one does not, 2 the index cannot be read.
 */
import { scriptWords } from '../../scripts/script-words.ts';
import { createTransport } from '../../src/gateway/transport/transport.ts';
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
  total: number;
  agree: number;
  readonly disagree: Disagreement[];
}

const FIXTURES_AT_ONCE = 16;

async function checkAll(
  fixtures: readonly Fixture[],
  server: ReplayServer,
  data: string | undefined,
): Promise<ReadonlyMap<string, Tally>> {
  const tallies = new Map<string, Tally>();
  const transport = createTransport();
  const waiting = fixtures.values();
  const worker = async (): Promise<void> => {
    for (const fixture of waiting) {
      const protocol = String(fixture.protocol);
      const tally = tallies.get(protocol) ?? { total: 0, agree: 0, disagree: [] };
      tallies.set(protocol, tally);
      tally.total += 1;
      const found = await checkFixture(fixture, server, transport, { data });
      if (found === undefined) tally.agree += 1;
      else tally.disagree.push(found);
    }
  };
  await Promise.all(Array.from({ length: FIXTURES_AT_ONCE }, worker));
  await transport.close();
  return tallies;
}

function print(tallies: ReadonlyMap<string, Tally>): void {
  for (const [protocol, { total, agree, disagree }] of [...tallies].sort()) {
    console.log(`${protocol.padEnd(24)} ${agree} of ${total} agree`);
    for (const { id, variant, field, expected, got } of disagree) {
      const short = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 200);
      console.log(`  ${id} (${variant})\n    ${field}: expected ${short(expected)}, got ${short(got)}`);
    }
  }
  console.log(`Each recording was sent in ${VARIANTS.length} ways.`);
}

/** `{ protocol: { total, agree, disagree: [{ id, field, expected, got, variant }] } }`; what is nothing is null. */
function json(tallies: ReadonlyMap<string, Tally>): string {
  const nothing = (_key: string, value: unknown): unknown => (value === undefined ? null : value);
  return JSON.stringify(Object.fromEntries([...tallies].sort()), nothing);
}

async function main(): Promise<number> {
  const { values } = scriptWords(import.meta.filename, {
    options: { index: { type: 'string' }, data: { type: 'string' }, json: { type: 'boolean' } },
  });
  if (!haveRecordings) {
    console.error(`There are no recordings at ${RECORDINGS}: set POLYPHONY_SHARED to the folder that holds them.`);
    // Only what lies where it always lies may be absent.
    return values.index === undefined ? 0 : 2;
  }
  const fixtures = readIndex(values.index);
  const server = await startReplay(values.data);
  const tallies = await checkAll(fixtures, server, values.data);
  await server.stop();
  if (values.json === true) console.log(json(tallies));
  else print(tallies);
  return [...tallies.values()].some(({ disagree }) => disagree.length > 0) ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(String(error));
  process.exitCode = 2;
}
