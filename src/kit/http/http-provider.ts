/**
 * A provider over HTTP, made from a wire format and a base URL. It sends one request per attempt and reports the result;
 * the gateway retries, rotates credentials and waits.
 */
import { defined } from '../../core/defined.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Target } from '../../core/model/model.ts';
import type { ModelCard, Provider } from '../../core/model/provider.ts';
import { rememberAddress, rememberHeaders } from '../../core/scrub.ts';
import { cardIndex } from '../models/model-card.ts';
import { type ListedFacts, listedFacts } from '../models/price-list.ts';
import { type BaseAddress, readBaseAddress } from '../requests/base-address.ts';
import { cleanKeys } from '../requests/clean-keys.ts';
import { isOwnServer } from '../requests/own-server.ts';
import { countingOwnTools } from '../requests/provider-tools.ts';
import { HttpAnswer } from './http-answer.ts';
import { askForModels, countTokens, runProbe } from './http-questions.ts';
import type { HttpParts, HttpProviderOptions } from './http-request.ts';

export type { HttpProviderOptions, ListingContext } from './http-request.ts';

const DEFAULT_CONCURRENCY = 64;

/** @throws invalid-config when the id is invalid */
export function httpProvider(given: HttpProviderOptions): Provider {
  const options = given.headers === undefined ? given : { ...given, headers: lowerCase(given.headers) };
  const { id, unlisted, regions, concurrency, embeddingBatch, probe, listing, searches } = options;
  if (!/^[a-z][a-z0-9-]*$/.test(id)) {
    throw new PolyphonyError(
      'invalid-config',
      `The provider id "${id}" is invalid: start with a lower-case letter, then use lower-case letters, digits and dashes.`,
    );
  }
  const apiKeys = options.apiKeys ?? [];
  const keys = cleanKeys(typeof apiKeys === 'function' ? apiKeys : () => apiKeys);
  let models = options.models;
  let cards = cardIndex(models);
  const cardOf = (target: Target): ModelCard => {
    const card = cards.get(target.model) ?? unlisted?.(target.model);
    if (card !== undefined) return card;
    throw new PolyphonyError(
      'model-not-found',
      `This provider has no model "${target.model}": use a model that it lists.`,
    );
  };
  const baseOf = baseOfTarget(options);
  rememberHeaders(options.headers ?? {});
  // Only the router needs a price, the wire does not.
  const priced = (card: ModelCard | undefined): ModelCard | undefined =>
    card === undefined || card.price !== null || options.listedPrices === false
      ? card
      : { ...card, ...factsAt(baseOf, { provider: id, model: card.id }) };
  let labels: readonly string[] = [];

  const parts: HttpParts = { options, keys, cardOf, baseOf };
  return {
    id,
    get models() {
      return models;
    },
    get concurrency() {
      return typeof concurrency === 'function' ? concurrency() : (concurrency ?? DEFAULT_CONCURRENCY);
    },
    ...(unlisted === undefined ? {} : { unlisted: (name: string) => priced(unlisted(name)) }),
    ...defined({ regions, searches: searches && countingOwnTools(searches, options.wire, id, cardOf) }),
    ...(embeddingBatch === undefined
      ? {}
      : { embeddingBatch: typeof embeddingBatch === 'function' ? embeddingBatch : () => embeddingBatch }),
    // A getter, because the environment may be set after this module was loaded.
    get credentials() {
      const count = Math.max(1, keys().length);
      if (labels.length !== count) labels = Array.from({ length: count }, (_, index) => `${id}#${index + 1}`);
      return labels;
    },
    // A getter, because the address may be one of the environment.
    get isOwn() {
      try {
        return isOwnServer(baseOf({ provider: id, model: models[0]?.id ?? '' }).base);
      } catch {
        return false;
      }
    },
    stream: (attempt, context) => new HttpAnswer(parts, attempt, context),
    ...(options.wire.counting === undefined
      ? {}
      : { countTokens: (attempt, context) => countTokens(parts, attempt, context) }),
    ...(listing === undefined
      ? {}
      : {
          async listModels(context, signal) {
            models = (await askForModels(parts, context, signal)) ?? models;
            cards = cardIndex(models);
          },
        }),
    ...(options.batch === undefined ? {} : { batch: options.batch(parts) }),
    ...(probe === undefined
      ? {}
      : { probe: (context, signal, credential) => runProbe(parts, context, signal, credential) }),
  };
}

function factsAt(baseOf: HttpParts['baseOf'], target: Target): ListedFacts {
  try {
    return listedFacts(baseOf(target).base, target.model);
  } catch {
    // The address needs a setting that is missing: the request reports it.
    return {};
  }
}

function baseOfTarget({ baseURL, wire }: HttpProviderOptions): HttpParts['baseOf'] {
  let known: string | undefined;
  let address: BaseAddress = { base: '', query: '' };
  const read = (url: string): BaseAddress => {
    if (url === known) return address;
    rememberAddress(url.trim());
    address = readBaseAddress(url, wire.endpoints);
    known = url;
    return address;
  };
  if (typeof baseURL === 'function') return (target) => read(baseURL(target));
  read(baseURL);
  return () => address;
}

/** The last one counts where two names differ only in case. */
function lowerCase(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(headers).map(([name, value]) => [
    name.trim().toLowerCase(),
    typeof value === 'string' ? value.trim() : value,
  ]);
  return Object.fromEntries(entries);
}
