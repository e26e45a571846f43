import { defineConfig } from 'vitest/config';

/** Resolves the package's own name to its .ts files, so that a fresh clone runs without a build. */
const source = 'polyphony-source';
const conditions = [source, 'node', 'import', 'module', 'default'];
const report = process.env.POLYPHONY_TEST_REPORT;

/**
 * Rooms whose tests leave nothing behind that another would see: no server, no process and no state of a module. Their files
 * share what they import, because to load it again for each takes longer than most of them run.
 */
const SHARED_ROOMS =
  'core,kit,language,validator,workflow,drawing,simulation,runs,executor,runners,planner,gateway'.split(',');
const shared = SHARED_ROOMS.map((room) => `test/${room}/**/*.test.ts`);

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
      { extends: true, test: { name: 'apart', include: ['test/**/*.test.ts'], exclude: shared } },
      { extends: true, test: { name: 'shared', include: shared, isolate: false } },
    ],
  },
});
