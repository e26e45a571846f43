/** The wire of a provider that only makes images, with the usual forms of errors and limits. */
import { PolyphonyError } from '../../core/errors.ts';
import type { ImageRequest, ModelEvent } from '../../core/model/model.ts';
import type { TransportResponse, WireContext, WireFormat } from '../../core/model/provider.ts';
import { httpError, readFailure } from '../http/http-errors.ts';
import { parseRateLimits } from '../http/rate-limits.ts';

export function imageWire(
  encode: (request: ImageRequest, context: WireContext) => ReturnType<WireFormat['encode']>,
  decode: (response: TransportResponse, request: ImageRequest) => AsyncIterable<ModelEvent>,
): WireFormat {
  return {
    encode(request, context) {
      if (request.operation !== 'image') throw notImage(request.operation);
      return encode(request, context);
    },
    decode(response, request) {
      if (request.operation !== 'image') throw notImage(request.operation);
      return decode(response, request);
    },
    classify: (status, headers, body) => httpError(readFailure(status, body, headers)),
    rateLimits: parseRateLimits,
    requestIdHeaders: ['x-request-id', 'cf-ray'],
  };
}

const notImage = (operation: string): PolyphonyError =>
  new PolyphonyError(
    'unsupported',
    `This provider supports only "image", not "${operation}": use a model that lists it.`,
  );
