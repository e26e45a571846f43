/** Reports what an answer over HTTP states besides its content: the headers when they arrive, the rest at the end. */

import type { FinishEvent, Target } from '../../core/model/model.ts';
import type {
  EndpointReport,
  ProviderContext,
  RateLimit,
  TransportResponse,
  WireFormat,
} from '../../core/model/provider.ts';
import { guardedListener } from '../../core/user-code/guarded-listener.ts';
import type { HttpExchange, HttpProviderOptions } from './http-request.ts';

type Draft = { -readonly [Field in keyof EndpointReport]: EndpointReport[Field] };

/** Reports the limits and the request id of an answer or a refusal, if the headers contain any; returns the id. */
export function reportHeaders(
  options: HttpProviderOptions,
  response: TransportResponse,
  target: Target,
  { clock, report }: ProviderContext,
): string | undefined {
  const { wire } = options;
  const requestId = requestIdOf(response, wire.requestIdHeaders);
  const rateLimits = limitsOf(wire, response, clock);
  if (rateLimits === undefined && requestId === undefined) return undefined;
  const stated: Draft = {};
  if (rateLimits !== undefined) stated.rateLimits = rateLimits;
  if (requestId !== undefined) stated.requestId = requestId;
  report(stated);
  if (rateLimits !== undefined) callListener(options, rateLimits, target);
  return requestId;
}

/** Undefined if the headers state none. An invalid header must not lose an answer that was paid for. */
function limitsOf(
  wire: WireFormat,
  { headers }: TransportResponse,
  clock: ProviderContext['clock'],
): readonly RateLimit[] | undefined {
  if (wire.rateLimits === undefined) return undefined;
  try {
    const limits = wire.rateLimits(headers, clock.now());
    return limits.length === 0 ? undefined : limits;
  } catch {
    return undefined;
  }
}

function callListener({ onRateLimits }: HttpProviderOptions, limits: readonly RateLimit[], target: Target): void {
  // A failing listener must not fail the answer.
  if (onRateLimits !== undefined) guardedListener(onRateLimits)(limits, target);
}

function requestIdOf({ headers }: TransportResponse, names: readonly string[] | undefined): string | undefined {
  if (names === undefined) return undefined;
  for (const name of names) {
    const id = headers[name];
    if (id !== undefined && id !== '') return id;
  }
  return undefined;
}

/** Reports the model and the service tier of `finish`, and what the wire reported while it read the body. */
export function reportFinish(
  { model, serviceTier }: FinishEvent,
  { stated }: HttpExchange,
  context: ProviderContext,
): void {
  if (model === undefined && serviceTier === undefined && stated === undefined) return;
  // A copy that grows has a form of its own each time (Node 20), so that of nothing is none.
  const report: Draft = stated === undefined ? {} : { ...stated };
  if (model !== undefined) report.model ??= model;
  if (serviceTier !== undefined) report.serviceTier ??= serviceTier;
  context.report(report);
}
