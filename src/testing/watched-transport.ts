/** A transport that counts requests and open bodies. */
import type { Transport, TransportResponse } from '../core/model/provider.ts';

export interface WatchedTransport {
  readonly transport: Transport;
  /** Requests so far, without those whose signal had already aborted: a transport does not send them. */
  sent(): number;
  /** Answers whose body was neither read to its end nor closed. */
  open(): number;
}

export function watchTransport(inner: Transport): WatchedTransport {
  const open = new Set<TransportResponse>();
  let sent = 0;
  return {
    sent: () => sent,
    open: () => open.size,
    transport: {
      async request(request) {
        if (!request.signal.aborted) sent += 1;
        const response = await inner.request(request);
        open.add(response);
        return watchResponse(response, () => void open.delete(response));
      },
      close: () => inner.close(),
    },
  };
}

function watchResponse(response: TransportResponse, onClose: () => void): TransportResponse {
  const iterator = response.body[Symbol.asyncIterator]();
  const body: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => body,
    async next() {
      try {
        const result = await iterator.next();
        if (result.done) onClose();
        return result;
      } catch (error) {
        onClose();
        throw error;
      }
    },
    async return() {
      onClose();
      await iterator.return?.();
      return { done: true, value: undefined };
    },
  };
  return {
    status: response.status,
    headers: response.headers,
    body,
    async bytes(limitBytes) {
      try {
        return await response.bytes(limitBytes);
      } finally {
        onClose();
      }
    },
  };
}
