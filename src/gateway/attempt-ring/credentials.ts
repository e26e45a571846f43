/**
 * The labels of a provider's credentials, and which of them may be used now. This file never sees a key.
 *
 * C1. A refused credential (401, 402, 403) is dead for 15 minutes: long enough to stop sending useless requests, short
 *     enough that a topped-up account is used again without a restart.
 * C2. A credential with a retry-after is not used before that time, for any model or call, because they share one quota.
 * C3. Usable credentials take turns.
 * C4. A credential that the call excludes does not exist for that call, dead or alive.
 */
import type { PolyphonyError } from '../../core/errors.ts';
import type { CredentialHealth } from '../../core/gateway.ts';
import type { Provider } from '../../core/model/provider.ts';
import { scrubText } from '../../core/scrub.ts';

const DEAD_MS = 900_000;

interface Credential {
  readonly label: string | undefined;
  deadUntil: number;
  readyAt: number;
  reason: string;
}

interface Pool {
  /** The provider's own list; the same object means that nothing changed. */
  readonly labels: readonly (string | undefined)[];
  readonly all: readonly Credential[];
  turn: number;
}

/** The labels that a call must not use; undefined excludes none. */
export type ExcludedLabels = ReadonlySet<string> | undefined;

const UNNAMED: readonly undefined[] = [undefined];

/** A credential that may be used at `readyAt` (epoch milliseconds, now or later), or the reasons why all are dead. */
export type Pick =
  | { readonly alive: true; readonly label: string | undefined; readonly readyAt: number }
  | { readonly alive: false; readonly reasons: readonly string[] };

export interface Credentials {
  /** Returns `asked` if it may be used now. */
  pick(provider: Provider, asked: string | undefined, nowMs: number, excluded?: ExcludedLabels): Pick;
  refuse(provider: Provider, label: string | undefined, error: PolyphonyError, nowMs: number): void;
  /** Keeps the credential unused for `waitMs`. */
  rest(provider: Provider, label: string | undefined, nowMs: number, waitMs: number): void;
  /** True when a credential may be used now. Does not advance the turn. */
  ready(provider: Provider, nowMs: number, excluded?: ExcludedLabels): boolean;
  /** Why each was refused; undefined unless all are dead. */
  deadReasons(provider: Provider, nowMs: number, excluded?: ExcludedLabels): readonly string[] | undefined;
  /** The number of credentials that may be used, now or after a wait. */
  alive(provider: Provider, nowMs: number, excluded?: ExcludedLabels): number;
  /** For display, in the provider's order. */
  states(provider: Provider, nowMs: number): readonly CredentialState[];
}

export type CredentialState = Omit<CredentialHealth, 'limits' | 'stated'>;

export function createCredentials(): Credentials {
  const pools = new Map<string, Pool>();
  const poolOf = (provider: Provider): Pool => {
    const known = pools.get(provider.id);
    const labels = provider.credentials?.length ? provider.credentials : UNNAMED;
    if (known !== undefined && known.labels === labels) return known;
    if (known !== undefined && known.all.length === labels.length) {
      if (known.all.every(({ label }, index) => label === labels[index])) return known;
    }
    const kept = (label: string | undefined): Credential =>
      known?.all.find((one) => one.label === label) ?? { label, deadUntil: 0, readyAt: 0, reason: '' };
    const pool = { labels, all: labels.map(kept), turn: 0 };
    pools.set(provider.id, pool);
    return pool;
  };
  const find = (provider: Provider, label: string | undefined): Credential | undefined =>
    poolOf(provider).all.find((one) => one.label === label);
  return {
    pick(provider, asked, nowMs, excluded) {
      const pool = poolOf(provider);
      const wanted = asked === undefined || excluded?.has(asked) ? undefined : find(provider, asked);
      if (wanted !== undefined && usable(wanted, nowMs)) return { alive: true, label: wanted.label, readyAt: nowMs };
      const chosen = choose(pool, nowMs, excluded);
      if (chosen === undefined) return { alive: false, reasons: of(pool, excluded).map(({ reason }) => reason) };
      return { alive: true, label: chosen.label, readyAt: Math.max(nowMs, chosen.readyAt) };
    },
    refuse(provider, label, error, nowMs) {
      const credential = find(provider, label);
      if (credential === undefined) return;
      credential.deadUntil = nowMs + DEAD_MS;
      const isOnly = label === undefined || poolOf(provider).all.length === 1;
      credential.reason = isOnly ? error.message : `${label}: ${error.message}`;
    },
    rest(provider, label, nowMs, waitMs) {
      const credential = find(provider, label);
      if (credential !== undefined) credential.readyAt = Math.max(credential.readyAt, nowMs + waitMs);
    },
    ready: (provider, nowMs, excluded) => of(poolOf(provider), excluded).some((one) => usable(one, nowMs)),
    deadReasons(provider, nowMs, excluded) {
      const all = of(poolOf(provider), excluded);
      return all.every(({ deadUntil }) => deadUntil > nowMs) ? all.map(({ reason }) => reason) : undefined;
    },
    alive: (provider, nowMs, excluded) =>
      of(poolOf(provider), excluded).filter(({ deadUntil }) => deadUntil <= nowMs).length,
    states: (provider, nowMs) => poolOf(provider).all.map((one) => stateOf(one, nowMs)),
  };
}

function stateOf({ label: name, deadUntil, readyAt, reason }: Credential, nowMs: number): CredentialState {
  const label = name ?? null;
  if (deadUntil > nowMs) return { label, state: 'refused', until: deadUntil, reason: scrubText(reason) };
  if (readyAt > nowMs) return { label, state: 'waiting', until: readyAt, reason: null };
  return { label, state: 'ready', until: null, reason: null };
}

const isExcluded = ({ label }: Credential, excluded: ExcludedLabels): boolean =>
  label !== undefined && excluded?.has(label) === true;

const of = ({ all }: Pool, excluded: ExcludedLabels): readonly Credential[] =>
  excluded === undefined ? all : all.filter((one) => !isExcluded(one, excluded));

const usable = ({ deadUntil, readyAt }: Credential, nowMs: number): boolean => deadUntil <= nowMs && readyAt <= nowMs;

/** The next of those that are ready, else the one that becomes ready first; undefined when all are dead. */
function choose(pool: Pool, nowMs: number, excluded: ExcludedLabels): Credential | undefined {
  const { all } = pool;
  let earliest: Credential | undefined;
  for (let step = 0; step < all.length; step += 1) {
    const index = (pool.turn + step) % all.length;
    const credential = all[index];
    if (credential === undefined || credential.deadUntil > nowMs || isExcluded(credential, excluded)) continue;
    if (credential.readyAt <= nowMs) {
      pool.turn = index + 1;
      return credential;
    }
    if (earliest === undefined || credential.readyAt < earliest.readyAt) earliest = credential;
  }
  return earliest;
}
