/** For tests of plugins and stores: fakes, and one conformance suite for every port. */

export * from './testing/fakes.ts';
