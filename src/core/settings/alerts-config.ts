/** Who is told what the gateway notices, and who may tell it prices. */

export interface WebhookConfig {
  /** Where each event is posted as JSON. */
  readonly url: string;
  /** What signs it, by reference: `env:NAME` or `file:/run/secrets/name`. @default not signed */
  readonly secret?: string;
  /** The types of events, at most 50. @default budget-alert, provider-shifted, spend-drift, token-drift */
  readonly events?: readonly string[];
}

export interface PriceUpdatesConfig {
  /** What signs updates of prices, by reference: `env:NAME` or `file:/run/secrets/name`. */
  readonly secret: string;
}
