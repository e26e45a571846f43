/** What differs between the batch interfaces of providers over HTTP. */
import type { PolyphonyError } from '../../core/errors.ts';
import type { BatchStatus } from '../../core/model/batch.ts';
import type { ModelRequest, Target } from '../../core/model/model.ts';
import type { TransportRequest, TransportResponse } from '../../core/model/provider.ts';

/** A request as the wire format of single requests writes it. */
export interface EncodedCall {
  readonly id: string;
  /** After the base URL, such as `/chat/completions`. */
  readonly path: string;
  /** Without keys: the headers that the wire adds for this request. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
}

export interface EncodedBatch {
  readonly key: string;
  readonly target: Target;
  readonly calls: readonly EncodedCall[];
}

export interface BatchAsk extends Pick<TransportRequest, 'method'> {
  /** After the base URL. */
  readonly path: string;
  /** Beside those of the provider and the key. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface BatchHttp {
  /** The key's headers are added; an error response throws as for single requests. */
  readonly ask: (request: BatchAsk) => Promise<TransportResponse>;
  /** The same, as a JSON object, or an empty one. */
  readonly askJson: (request: BatchAsk) => Promise<Readonly<Record<string, unknown>>>;
}

/** One line of the results. `body` is the answer to the request as the wire format of single requests reads it. */
export type BatchLine = { readonly id: string } & (
  | { readonly status: number; readonly body: unknown }
  | { readonly error: PolyphonyError }
);

export interface BatchWire {
  readonly most: { readonly requests: number; readonly bytes: number };
  takes(request: ModelRequest): boolean;
  /** The headers of every request about batches. */
  headers(apiKey: string | undefined): Readonly<Record<string, string>>;
  submit(batch: EncodedBatch, http: BatchHttp): Promise<string>;
  find(batch: EncodedBatch, since: number, http: BatchHttp): Promise<string | undefined>;
  poll(id: string, http: BatchHttp): Promise<BatchStatus>;
  results(id: string, http: BatchHttp): AsyncIterable<BatchLine>;
  cancel(id: string, http: BatchHttp): Promise<void>;
}
