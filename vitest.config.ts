import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Resolves the package's own name to its .ts files, so that a fresh clone runs without a build. */
const source = 'polyphony-source';
const conditions = [source, 'node', 'import', 'module', 'default'];
const report = process.env.POLYPHONY_TEST_REPORT;

/**
 * Rooms whose tests leave nothing behind that another would see: no server, no process and no state of a module. Their files
 * share what they import, because to load it again for each takes longer than most of them run. A helper that opens something
 * closes it with the test that asked (`onTestFinished`): hooks at the top of a helper run for the first file that imports it alone.
 */
const SHARED_ROOMS = [
  ...['core', 'kit', 'language', 'validator', 'workflow', 'drawing', 'simulation', 'runs', 'executor', 'runners'],
  ...['planner', 'gateway', 'laws', 'plugins'],
];
/** Files of these rooms that cannot share a process, and why. */
const APART: Readonly<Record<string, string>> = {
  'gateway/transport/transport-opening': 'stands in for a module, for everybody who has not loaded it yet',
  'laws/attempt-lines': 'stands in for a module, for everybody who has not loaded it yet',
  'laws/failing-store': 'takes every rejection of the process that nobody handles',
  'laws/listeners': 'takes every warning of the process',
  'laws/many-names': 'measures the heap',
  'plugins/providers/local-servers': 'has all modules loaded again',
  'plugins/providers/unlisted-prices': 'looks at what is not loaded yet',
};
const apart = Object.keys(APART).map((file) => `test/${file}.test.ts`);
const shared = SHARED_ROOMS.map((room) => `test/${room}/**/*.test.ts`);
const otherRooms = readdirSync(join(import.meta.dirname, 'test'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !SHARED_ROOMS.includes(entry.name))
  .map(({ name }) => `test/${name}/**/*.test.ts`);

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    // Tests that start processes of their own take many times longer on a busy machine; none waits for the clock.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    execArgv: [`--conditions=${source}`],
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    projects: [
      { extends: true, test: { name: 'apart', include: ['test/*.test.ts', ...otherRooms, ...apart] } },
      { extends: true, test: { name: 'shared', include: shared, exclude: apart, isolate: false } },
    ],
  },
});
