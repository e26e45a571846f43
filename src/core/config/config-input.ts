/** The configuration as a caller may give it: with the older names too, which are converted where it comes in. */
import type { AffinityConfig, BreakerConfig, Config, RetryConfig, TimeoutsConfig } from '../config.ts';

/** A config as it may be written: older names are accepted too, see docs/reference/units.md. */
export interface ConfigInput extends Omit<Config, 'retry' | 'breaker' | 'timeouts' | 'affinity'> {
  /** How often and after which pause a failed attempt is repeated at the same target. */
  readonly retry?: RetryConfig & OlderRetryNames;
  /** When a failing target is not used for a while. */
  readonly breaker?: BreakerConfig & OlderBreakerNames;
  /** How long each part of an attempt may take. */
  readonly timeouts?: TimeoutsConfig & OlderTimeoutNames;
  /** How long a session stays with the model that served it. */
  readonly affinity?: AffinityConfig & OlderAffinityNames;
}

export interface OlderRetryNames {
  /** @deprecated Write `baseMs`. */
  readonly baseMilliseconds?: number;
  /** @deprecated Write `maxMs`. */
  readonly maxMilliseconds?: number;
}

export interface OlderBreakerNames {
  /** @deprecated Write `cooldownMs`. */
  readonly cooldownMilliseconds?: number;
}

export interface OlderTimeoutNames {
  /** @deprecated Write `connectMs`. */
  readonly connect?: number;
  /** @deprecated Write `firstTokenMs`. */
  readonly firstToken?: number;
  /** @deprecated Write `answerMs`. */
  readonly answer?: number;
  /** @deprecated Write `idleMs`. */
  readonly idle?: number;
  /** @deprecated Write `totalMs`. */
  readonly total?: number;
}

export interface OlderAffinityNames {
  /** @deprecated Write `ttlMs`, in milliseconds. */
  readonly ttlSeconds?: number;
}
