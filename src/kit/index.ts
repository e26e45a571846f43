/** polyphony/kit: for authors of plugins and providers. */

export { sleep, systemClock, systemIds, systemRandom, systemRuntime } from './clock.ts';
export * from './testing.ts';
