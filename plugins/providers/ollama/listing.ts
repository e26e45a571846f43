/** The models that the server has pulled, with what it says that each of them can do. */
import {
  asCount,
  asList,
  asRecord,
  asText,
  type JsonRecord,
  type ListingContext,
  type ModelCardFields,
} from 'polyphony/kit';

/** Models that are asked about one by one; more keep the usual card. */
const MAX_ASKED = 64;
/** Questions at the same time, so that a small server stays free for answers. */
const AT_ONCE = 4;
/** A longer window has to be stated with `num_ctx`: the server cuts what does not fit into its own, without an error. */
const USUAL_WINDOW = 32_768;

export interface ListingOptions {
  readonly shared: Partial<ModelCardFields>;
  readonly headers: Readonly<Record<string, string>>;
  /** False: one question for the list only, as the cloud has many models. */
  readonly describe: boolean;
}

/** @throws what the server answers instead of a list */
export async function pulledModels(
  { baseURL, ask }: ListingContext,
  { shared, headers, describe }: ListingOptions,
): Promise<readonly ModelCardFields[]> {
  const body = asRecord(await ask({ url: `${baseURL}/api/tags`, headers })) ?? {};
  const found = new Map<string, JsonRecord>();
  for (const item of asList(body.models) ?? []) {
    const entry = asRecord(item) ?? {};
    const id = asText(entry.model) ?? asText(entry.name) ?? '';
    if (id !== '' && id.length <= 200) found.set(id, asRecord(entry.details) ?? {});
  }
  const cards = [...found].map(([id, details]) => ({ ...shared, ...(isEncoder(details) ? EMBEDS : {}), id }));
  if (!describe) return cards;
  const waiting = cards.slice(0, MAX_ASKED).entries();
  const described: ModelCardFields[] = [...cards];
  const next = async (): Promise<void> => {
    for (const [index, card] of waiting) {
      const facts = await ask({ url: `${baseURL}/api/show`, headers }, { model: card.id }).catch(() => undefined);
      described[index] = { ...card, ...factsOf(asRecord(facts) ?? {}, card) };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return described;
}

const EMBEDS = { operations: ['embed'], capabilities: ['embeddings'] } as const satisfies Partial<ModelCardFields>;

/** Servers of older versions state no capabilities, but the family of such models. */
const isEncoder = ({ family }: JsonRecord): boolean => /bert/i.test(asText(family) ?? '');

function factsOf(body: JsonRecord, card: ModelCardFields): Partial<ModelCardFields> {
  const window = windowOf(asRecord(body.model_info) ?? {});
  const size = window === undefined ? {} : { contextTokens: Math.min(window, USUAL_WINDOW) };
  const can = asList(body.capabilities);
  if (can === undefined || can.length === 0) return size;
  if (!can.includes('completion')) return can.includes('embedding') ? { ...size, ...EMBEDS } : size;
  const usual = (card.capabilities ?? []).filter((name) => can.includes('tools') || !TOOLS.has(name));
  return {
    ...size,
    operations: ['chat'],
    capabilities: [
      ...usual,
      ...(can.includes('vision') ? (['image-in'] as const) : []),
      ...(can.includes('thinking') ? (['reasoning'] as const) : []),
    ],
  };
}

const TOOLS: ReadonlySet<string> = new Set(['tools', 'parallel-tools']);

/** The key begins with the architecture of the model. */
function windowOf(info: JsonRecord): number | undefined {
  const key = Object.keys(info).find((name) => name.endsWith('.context_length'));
  const tokens = key === undefined ? undefined : asCount(info[key]);
  return tokens !== undefined && Number.isInteger(tokens) && tokens > 0 ? tokens : undefined;
}
