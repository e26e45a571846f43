/** A gateway with fakes around it: a clock driven by hand, memory stores, no network. */
import type { Config } from '../../src/core/config.ts';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { ModelEvent, ModelResponse } from '../../src/core/model/model.ts';
import type { Provider, Transport } from '../../src/core/model/provider.ts';
import type { Logger } from '../../src/core/plugin.ts';
import type { LedgerRow, Stores } from '../../src/core/stores.ts';
import { createGateway, type GatewayHandle } from '../../src/gateway/create-gateway.ts';
import type { GatewayPlugin } from '../../src/gateway/gateway-plugin.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { type FakeRuntime, fakeRuntime } from '../../src/testing/fakes.ts';

export interface Harness {
  readonly gateway: GatewayHandle;
  readonly runtime: FakeRuntime;
  readonly stores: Stores;
  rows(): Promise<readonly LedgerRow[]>;
  /** Advances until the promise settles; what it rejects with is thrown. */
  run<T>(promise: Promise<T>): Promise<T>;
}

export const noTransport: Transport = {
  request: () => Promise.reject(new PolyphonyError('network', 'there is no network in this test')),
  close: () => Promise.resolve(),
};

export function harness(options: {
  readonly providers: readonly Provider[] | ((runtime: FakeRuntime) => readonly Provider[]);
  readonly config?: Config;
  readonly plugins?: readonly GatewayPlugin[];
  readonly stores?: (runtime: FakeRuntime) => Stores;
  readonly seed?: number;
  readonly logger?: Logger;
}): Harness {
  const runtime = fakeRuntime(options.seed);
  const stores = options.stores?.(runtime) ?? memoryStores({ clock: runtime.clock });
  const providers = typeof options.providers === 'function' ? options.providers(runtime) : options.providers;
  const gateway = createGateway({
    providers,
    plugins: options.plugins ?? [],
    config: options.config ?? {},
    runtime,
    keyValue: stores.keyValue,
    ledger: stores.ledger,
    transport: noTransport,
    ...(options.logger === undefined ? {} : { logger: options.logger }),
  });
  return {
    gateway,
    runtime,
    stores,
    async rows() {
      const rows: LedgerRow[] = [];
      for await (const row of stores.ledger.rows()) rows.push(row);
      return rows;
    },
    async run(promise) {
      let settled = false;
      const done = (): void => {
        settled = true;
      };
      promise.then(done, done);
      for (let step = 0; step < 10_000 && !settled; step += 1) await runtime.clock.runAll(1);
      return promise;
    },
  };
}

/** Reads a stream to its end or its error. */
export async function drain(
  stream: AsyncIterable<ModelEvent>,
): Promise<{ readonly events: readonly ModelEvent[]; readonly error?: PolyphonyError }> {
  const events: ModelEvent[] = [];
  try {
    for await (const event of stream) events.push(event);
    return { events };
  } catch (error) {
    if (!(error instanceof PolyphonyError)) throw error;
    return { events, error };
  }
}

/** The error of a call that must fail. */
export async function errorOf(promise: Promise<ModelResponse>): Promise<PolyphonyError> {
  const result = await promise.then(
    (response) => response,
    (error: unknown) => error,
  );
  if (result instanceof PolyphonyError) return result;
  throw new Error(`expected a PolyphonyError, got ${JSON.stringify(result)}`);
}

export const text = (words: string): ModelEvent => ({ type: 'text-delta', text: words });
export const user = (content = 'hi') => ({ messages: [{ role: 'user' as const, content }] });
export const textOfEvents = (events: readonly ModelEvent[]): string =>
  events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
export const fault = (code: PolyphonyError['code'], options?: ConstructorParameters<typeof PolyphonyError>[2]) => ({
  fail: new PolyphonyError(code, `told to fail: ${code}`, options),
});
