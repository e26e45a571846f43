/** Transports that close with the test, and short ways to ask and to fail. */
import { afterEach } from 'vitest';
import { PolyphonyError } from '../../../src/core/errors.ts';
import type { Transport, TransportRequest, TransportResponse } from '../../../src/core/model/provider.ts';
import { createTransport, type TransportOptions } from '../../../src/gateway/transport/transport.ts';

const opened: Transport[] = [];
afterEach(async () => {
  for (const transport of opened.splice(0)) await transport.close();
});

export function transportOf(options?: TransportOptions): Transport {
  const transport = createTransport(options);
  opened.push(transport);
  return transport;
}

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
