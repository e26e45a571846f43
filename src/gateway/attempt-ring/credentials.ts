/**
 * The labels of a provider's credentials, and which of them may be used now. This file never sees a key.
 *
 * C1. A refused credential (a wrong key, a spent account) is dead for 15 minutes: long enough to stop sending useless
 *     requests, short enough that a topped-up account is used again without a restart. `revive` ends that at once.
 *     One that was refused for a model only (`details.refused: 'model'`, a 403 without a code) stays alive for others.
 * C2. A credential with a retry-after is not used before that time, for any model or call, because they share one quota.
 * C3. Usable credentials take turns.
 * C4. Of several usable ones, one with room in the limits that were announced for it goes first, else the one that has room
 *     first.
 * C5. A credential that the call excludes does not exist for that call, dead or alive.
 * C6. A clock that is set back lengthens no wait beyond what was left of it.
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
  /** The models for which alone it is dead; undefined for none, which is the common case. */
  forbidden: Map<string, Forbidden> | undefined;
}

interface Forbidden {
  until: number;
  readonly reason: string;
}

/** Most models that are kept of a credential; the one that was refused first is forgotten. */
const MAX_FORBIDDEN = 256;

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

/** When the announced limits of a credential have room for what is to be sent, in epoch milliseconds. */
export type RoomOf = (label: string | undefined) => number;

/** Of whose credentials is asked, and for which model. */
export interface CredentialUse {
  readonly provider: Provider;
  readonly model: string;
  readonly excluded: ExcludedLabels;
}

export interface Credentials {
  /** Returns `asked` if it may be used now and has room. */
  pick(use: CredentialUse, asked: string | undefined, nowMs: number, room?: RoomOf): Pick;
  refuse(use: CredentialUse, label: string | undefined, error: PolyphonyError, nowMs: number): void;
  /** Keeps the credential unused for `waitMs`. */
  rest(provider: Provider, label: string | undefined, nowMs: number, waitMs: number): void;
  /** The ids of providers of which some credential is kept unused now; undefined: of none. */
  resting(nowMs: number): ReadonlySet<string> | undefined;
  /** True when a credential may be used now. Does not advance the turn. */
  ready(use: CredentialUse, nowMs: number): boolean;
  /** Why each was refused; undefined unless all are dead. */
  deadReasons(use: CredentialUse, nowMs: number): readonly string[] | undefined;
  /** The number of credentials that may be used, now or after a wait. */
  alive(use: CredentialUse, nowMs: number): number;
  /** For display, in the provider's order. */
  states(provider: Provider, model: string, nowMs: number): readonly CredentialState[];
  /** Those that are dead for every model. */
  refused(provider: Provider, nowMs: number): readonly (string | undefined)[];
  /** Uses one of them again. */
  reviveOne(provider: Provider, label: string | undefined): void;
  /** Makes the dead ones usable again, of one provider or of all. Returns how many were dead. Waits are kept. */
  revive(nowMs: number, providerId?: string): number;
}

export type CredentialState = Omit<CredentialHealth, 'limits' | 'stated'>;

export function createCredentials(): Credentials {
  const pools = new Map<string, Pool>();
  let latestMs = Number.NEGATIVE_INFINITY;
  /** None is kept unused after that. */
  let restingUntil = Number.NEGATIVE_INFINITY;
  const poolOf = (provider: Provider, nowMs = latestMs): Pool => {
    if (nowMs < latestMs) for (const { all } of pools.values()) for (const one of all) moveBack(one, latestMs - nowMs);
    latestMs = nowMs;
    const known = pools.get(provider.id);
    const labels = provider.credentials?.length ? provider.credentials : UNNAMED;
    if (known !== undefined && known.labels === labels) return known;
    if (known !== undefined && known.all.length === labels.length) {
      if (known.all.every(({ label }, index) => label === labels[index])) return known;
    }
    const kept = (label: string | undefined): Credential =>
      known?.all.find((one) => one.label === label) ?? fresh(label);
    const pool = { labels, all: labels.map(kept), turn: 0 };
    pools.set(provider.id, pool);
    return pool;
  };
  const find = (provider: Provider, label: string | undefined, nowMs?: number): Credential | undefined =>
    poolOf(provider, nowMs).all.find((one) => one.label === label);
  return {
    pick(use, asked, nowMs, room) {
      const { provider, model, excluded } = use;
      const pool = poolOf(provider, nowMs);
      const wanted = asked === undefined || excluded?.has(asked) ? undefined : find(provider, asked);
      if (wanted !== undefined && usable(wanted, model, nowMs) && (room?.(asked) ?? nowMs) <= nowMs) {
        return { alive: true, label: wanted.label, readyAt: nowMs };
      }
      const chosen = choose(pool, use, nowMs, room);
      if (chosen === undefined) return { alive: false, reasons: reasonsOf(of(pool, excluded), model, nowMs) };
      return { alive: true, label: chosen.label, readyAt: Math.max(nowMs, chosen.readyAt) };
    },
    refuse({ provider, model }, label, error, nowMs) {
      const credential = find(provider, label, nowMs);
      if (credential === undefined) return;
      const isOnly = label === undefined || poolOf(provider).all.length === 1;
      const reason = isOnly ? error.message : `${label}: ${error.message}`;
      const until = nowMs + DEAD_MS;
      if (error.details?.refused === 'model') forbid(credential, model, { until, reason });
      else Object.assign(credential, { deadUntil: until, reason });
    },
    rest(provider, label, nowMs, waitMs) {
      const credential = find(provider, label, nowMs);
      if (credential === undefined) return;
      credential.readyAt = Math.max(credential.readyAt, nowMs + waitMs);
      restingUntil = Math.max(restingUntil, credential.readyAt);
    },
    resting(nowMs) {
      if (nowMs >= restingUntil) return undefined;
      const ids = [...pools].flatMap(([id, { all }]) => (all.some(({ readyAt }) => readyAt > nowMs) ? [id] : []));
      return ids.length === 0 ? undefined : new Set(ids);
    },
    ready: ({ provider, model, excluded }, nowMs) =>
      of(poolOf(provider, nowMs), excluded).some((one) => usable(one, model, nowMs)),
    deadReasons({ provider, model, excluded }, nowMs) {
      const all = of(poolOf(provider, nowMs), excluded);
      return all.every((one) => isDead(one, model, nowMs)) ? reasonsOf(all, model, nowMs) : undefined;
    },
    alive: ({ provider, model, excluded }, nowMs) =>
      of(poolOf(provider, nowMs), excluded).filter((one) => !isDead(one, model, nowMs)).length,
    states: (provider, model, nowMs) => poolOf(provider, nowMs).all.map((one) => stateOf(one, model, nowMs)),
    refused: (provider, nowMs) =>
      poolOf(provider, nowMs)
        .all.filter(({ deadUntil }) => deadUntil > nowMs)
        .map(({ label }) => label),
    reviveOne(provider, label) {
      const credential = find(provider, label);
      if (credential !== undefined) Object.assign(credential, { deadUntil: 0, reason: '' });
    },
    revive(nowMs, providerId) {
      let count = 0;
      for (const [id, { all }] of pools) {
        if (providerId === undefined || id === providerId) for (const one of all) count += revived(one, nowMs) ? 1 : 0;
      }
      return count;
    },
  };
}

