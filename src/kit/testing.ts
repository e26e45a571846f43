/** For tests of plugins and stores: fakes, and one conformance suite for every port. */

export type { EngineParts, EngineSuiteOptions } from './testing/engine-bench.ts';
export { testEngine } from './testing/engine-suite.ts';
export * from './testing/fakes.ts';
export { testJournal } from './testing/journal-suite.ts';
export { testKeyValueStore } from './testing/key-value-suite.ts';
export { ledgerRow, testLedger } from './testing/ledger-suite.ts';
export { type ProviderFixture, type ProviderSuiteOptions, testProvider } from './testing/provider-suite.ts';
export type { StoreSuiteOptions, TestFunction } from './testing/suite.ts';
export { type WatchedTransport, watchTransport } from './testing/watched-transport.ts';
