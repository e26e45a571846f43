/** Other requests to a provider over HTTP: whether it is available, and how many tokens a request has. */
import { abortError, PolyphonyError } from '../../core/errors.ts';
import type { Attempt, Target } from '../../core/model/model.ts';
import type { ProviderContext } from '../../core/model/provider.ts';
import { withAnswerMedia } from '../requests/answer-media.ts';
import { withOwnTools } from '../requests/provider-tools.ts';
import { renamedTools } from '../requests/tool-names.ts';
import { readJson } from './answer.ts';
import { describeError, refusal } from './http-refusal.ts';
import { addressed, contextOf, type HttpExchange, type HttpParts, leave } from './http-request.ts';

/** Asks the free endpoint whether the provider is available. */
export async function runProbe(parts: HttpParts, context: ProviderContext, signal: AbortSignal): Promise<void> {
  const { options, keys, baseOf } = parts;
  const target: Target = { provider: options.id, model: 'probe' };
  const asked = await options.probe?.({ baseURL: baseOf(target), apiKey: keys()[0] });
  if (asked === undefined) return;
  const headers = { ...asked.headers, ...options.headers };
  const response = await context.transport.request({ method: 'GET', url: asked.url, headers, signal });
  try {
    if (response.status >= 300)
      throw describeError(await refusal(options.wire, response), target, context.clock, response);
    await response.bytes();
  } finally {
    await response.body[Symbol.asyncIterator]().return?.();
  }
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
    const { toolNames } = options.wire;
    const renamed = toolNames === undefined ? undefined : renamedTools(attempt.request, toolNames);
    const asked = withOwnTools(
      withAnswerMedia(renamed?.request ?? attempt.request, options.wire, context),
      options.wire,
      context,
    );
    const request = await counting?.encode(asked, context);
    if (request === undefined)
      throw new PolyphonyError('unsupported', 'This wire format cannot count tokens: use an estimate instead.');
    const response = await transport.request(addressed(request, options, context, attempt.signal));
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
