/** Runs a conformance suite outside any runner and says which of its tests failed. */
import type { TestFunction } from '../../src/testing/index.ts';

/** Names of the tests that fail, in order. */
export async function failuresOf(declare: (test: TestFunction) => void): Promise<string[]> {
  const tests: { readonly name: string; readonly run: () => Promise<void> }[] = [];
  declare((name, run) => tests.push({ name, run }));
  if (tests.length === 0) throw new Error('the suite declares no test');
  const failed: string[] = [];
  for (const { name, run } of tests) {
    try {
      await run();
    } catch {
      failed.push(name);
    }
  }
  return failed;
}
