/** What a gateway is made of, and what its owner can do with it. */
import type { Runtime } from '../core/clock.ts';
import type { Config } from '../core/config.ts';
import type { Gateway } from '../core/gateway.ts';
import type { EscalationRule, Handler } from '../core/model/model.ts';
import type { Provider, Transport } from '../core/model/provider.ts';
import type { Logger } from '../core/plugin.ts';
import type { AttemptBook, KeyValueStore, UsageLedger } from '../core/stores.ts';
import type { FindCounter, GatewayPlugin } from './gateway-plugin.ts';

export interface GatewayOptions {
  /** @default none; `register` adds more */
  readonly providers?: readonly Provider[];
  /** Plugins, of which the gateway uses the providers, the layers of both rings, `transport` and `rank`. @default none */
  readonly plugins?: readonly GatewayPlugin[];
  /** @default {} */
  readonly config?: Config;
  readonly runtime: Runtime;
  /** Stores the counters of budgets and the targets of sessions. */
  readonly keyValue: KeyValueStore;
  readonly ledger?: UsageLedger;
  /** Used only if it writes to these two stores. @default none */
  readonly attempts?: AttemptBook;
  /** Gets one line per call. @default none, and no layer that would write it */
  readonly logger?: Logger;
  readonly transport: Transport;
}

export interface GatewayHandle extends Gateway {
  /** The request ring itself, for callers that make their own `Call`. */
  readonly handle: Handler;
  /**
   * Adds providers and plugins for calls that begin afterwards. So plugins can be given the gateway before it has their
   * layers.
   *
   * @throws invalid-config for a second provider of the same id, or a place that does not exist
   */
  register(added: { readonly providers?: readonly Provider[]; readonly plugins?: readonly GatewayPlugin[] }): void;
  /**
   * Replaces all plugins, in their new order, for calls that begin afterwards. Two entries may have the same name: the plugin
   * itself, and the parts that its `setup` returned.
   *
   * @throws invalid-config for a second provider of the same id, or a place that does not exist
   */
  replacePlugins(plugins: readonly GatewayPlugin[]): void;
  /**
   * Asks every provider that can list its models for them, at most 3 seconds; calls that begin afterwards see them. A provider
   * that does not answer is logged and keeps the models that it had.
   */
  listModels(): Promise<void>;
  /** Loads what the config needs and this gateway does not have yet. To be called before `reconfigure`. */
  prepare(config: Config): Promise<void>;
  /**
   * Replaces the config for calls that begin afterwards; running calls are not interrupted. Credentials that were refused are
   * used again.
   */
  reconfigure(config: Config): void;
  /**
   * Checks a rule for escalation that no request carries, against the models that are known now.
   *
   * @param whose begins the message, such as `The config cannot be used:`
   * @throws invalid-config for a threshold outside 0 to 1, and for a rung that is neither a tier nor a known model
   */
  checkRule(rule: EscalationRule, whose: string): void;
  /** What providers count for one token of the own estimate, by `provider/model`; the same map while nothing else was learned. */
  tokenRatios(): ReadonlyMap<string, number>;
  /** The exact tokenizers of the plugins that are there now; undefined for none. */
  tokenCounter(): FindCounter | undefined;
  /**
   * Refuses new calls and closes each provider once, then the transport. The stores stay open: their owner closes them. A
   * provider that fails to close, or takes longer than 5 seconds, is logged and does not prevent the others from closing. A second call does nothing.
   */
  close(): Promise<void>;
}
