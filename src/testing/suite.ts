/** Options of the conformance suites: the test function of the runner, and a function that makes the tested object. */
import type { Clock } from '../core/clock.ts';
import { type FakeClock, fakeClock } from './fakes.ts';

/** The test function of any runner: of vitest, of node:test, or your own. */
export type TestFunction = (name: string, run: () => Promise<void>) => unknown;

export interface StoreSuiteOptions<Store> {
  readonly test: TestFunction;
  /** Makes an empty store that reads its time from `clock`. */
  readonly make: (options: { readonly clock: Clock }) => Store | Promise<Store>;
}

type StoreTest<Store> = (name: string, run: (store: Store, clock: FakeClock) => Promise<void>) => void;

/** Declares one test per call, each with a store of its own that is closed at the end. */
export function storeTests<Store extends { close(): Promise<void> }>(
  options: StoreSuiteOptions<Store>,
): StoreTest<Store> {
  return (name, run) => {
    options.test(name, async () => {
      const clock = fakeClock();
      const store = await options.make({ clock });
      try {
        await run(store, clock);
      } finally {
        await store.close();
      }
    });
  };
}

export async function gather<T>(items: AsyncIterable<T>): Promise<T[]> {
  const gathered: T[] = [];
  for await (const item of items) gathered.push(item);
  return gathered;
}

/** Ids that break stores which build their queries, keys or objects from text. */
export const HOSTILE_IDS: readonly string[] = [
  "o'brien",
  '"; DROP TABLE runs; --',
  '__proto__',
  'constructor',
  '%',
  '_',
  'a:b/c\\d',
  'naïve 世界 🎼',
  ' ',
];
