/**
 * One circuit: closed, open until a deadline, then half-open for one probe at a time.
 *
 * B1. It opens after `rateLimits` 429s within a minute, or when `failureRatio` of at least `minimumAttempts` attempts failed
 *     within a minute.
 * B2. While it is open, the LATER deadline wins: no later report shortens it.
 * B3. After the deadline, one probe is admitted. Its success closes the circuit and its failure opens it again. A probe
 *     without a verdict (such as a cancelled one) makes room for the next probe.
 * B4. Zero is a value: a cooldown of 0 goes straight to half-open.
 * B5. A clock that is set back does not lengthen the deadline beyond what was left of it, and the minute begins anew.
 */
import type { BreakerHealth } from '../../../core/gateway.ts';

export interface CircuitPolicy {
  readonly rateLimits: number;
  readonly failureRatio: number;
  readonly minimumAttempts: number;
  readonly cooldownMs: number;
}

export type Verdict = 'ok' | 'failed' | 'rate-limited' | 'none';

export interface Circuit {
  /** `probe` is true for the one request that a half-open circuit admits. */
  admit(
    nowMs: number,
  ): { readonly allowed: true; readonly probe: boolean } | { readonly allowed: false; readonly until: number };
  report(
    verdict: Verdict,
    nowMs: number,
    options: { readonly probe: boolean; readonly retryAfterMs?: number | undefined },
  ): void;
  health(nowMs: number): BreakerHealth;
}

const WINDOW_MS = 60_000;

/** @param changed gets the deadline when it opens, and undefined when it closes; a trial that fails in between changes nothing */
export function createCircuit(policy: () => CircuitPolicy, changed?: (until: number | undefined) => void): Circuit {
  /** undefined: closed. */
  let openUntil: number | undefined;
  let probing = false;
  let rateLimits: number[] = [];
  let outcomes: { readonly at: number; readonly failed: boolean }[] = [];
  let latestMs = Number.NEGATIVE_INFINITY;
  const follow = (nowMs: number): void => {
    if (nowMs < latestMs) {
      if (openUntil !== undefined) openUntil -= latestMs - nowMs;
      rateLimits = [];
      outcomes = [];
    }
    latestMs = nowMs;
  };
  const open = (until: number): void => {
    const isNew = openUntil === undefined;
    openUntil = Math.max(openUntil ?? 0, until);
    rateLimits = [];
    outcomes = [];
    if (isNew) changed?.(openUntil);
  };
  const trips = (nowMs: number): boolean => {
    const { rateLimits: most, failureRatio, minimumAttempts } = policy();
    if (rateLimits.length >= most) return true;
    if (outcomes.length < minimumAttempts) return false;
    const recent = outcomes.filter(({ at }) => at > nowMs - WINDOW_MS);
    const failed = recent.reduce((count, outcome) => count + (outcome.failed ? 1 : 0), 0);
    return recent.length >= minimumAttempts && failed / recent.length >= failureRatio;
  };
  return {
    admit(nowMs) {
      follow(nowMs);
      if (openUntil === undefined) return { allowed: true, probe: false };
      if (nowMs < openUntil) return { allowed: false, until: openUntil };
      if (probing) return { allowed: false, until: nowMs };
      probing = true;
      return { allowed: true, probe: true };
    },
    report(verdict, nowMs, { probe, retryAfterMs = 0 }) {
      follow(nowMs);
      if (probe) probing = false;
      if (verdict === 'none') return;
      const until = nowMs + Math.max(policy().cooldownMs, verdict === 'rate-limited' ? retryAfterMs : 0);
      if (openUntil !== undefined) {
        if (verdict !== 'ok') open(until);
        else if (probe || nowMs >= openUntil) {
          openUntil = undefined;
          changed?.(undefined);
        }
        return;
      }
      if (verdict === 'rate-limited') rateLimits = [...rateLimits.filter((at) => at > nowMs - WINDOW_MS), nowMs];
      else outcomes = remember(outcomes, { at: nowMs, failed: verdict === 'failed' }, nowMs);
      if (verdict !== 'ok' && trips(nowMs)) open(until);
    },
    health(nowMs) {
      follow(nowMs);
      if (openUntil === undefined) return { state: 'closed', until: null };
      return nowMs < openUntil ? { state: 'open', until: openUntil } : { state: 'half-open', until: null };
    },
  };
}

const MAX_OUTCOMES = 200;

/** Keeps the last 200 within a minute. Drops half of them at a time, so that a busy circuit does not copy on every call. */
function remember<O extends { readonly at: number }>(outcomes: O[], outcome: O, nowMs: number): O[] {
  outcomes.push(outcome);
  if (outcomes.length <= MAX_OUTCOMES) return outcomes;
  return outcomes.slice(MAX_OUTCOMES / 2).filter(({ at }) => at > nowMs - WINDOW_MS);
}
