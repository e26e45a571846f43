/** Transports that close with the test, and short ways to ask and to fail. */
import { onTestFinished } from 'vitest';
import { PolyphonyError } from '../../../src/core/errors.ts';
import type { Transport, TransportRequest, TransportResponse } from '../../../src/core/model/provider.ts';
import { createTransport, type TransportOptions } from '../../../src/gateway/transport/transport.ts';

export function transportOf(options?: TransportOptions): Transport {
  const transport = createTransport(options);
  onTestFinished(() => transport.close());
  return transport;
}

let open: Transport | undefined;
/** One transport for all requests of a test: opens with the first of them, and closes with the test. */
export const transport: Transport = {
  request(request) {
    if (open === undefined) {
      open = transportOf();
      onTestFinished(() => {
        open = undefined;
      });
    }
    return open.request(request);
  },
  close: async () => open?.close(),
};

export const get = (url: string, signal = new AbortController().signal): TransportRequest => ({
  method: 'GET',
  url,
  headers: {},
  signal,
});

export async function textOf(response: TransportResponse): Promise<string> {
  return Buffer.from(await response.bytes()).toString();
}

export async function failure(work: Promise<unknown>): Promise<PolyphonyError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof PolyphonyError) return error;
  throw new Error(`expected a PolyphonyError, got ${String(error)}`);
}
