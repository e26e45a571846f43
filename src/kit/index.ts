/** polyphony/kit: for authors of plugins and providers. */

export { SuspendRun } from '../core/engine.ts';
export { abortError, asPolyphonyError, errorRecord } from '../core/errors.ts';
export { compose } from '../core/model.ts';
export { formatUsd, nanoToUsd, usdToNano } from '../core/money.ts';
export { costOf } from '../core/price.ts';
export { collect, replay, textOf } from '../core/response.ts';
export { sleep, systemClock, systemIds, systemRandom, systemRuntime } from './clock.ts';
export * from './testing.ts';