const fresh = (label: string | undefined): Credential => ({
  label,
  deadUntil: 0,
  readyAt: 0,
  reason: '',
  forbidden: undefined,
});

function moveBack(credential: Credential, ms: number): void {
  credential.deadUntil -= ms;
  credential.readyAt -= ms;
  for (const one of credential.forbidden?.values() ?? []) one.until -= ms;
}

function forbid(credential: Credential, model: string, forbidden: Forbidden): void {
  credential.forbidden ??= new Map();
  const { forbidden: models } = credential;
  models.delete(model);
  const [oldest] = models.keys();
  if (models.size >= MAX_FORBIDDEN && oldest !== undefined) models.delete(oldest);
  models.set(model, forbidden);
}

function revived(credential: Credential, nowMs: number): boolean {
  const { deadUntil, forbidden } = credential;
  const wasDead = deadUntil > nowMs || [...(forbidden?.values() ?? [])].some(({ until }) => until > nowMs);
  Object.assign(credential, { deadUntil: 0, reason: '', forbidden: undefined });
  return wasDead;
}

/** Until when it is dead for the model, and why; undefined for one that is alive. */
function deathOf({ deadUntil, reason, forbidden }: Credential, model: string, nowMs: number): Forbidden | undefined {
  if (deadUntil > nowMs) return { until: deadUntil, reason };
  const death = forbidden?.get(model);
  return death !== undefined && death.until > nowMs ? death : undefined;
}

const isDead = ({ deadUntil, forbidden }: Credential, model: string, nowMs: number): boolean =>
  deadUntil > nowMs || (forbidden !== undefined && (forbidden.get(model)?.until ?? 0) > nowMs);

const reasonsOf = (all: readonly Credential[], model: string, nowMs: number): readonly string[] =>
  all.map((one) => deathOf(one, model, nowMs)?.reason ?? one.reason);

function stateOf(credential: Credential, model: string, nowMs: number): CredentialState {
  const label = credential.label ?? null;
  const death = deathOf(credential, model, nowMs);
  if (death !== undefined) return { label, state: 'refused', until: death.until, reason: scrubText(death.reason) };
  const { readyAt } = credential;
  if (readyAt > nowMs) return { label, state: 'waiting', until: readyAt, reason: null };
  return { label, state: 'ready', until: null, reason: null };
}

const isExcluded = ({ label }: Credential, excluded: ExcludedLabels): boolean =>
  label !== undefined && excluded?.has(label) === true;

const of = ({ all }: Pool, excluded: ExcludedLabels): readonly Credential[] =>
  excluded === undefined ? all : all.filter((one) => !isExcluded(one, excluded));

const usable = (credential: Credential, model: string, nowMs: number): boolean =>
  credential.readyAt <= nowMs && !isDead(credential, model, nowMs);

/** The next of those that are ready and have room, else the one that is so first; undefined when all are dead. */
function choose(
  pool: Pool,
  { model, excluded }: CredentialUse,
  nowMs: number,
  room: RoomOf | undefined,
): Credential | undefined {
  const { all } = pool;
  let earliest: Credential | undefined;
  let earliestAt = Number.POSITIVE_INFINITY;
  for (let step = 0; step < all.length; step += 1) {
    const index = (pool.turn + step) % all.length;
    const credential = all[index];
    if (credential === undefined || isDead(credential, model, nowMs) || isExcluded(credential, excluded)) continue;
    const at = Math.max(credential.readyAt, room?.(credential.label) ?? 0);
    if (at <= nowMs) {
      pool.turn = index + 1;
      return credential;
    }
    if (at >= earliestAt) continue;
    earliest = credential;
    earliestAt = at;
  }
  return earliest;
}
