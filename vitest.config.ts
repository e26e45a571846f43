import { defineConfig } from 'vitest/config';

/** Resolves the package's own name to its .ts files, so that a fresh clone runs without a build. */
const source = 'polyphony-source';
const conditions = [source, 'node', 'import', 'module', 'default'];
const report = process.env.POLYPHONY_TEST_REPORT;

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    // Tests that start processes of their own take many times longer on a busy machine; none waits for the clock.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    execArgv: [`--conditions=${source}`],
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
  },
});
