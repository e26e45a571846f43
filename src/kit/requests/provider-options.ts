/**
 * `providerOptions` in a body: one rule for every wire.
 *
 * P1. An object is merged into the object that the body has there, field by field, at every depth.
 * P2. A list is appended to the list that the body has there; texts and numbers that it already has are not repeated.
 * P3. Anything else takes the place of what the body has there. `undefined` takes the field out.
 */
import type { ModelRequest } from '../../core/model/model.ts';
import type { WireContext } from '../../core/model/provider.ts';
import { asRecord, type JsonRecord } from '../json/json-shape.ts';

/** The body with the options that the request has for the provider that is asked; the body itself where it has none. */
export function withProviderOptions<Body extends object>(
  body: Body,
  { providerOptions }: Pick<ModelRequest, 'providerOptions'>,
  { target }: Pick<WireContext, 'target'>,
): Body {
  const options = providerOptions === undefined ? undefined : asRecord(providerOptions[target.provider]);
  return options === undefined ? body : mergeFields(body, options);
}

/** A new object: `body` with `options` merged into it by the rule above. Neither is changed. */
export function mergeFields<Body extends object>(body: Body, options: JsonRecord): Body {
  const merged = { ...body } as Record<string, unknown>;
  for (const [name, value] of Object.entries(options)) {
    // A field of this name would change what the object inherits.
    if (name === '__proto__') continue;
    merged[name] = mergedValue(Object.hasOwn(merged, name) ? merged[name] : undefined, value);
  }
  return merged as Body;
}

function mergedValue(ours: unknown, given: unknown): unknown {
  if (Array.isArray(ours) && Array.isArray(given)) return appended(ours, given);
  const into = asRecord(ours);
  const from = asRecord(given);
  return into === undefined || from === undefined ? given : mergeFields(into, from);
}

function appended(ours: readonly unknown[], given: readonly unknown[]): readonly unknown[] {
  const known = new Set(ours.filter(isPlain));
  return [...ours, ...given.filter((value) => !isPlain(value) || !known.has(value))];
}

const isPlain = (value: unknown): boolean => typeof value !== 'object' || value === null;
