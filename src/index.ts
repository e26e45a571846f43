/** polyphony: the public surface. Everything else comes by subpath: polyphony/kit, polyphony/plugins/*, polyphony/workflows/*. */

export type { Clock, Ids, Random, Runtime } from './core/clock.ts';
export type { Config } from './core/config.ts';
export { ConfigSchema } from './core/config.ts';
export type * from './core/engine.ts';
export { SuspendRun } from './core/engine.ts';
export type { ErrorCode, ErrorRecord, PolyphonyErrorOptions } from './core/errors.ts';
export { abortError, asPolyphonyError, errorRecord, PolyphonyError } from './core/errors.ts';
export type * from './core/gateway.ts';
export type * from './core/model.ts';
export { compose } from './core/model.ts';
export type { NanoUsd } from './core/money.ts';
export { formatUsd, nanoToUsd, usdToNano } from './core/money.ts';
export type { NodeEstimate, Plan, PlanBounds, PlanNode, ValidNode, ValidPlan } from './core/plan.ts';
export { PlanSchema } from './core/plan.ts';
export type * from './core/plugin.ts';
export { definePlugin } from './core/plugin.ts';
export { costOf } from './core/price.ts';
export type * from './core/provider.ts';
export { collect, replay, textOf } from './core/response.ts';
export type * from './core/stores.ts';
export type * from './core/validation.ts';
