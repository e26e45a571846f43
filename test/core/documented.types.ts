/** The documented interfaces of the config and of the plan are what their schemas take, field by field. */
import type { z } from 'zod';
import type {
  ConfigInput,
  OlderAffinityNames,
  OlderBreakerNames,
  OlderRetryNames,
  OlderTimeoutNames,
} from '../../src/core/config/config-input.ts';
import type { CurrentConfigSchema } from '../../src/core/config/config-schema.ts';
import type { OLDER_CONFIG_NAMES } from '../../src/core/config/older-names.ts';
import type { Config } from '../../src/core/config.ts';
import type { Plan, PlanNode } from '../../src/core/plan/plan.ts';
import type { PlanNodeSchema, PlanSchema } from '../../src/core/plan/plan-schema.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;

/**
 * A schema's type as the interfaces write it: read-only, and an optional field without `undefined`, which zod adds to the
 * type of every optional field.
 */
type Written<T> = T extends (...given: never[]) => unknown
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Written<Item>[]
    : T extends object
      ? { readonly [Field in keyof T]: Written<Given<T, Field>> }
      : T;
type Given<T, Field extends keyof T> = object extends Pick<T, Field> ? Exclude<T[Field], undefined> : T[Field];

holds<Equal<Written<z.infer<typeof CurrentConfigSchema>>, Written<Config>>>();
holds<Equal<Written<z.infer<typeof PlanSchema>>, Plan>>();
holds<Equal<Written<z.infer<typeof PlanNodeSchema>>, PlanNode>>();

// Prices are shared with the cards of models, whose fields may be there and undefined; all others are written exactly.
holds<Equal<Written<Omit<Config, 'prices'>>, Omit<Config, 'prices'>>>();

// The comparison sees what it has to see.
holds<Equal<Equal<Written<{ a?: string }>, { readonly a?: string | undefined }>, false>>();
holds<Equal<Equal<Written<{ a: string }>, { readonly a?: string }>, false>>();
holds<Equal<Equal<Written<{ a: { b: 1 }[] }>, { readonly a: readonly { readonly b: 1 | 2 }[] }>, false>>();
holds<Equal<Written<{ a?: { b: 1 }[] | undefined }>, { readonly a?: readonly { readonly b: 1 }[] }>>();

// Every older name is accepted by the type, and the types have no others.
type Older<Part extends keyof typeof OLDER_CONFIG_NAMES> = (typeof OLDER_CONFIG_NAMES)[Part][number]['older'];
holds<Equal<keyof OlderRetryNames, Older<'retry'>>>();
holds<Equal<keyof OlderBreakerNames, Older<'breaker'>>>();
holds<Equal<keyof OlderTimeoutNames, Older<'timeouts'>>>();
holds<Equal<keyof OlderAffinityNames, Older<'affinity'>>>();
export const older: ConfigInput = {
  retry: { baseMilliseconds: 1, maxMs: 2 },
  breaker: { cooldownMilliseconds: 1 },
  timeouts: { connect: 1, firstToken: 1, answer: 1, idle: 1, total: 1 },
  affinity: { ttlSeconds: 1 },
};
// What the inside reads has the names of today.
// @ts-expect-error
export const current: Config = { retry: { baseMilliseconds: 1 } };
