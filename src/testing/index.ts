/** For tests of plugins and stores: fakes, and a conformance suite for every port. */

export { type AttemptBookSuiteOptions, testAttemptBook } from './attempt-book-suite.ts';
export type { EngineSuiteOptions, TestEngineParts } from './engine-bench.ts';
export { testEngine } from './engine-suite.ts';
export * from './fakes.ts';
export { testJournal } from './journal-suite.ts';
export { testKeyValueStore } from './key-value-suite.ts';
export { ledgerRow, testLedger } from './ledger-suite.ts';
export { type PassageSuiteOptions, testPassageStore } from './passage-suite.ts';
export { providerContext, type RecordedContext } from './provider-context.ts';
export { type ProviderFixture, type ProviderSuiteOptions, testProvider } from './provider-suite.ts';
export type { StoreSuiteOptions, TestFunction } from './suite.ts';
export { testThreadStore } from './thread-suite.ts';
export { type WatchedTransport, watchTransport } from './watched-transport.ts';
