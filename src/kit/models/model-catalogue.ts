/**
 * The shipped facts about models (catalogue/models.json). The file is read for the first question that needs a figure, so
 * that a start and a call to a model without a rival cost nothing. See docs/reference/models.md.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { CardFacts, HostFacts, ModelCatalogue, ModelFacts } from '../../core/model/model-facts.ts';

interface Known {
  readonly catalogue: ModelCatalogue;
  readonly byName: ReadonlyMap<string, string>;
}

const NOTHING: ModelCatalogue = { version: 'none', sources: {}, models: {}, cards: {}, hosts: {} };
const LONGEST_NAME = 200;
let known: Known | undefined;

/** Synchronous, because routing cannot wait for a file. */
function read(): Known {
  if (known !== undefined) return known;
  const catalogue = shipped();
  const byName = new Map(Object.keys(catalogue.models).map((name) => [plainName(name), name]));
  known = { catalogue, byName };
  return known;
}

/** A program that was bundled into one file has no catalogue beside it: nothing is known then. */
function shipped(): ModelCatalogue {
  try {
    const manifest = createRequire(import.meta.url ?? __filename).resolve('polyphony/package.json');
    return JSON.parse(
      readFileSync(new URL('catalogue/models.json', pathToFileURL(manifest)), 'utf8'),
    ) as ModelCatalogue;
  } catch {
    return NOTHING;
  }
}

/** All facts. Read only. */
export const modelCatalogue = (): ModelCatalogue => read().catalogue;

export interface KnownModel {
  /** Its name in the catalogue. */
  readonly name: string;
  readonly facts: ModelFacts | undefined;
  /** What is known of it at this provider. */
  readonly card: CardFacts | undefined;
}

/**
 * What is known of a provider's model: by `provider/model`, else by the model's own name, without the parts of ids that say
 * where it is hosted and when it was built. Undefined where nothing is known.
 */
export function knownModel(provider: string, id: string): KnownModel | undefined {
  if (id.length > LONGEST_NAME) return undefined;
  const { catalogue, byName } = read();
  const key = `${provider}/${id}`;
  const card = Object.hasOwn(catalogue.cards, key) ? catalogue.cards[key] : undefined;
  const name = card?.model ?? byName.get(plainName(id));
  if (name === undefined) return undefined;
  const facts = Object.hasOwn(catalogue.models, name) ? catalogue.models[name] : undefined;
  return facts === undefined && card === undefined ? undefined : { name, facts, card };
}

/** What the vendor's pages say of keeping requests and of regions, for one model of a provider; an absent part is unknown. */
export function hostFacts(provider: string, id: string): HostFacts {
  const { catalogue } = read();
  const host = Object.hasOwn(catalogue.hosts, provider) ? catalogue.hosts[provider] : undefined;
  const key = `${provider}/${id}`;
  const own = Object.hasOwn(catalogue.cards, key) ? catalogue.cards[key]?.retention : undefined;
  if (own === undefined) return host ?? {};
  const { retention: _, ...others } = host ?? {};
  return own === 'unknown' ? others : { ...others, retention: own };
}

/** `eu.maker.big-5-20260724-v1:0` and `maker/big-5` are one name: `big-5`. */
export function plainName(id: string): string {
  return id
    .slice(id.lastIndexOf('/') + 1)
    .toLowerCase()
    .replace(/^(?:global|us|eu|apac|jp|au)\./, '')
    .replace(/^[a-z]+\.(?=[a-z])/, '')
    .replace(/-v\d{1,2}:\d{1,2}$/, '')
    .replace(/-(?:20\d{6}|20\d\d-\d\d-\d\d|latest|preview)$/, '')
    .replace(/[._:]/g, '-');
}
