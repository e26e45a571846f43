/** How calls are repeated and timed, and what follows a failure. */
import type { FallbackPromptConfig } from './adapt-config.ts';

export interface FallbacksConfig {
  /** Models tried when a text is too long for the chosen one, at most 20. @default the router's order */
  readonly contextWindow?: readonly string[];
  /** Models tried when the provider refuses a text, at most 20. @default the router's order */
  readonly contentPolicy?: readonly string[];
  /** Texts for a model that answers in the place of another, at most 100; the first that fits counts. @default none */
  readonly prompts?: readonly FallbackPromptConfig[];
}

export interface RetryConfig {
  /** Attempts at one target after the first, 0 to 10. @default 2 */
  readonly retries?: number;
  /** The longest first pause, in milliseconds; it doubles with each further one. @default 500 */
  readonly baseMs?: number;
  /** The longest pause, in milliseconds. @default 30000 */
  readonly maxMs?: number;
}

export interface BreakerConfig {
  /** The number of answers with status 429 within a minute that opens the breaker of a target. @default 3 */
  readonly rateLimits?: number;
  /** The share of failed attempts that opens it, 0.01 to 1. @default 0.5 */
  readonly failureRatio?: number;
  /** The number of attempts before that share counts. @default 10 */
  readonly minimumAttempts?: number;
  /** How long it stays open, in milliseconds. @default 30000 */
  readonly cooldownMs?: number;
}

export interface TimeoutsConfig {
  /** To open a connection, in milliseconds. @default 10000 */
  readonly connectMs?: number;
  /** Where `firstTokenMs` or `answerMs` is not set, it follows what was observed, between a quarter of its default and its default. @default true */
  readonly adaptive?: boolean;
  /** To the first token of a stream, in milliseconds. @default 120000, or less as observed */
  readonly firstTokenMs?: number;
  /** To the end of an answer that is not streamed, in milliseconds. @default 300000, or less as observed */
  readonly answerMs?: number;
  /** Between two pieces of a stream, in milliseconds. @default 60000 */
  readonly idleMs?: number;
  /** One attempt as a whole, in milliseconds. @default 600000 */
  readonly totalMs?: number;
}

export interface ProxyConfig {
  /** For http: addresses, such as `http://host:port`, or `env:NAME` or `file:PATH` for one with a password; empty for none. @default HTTP_PROXY, else ALL_PROXY */
  readonly http?: string;
  /** For https: addresses; empty for none. @default HTTPS_PROXY, else ALL_PROXY */
  readonly https?: string;
  /** Hosts without proxy: names (with all below them), `host:port`, addresses, ranges such as `10.0.0.0/8`, `*` for all. @default NO_PROXY */
  readonly except?: readonly string[];
}

export interface AffinityConfig {
  /** How long a session stays with its model after its last call, in milliseconds. @default 3600000 */
  readonly ttlMs?: number;
}
