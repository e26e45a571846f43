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
import { HttpAnswer } from './http-answer.ts';
import { askForModels, countTokens, runProbe } from './http-questions.ts';
import type { HttpParts, HttpProviderOptions } from './http-request.ts';

export type { HttpProviderOptions, ListingContext } from './http-request.ts';

const DEFAULT_CONCURRENCY = 64;

/** @throws invalid-config when the id is invalid */
export function httpProvider(options: HttpProviderOptions): Provider {
  const { id, unlisted, regions, concurrency, probe, listing } = options;
  if (!/^[a-z][a-z0-9-]*$/.test(id)) {
    throw new PolyphonyError(
      'invalid-config',
      `The provider id "${id}" is invalid: start with a lower-case letter, then use lower-case letters, digits and dashes.`,
    );
  }
  const given = options.apiKeys ?? [];
  const keys = typeof given === 'function' ? given : () => given;
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
  const baseOf = baseOfTarget(options.baseURL);
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
    ...defined({ regions }),
    // A getter, because the environment may be set after this module was loaded.
    get credentials() {
      const count = Math.max(1, keys().length);
      if (labels.length !== count) labels = Array.from({ length: count }, (_, index) => `${id}#${index + 1}`);
      return labels;
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
    ...(probe === undefined ? {} : { probe: (context, signal) => runProbe(parts, context, signal) }),
  };
}

function factsAt(baseOf: (target: Target) => string, target: Target): ListedFacts {
  try {
    return listedFacts(baseOf(target), target.model);
  } catch {
    // The address needs a setting that is missing: the request reports it.
    return {};
  }
}

function baseOfTarget(baseURL: HttpProviderOptions['baseURL']): HttpParts['baseOf'] {
  let known: string | undefined;
  let base = '';
  const checked = (url: string): string => {
    if (url === known) return base;
    rememberAddress(url);
    known = url;
    base = withoutSlash(url);
    return base;
  };
  if (typeof baseURL === 'function') return (target) => checked(baseURL(target));
  checked(baseURL);
  return () => base;
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, '').replace(/\/+\?/, '?');
