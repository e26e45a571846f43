import { defineConfig } from 'vitest/config';

// `polyphony-source` resolves the package's own name to its .ts files, so a fresh clone runs without a build.
const conditions = ['polyphony-source', 'node', 'import', 'module', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    pool: 'threads',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    execArgv: ['--conditions=polyphony-source'],
  },
});
