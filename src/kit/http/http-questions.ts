/** Other requests to a provider over HTTP: whether it is available, and how many tokens a request has. */
import { abortError, PolyphonyError } from '../../core/errors.ts';
import type { Attempt, Target } from '../../core/model/model.ts';
import type { ModelCard, ProviderContext } from '../../core/model/provider.ts';
import { rememberSecret } from '../../core/scrub.ts';
import { requestAddress } from '../requests/base-address.ts';
import { assertSendable } from '../requests/clean-keys.ts';
import { preparedRequest } from '../requests/prepared-request.ts';
import { readJson } from './answer.ts';
import { describeError, refusal } from './http-refusal.ts';
import {
  addressed,
  contextOf,
  type HttpExchange,
  type HttpParts,
  keyOf,
  type ListingContext,
  leave,
} from './http-request.ts';

/** Asks the free endpoint whether the provider is available. */
export async function runProbe(
  parts: HttpParts,
  context: ProviderContext,
  signal: AbortSignal,
  credential: string | undefined,
): Promise<void> {
  const { options, keys, baseOf } = parts;
  const bare: Target = { provider: options.id, model: 'probe' };
  const target = credential === undefined ? bare : { ...bare, credential };
  const address = baseOf(target);
  const apiKey = keyOf(keys(), target);
  if (apiKey !== undefined) assertSendable(apiKey, options.id);
  const asked = await options.probe?.({ baseURL: address.base, apiKey });
  if (asked === undefined) return;
  const headers = { ...asked.headers, ...options.headers };
  const url = requestAddress(asked.url, { base: '', query: address.query });
  const response = await context.transport.request({ method: 'GET', url, headers, signal });
  try {
    if (response.status >= 300)
      throw describeError(await refusal(options.wire, response), target, context.clock, response);
    await response.bytes();
  } finally {
    await response.body[Symbol.asyncIterator]().return?.();
  }
}

const MAX_MODELS = 500;

/** Asks the server for its models; undefined if it is not asked. @throws what the server answers instead */
export async function askForModels(
  parts: HttpParts,
  { transport, clock }: ProviderContext,
  signal: AbortSignal,
): Promise<readonly ModelCard[] | undefined> {
  const { options, keys, baseOf } = parts;
  const target: Target = { provider: options.id, model: 'list' };
  const address = baseOf(target);
  const apiKey = keys()[0];
  if (apiKey !== undefined) {
    rememberSecret(apiKey);
    assertSendable(apiKey, options.id);
  }
  const ask: ListingContext['ask'] = async (asked, body) => {
    const answer: HttpExchange = { response: undefined };
    try {
      const headers = { ...asked.headers, ...options.headers };
      const url = requestAddress(asked.url, { base: '', query: address.query });
      const response = await transport.request(
        body === undefined
          ? { method: 'GET', url, headers, signal }
          : {
              method: 'POST',
              url,
              headers: { 'content-type': 'application/json', ...headers },
              body: JSON.stringify(body),
              signal,
            },
      );
      answer.response = response;
      if (response.status >= 300) throw await refusal(options.wire, response);
      return await readJson(response);
    } catch (error) {
      throw signal.aborted ? abortError(signal) : describeError(error, target, clock, answer.response);
    } finally {
      await leave(answer);
    }
  };
  return (await options.listing?.({ baseURL: address.base, apiKey, ask }))?.slice(0, MAX_MODELS);
}

/** Asks the free endpoint that counts tokens. */
export async function countTokens(parts: HttpParts, attempt: Attempt, given: ProviderContext): Promise<number> {
  const { options } = parts;
  const { transport, clock } = given;
  const { counting } = options.wire;
  const answer: HttpExchange = { response: undefined };
  try {
    // Warnings belong to the request itself; a count sends none of it.
    const context = contextOf(parts, attempt, clock, { warn: ignore, report: ignore });
    const { request: asked } = preparedRequest(attempt.request, options.wire, context);
    const request = await counting?.encode(asked, context);
    if (request === undefined)
      throw new PolyphonyError('unsupported', 'This wire format cannot count tokens: use an estimate instead.');
    const response = await transport.request(addressed(request, parts, context, attempt.signal));
    answer.response = response;
    if (response.status >= 300) throw await refusal(options.wire, response);
    const count = counting?.decode(await readJson(response));
    if (count !== undefined) return count;
    throw new PolyphonyError('invalid-output', 'The answer contains no token count: check that baseURL is right.');
  } catch (error) {
    const { signal, target } = attempt;
    throw signal.aborted ? abortError(signal) : describeError(error, target, clock, answer.response);
  } finally {
    await leave(answer);
  }
}

function ignore(): void {}
