/** What differs between the shipped catalogue of models and another one, or what a user says of models. */
import { z } from 'zod';
import { ModelsSchema } from '../../core/config/config-schema.ts';
import type { Config } from '../../core/config.ts';
import { PolyphonyError } from '../../core/errors.ts';
import { hostFacts, knownModel, modelCatalogue, plainName } from '../../kit/models/model-catalogue.ts';
import { onCardScale } from '../../kit/models/strengths.ts';
import { readable } from './read-file.ts';

/** Of one field of one model; null: not there. Strengths on the scale of cards. */
export interface FactDifference {
  readonly model: string;
  readonly field: string;
  readonly before: number | string | null;
  readonly after: number | string | null;
}

type Facts = ReadonlyMap<string, number | string>;
/** By model, then by field. */
type AllFacts = ReadonlyMap<string, Facts>;

const LARGEST_FILE = 16 * 1024 * 1024;
const figure = z.object({ value: z.number().min(0).max(1) });
const CatalogueSchema = z.object({
  version: z.string(),
  models: z.record(z.string(), z.object({ strengths: z.record(z.string(), figure) })),
  cards: z.record(
    z.string(),
    z.object({ lifecycle: z.object({ stage: z.string(), endsOn: z.string().optional() }).optional() }),
  ),
  hosts: z.record(z.string(), z.object({ retention: z.object({ keeps: z.string() }).optional() })).default({}),
});
type Catalogue = z.infer<typeof CatalogueSchema>;
const OverlaySchema = z.strictObject({ models: ModelsSchema });

/** The shipped catalogue against a file: another catalogue, or a file of models. @throws invalid-config for another shape */
export async function differencesFrom(path: string): Promise<readonly FactDifference[]> {
  const text = await readable(path, LARGEST_FILE, 'a catalogue or a file of models');
  const given = await parsed(path, text);
  const catalogue = CatalogueSchema.safeParse(given);
  if (catalogue.success) return compared(factsOf(modelCatalogue()), factsOf(catalogue.data));
  const overlay = OverlaySchema.safeParse(given);
  if (overlay.success) return overlayDifferences(overlay.data.models);
  const message = `${path} is neither a catalogue nor a file of models:\n${z.prettifyError(overlay.error)}`;
  throw new PolyphonyError('invalid-config', message);
}

async function parsed(path: string, text: string): Promise<unknown> {
  try {
    if (path.endsWith('.json')) return JSON.parse(text);
    const { parse } = await import('yaml');
    return parse(text, { maxAliasCount: 50 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PolyphonyError('invalid-config', `${path} cannot be read: ${reason}`);
  }
}

/** What a user says of models, against what the catalogue knows of them. */
export function overlayDifferences(models: NonNullable<Config['models']>): readonly FactDifference[] {
  const before = new Map<string, Facts>();
  const after = new Map<string, Facts>();
  for (const [name, own] of Object.entries(models)) {
    const slash = name.indexOf('/');
    const known =
      knownModel(name.slice(0, Math.max(0, slash)), name.slice(slash + 1)) ?? knownModel('', plainName(name));
    const { strengths = {}, lifecycle, ...others } = own;
    const said = new Map<string, number | string>(Object.entries(strengths));
    for (const [field, value] of Object.entries({ ...others, ...lifecycle })) {
      said.set(field, Array.isArray(value) ? value.join(', ') : (value as number | string));
    }
    const measured = new Map<string, number | string>();
    for (const field of said.keys()) {
      const value = known?.facts?.strengths[field]?.value;
      const { retention } = hostFacts(name.slice(0, Math.max(0, slash)), name.slice(slash + 1));
      const dates: Readonly<Record<string, unknown>> = {
        ...known?.card?.speed,
        ...known?.card?.lifecycle,
        retention: retention?.keeps,
      };
      const fact = value === undefined ? dates[field] : onCardScale(value);
      if (typeof fact === 'number' || typeof fact === 'string') measured.set(field, fact);
    }
    before.set(name, measured);
    after.set(name, said);
  }
  return compared(before, after);
}

function factsOf({ models, cards, hosts }: Catalogue | ReturnType<typeof modelCatalogue>): AllFacts {
  const all = new Map<string, Map<string, number | string>>();
  for (const [name, { strengths }] of Object.entries(models)) {
    all.set(name, new Map(Object.entries(strengths).map(([field, { value }]) => [field, onCardScale(value)])));
  }
  for (const [name, { lifecycle }] of Object.entries(cards)) {
    if (lifecycle === undefined) continue;
    const facts = new Map<string, number | string>([['stage', lifecycle.stage]]);
    if (lifecycle.endsOn !== undefined) facts.set('endsOn', lifecycle.endsOn);
    all.set(name, facts);
  }
  for (const [name, { retention }] of Object.entries(hosts)) {
    if (retention !== undefined) all.set(name, new Map([['retention', retention.keeps]]));
  }
  return all;
}

/** Sorted by model and field. */
function compared(before: AllFacts, after: AllFacts): readonly FactDifference[] {
  const differences: FactDifference[] = [];
  for (const model of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [old, now] = [before.get(model), after.get(model)];
    for (const field of [...new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])])].sort()) {
      const [was, is] = [old?.get(field) ?? null, now?.get(field) ?? null];
      if (was !== is) differences.push({ model, field, before: was, after: is });
    }
  }
  return differences;
}
