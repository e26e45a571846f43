/** What the pages of vendors say of their services: kept by hand in catalogue/hosts.json, each statement with its page. */
import { z } from 'zod';
import type { HostFacts, RetentionFacts } from '../../src/core/model/model-facts.ts';
import { parsed } from './read-measures.ts';

const name = z.string().min(1).max(200);
const stated = {
  source: z.url({ protocol: /^https$/ }),
  date: z.string().regex(/^\d{4}-\d{2}(-\d{2})?$/),
};

const RetentionSchema = z.strictObject({
  keeps: z.enum(['none', 'provider']),
  days: z.int().positive().optional(),
  ...stated,
});
const names = z.array(name).min(1).max(100).optional();

const HostsSchema = z.record(
  name,
  z.strictObject({
    retention: RetentionSchema.optional(),
    regions: z.strictObject({ runs: names, keptIn: names, ...stated }).optional(),
    ended: z.strictObject({ on: z.iso.date(), ...stated }).optional(),
    models: z.record(name, z.strictObject({ retention: z.union([RetentionSchema, z.literal('unknown')]) })).optional(),
  }),
);

export type Hosts = Readonly<Record<string, Host>>;

export interface Host extends HostFacts {
  /** The whole service ended, with all of its models. */
  readonly ended?: { readonly on: string; readonly source: string; readonly date: string };
  /** Models for which the page says something else, or nothing. */
  readonly models?: Readonly<Record<string, { readonly retention: RetentionFacts | 'unknown' }>>;
}

/** @throws when the file has another shape */
export const readHosts = (path: string): Hosts =>
  // JSON has no undefined fields, which the schema's type allows.
  parsed(path, HostsSchema) as Hosts;
