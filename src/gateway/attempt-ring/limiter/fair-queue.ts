/**
 * Attempts that wait: by priority, and among those of one priority fairly by tenant.
 *
 * Q1. A higher priority goes before a lower one, always.
 * Q2. Tenants of one priority share by weight, by start-time fair queueing (Goyal, Vin, Cheng 1996): each attempt begins at
 *     the later of the queue's virtual time and the end of its tenant's last one; the lowest begin goes first. One tenant's
 *     thousand attempts so delay another's first by one turn.
 * Q3. The attempts of one tenant go in the order in which they came.
 */
import type { Attempt, Call, Purpose } from '../../../core/model/model.ts';
import { add, type MutableWeight, NO_WEIGHT, type Weight } from './weight.ts';

export interface Waiter {
  readonly attempt: Attempt;
  readonly rank: number;
  readonly tenant: string;
  weight: Weight;
  /** Its share of the scarcest limit. */
  readonly cost: number;
  readonly needsSlot: boolean;
  /** When it came, in monotonic milliseconds. */
  readonly since: number;
  readonly go: () => void;
  readonly giveUp: (error: Error) => void;
}

/** An attempt in the queue: where its turn begins, in virtual time. */
export interface Turn {
  readonly waiter: Waiter;
  readonly begin: number;
  readonly order: number;
}

/** Of one tenant: where its last turn ends, and how many of its attempts wait. */
interface Owed {
  end: number;
  waiting: number;
}

/** Who had how many turns, of one priority; the queues of an endpoint share it. */
interface Turns {
  time: number;
  waiting: number;
  order: number;
  readonly tenants: Map<string, Owed>;
  /** How many tenants make it worth looking for those to forget. */
  mostTenants: number;
}

export type TurnsByRank = readonly Turns[];

export const RANKS = 4;
/** Those that wait are kept beyond that. */
const MOST_TENANTS = 4096;

export const newTurns = (): TurnsByRank =>
  Array.from({ length: RANKS }, () => ({
    time: 0,
    waiting: 0,
    order: 0,
    tenants: new Map(),
    mostTenants: MOST_TENANTS,
  }));

interface Rank {
  readonly turns: Turns;
  readonly tenants: Map<string, Turn[]>;
  readonly weight: MutableWeight;
  length: number;
}

export interface FairQueue {
  readonly length: number;
  push(waiter: Waiter): void;
  remove(waiter: Waiter): void;
  /** The next one of the highest priority that has any. */
  head(): Turn | undefined;
  /** Takes the head. */
  shift(): void;
  /** What goes before an attempt that comes now, as far as that is known. */
  ahead(rank: number, tenant: string): Weight;
  waiters(): readonly Waiter[];
  /** Weighs everyone again. */
  weigh(weightOf: (attempt: Attempt) => Weight): void;
}

function owedTo(turns: Turns, name: string): Owed {
  const known = turns.tenants.get(name);
  if (known !== undefined) return known;
  if (turns.tenants.size >= turns.mostTenants) forgetSome(turns);
  const made: Owed = { end: 0, waiting: 0 };
  turns.tenants.set(name, made);
  return made;
}

/** Whoever's last turn is over is owed nothing; of those who are, and wait for nothing, the first are forgotten where there are many. */
function forgetSome(turns: Turns): void {
  const { tenants, time } = turns;
  for (const until of [time, Number.POSITIVE_INFINITY]) {
    for (const [name, { end, waiting }] of tenants) {
      if (tenants.size <= MOST_TENANTS / 2) break;
      if (waiting === 0 && end <= until) tenants.delete(name);
    }
  }
  // So that those who all wait are not looked through for each one that comes.
  turns.mostTenants = Math.max(MOST_TENANTS, 2 * tenants.size);
}

export function fairQueue(byRank: TurnsByRank): FairQueue {
  const ranks: readonly Rank[] = byRank.map((turns) => ({
    turns,
    tenants: new Map(),
    weight: { ...NO_WEIGHT },
    length: 0,
  }));
  let length = 0;
  const first = (): Rank | undefined => (length === 0 ? undefined : ranks.find((one) => one.length > 0));
  const taken = (rank: Rank, { tenant, weight }: Waiter): void => {
    if (rank.tenants.get(tenant)?.length === 0) rank.tenants.delete(tenant);
    add(rank.weight, weight, -1);
    rank.length -= 1;
    rank.turns.waiting -= 1;
    length -= 1;
    // With nobody left, nobody is owed a turn.
    if (rank.turns.waiting === 0) rank.turns.tenants.clear();
    else {
      const owed = rank.turns.tenants.get(tenant);
      if (owed !== undefined) owed.waiting -= 1;
    }
  };
  return {
    get length() {
      return length;
    },
    push(waiter) {
      const rank = ranks[waiter.rank];
      if (rank === undefined) return;
      const { turns, tenants } = rank;
      const owed = owedTo(turns, waiter.tenant);
      const begin = Math.max(turns.time, owed.end);
      owed.end = begin + waiter.cost;
      owed.waiting += 1;
      turns.order += 1;
      const turn = { waiter, begin, order: turns.order };
      const before = tenants.get(waiter.tenant);
      if (before === undefined) tenants.set(waiter.tenant, [turn]);
      else before.push(turn);
      add(rank.weight, waiter.weight);
      rank.length += 1;
      turns.waiting += 1;
      length += 1;
    },
    remove(waiter) {
      const rank = ranks[waiter.rank];
      const turns = rank?.tenants.get(waiter.tenant);
      const at = turns?.findIndex((turn) => turn.waiter === waiter) ?? -1;
      if (rank === undefined || turns === undefined || at === -1) return;
      turns.splice(at, 1);
      taken(rank, waiter);
    },
    head() {
      const rank = first();
      return rank && headOf(rank);
    },
    shift() {
      const rank = first();
      const head = rank && headOf(rank);
      if (rank === undefined || head === undefined) return;
      rank.tenants.get(head.waiter.tenant)?.shift();
      rank.turns.time = Math.max(rank.turns.time, head.begin);
      taken(rank, head.waiter);
    },
    ahead: (rank, tenant) => aheadIn(ranks, rank, tenant),
    waiters: () => ranks.flatMap(waitersOf),
    weigh(weightOf) {
      for (const rank of ranks) {
        Object.assign(rank.weight, NO_WEIGHT);
        for (const waiter of waitersOf(rank)) {
          waiter.weight = weightOf(waiter.attempt);
          add(rank.weight, waiter.weight);
        }
      }
    },
  };
}

const waitersOf = ({ tenants }: Rank): readonly Waiter[] => [...tenants.values()].flat().map(({ waiter }) => waiter);

function headOf({ tenants }: Rank): Turn | undefined {
  let head: Turn | undefined;
  for (const [turn] of tenants.values()) {
    if (turn !== undefined && (head === undefined || isBefore(turn, head))) head = turn;
  }
  return head;
}

function aheadIn(ranks: readonly Rank[], rank: number, tenant: string): Weight {
  const sum: MutableWeight = { ...NO_WEIGHT };
  for (const higher of ranks.slice(0, rank)) add(sum, higher.weight);
  const own = ranks[rank];
  if (own === undefined || own.length === 0) return sum;
  // Every tenant has as many turns before it as its own has waiting, and one more.
  const turns = ((own.tenants.get(tenant)?.length ?? 0) + 1) * own.tenants.size;
  const share = Math.min(1, turns / own.length);
  const { requests, input, output } = own.weight;
  add(sum, { requests: requests * share, input: input * share, output: output * share });
  return sum;
}

export function isBefore(one: Turn, other: Turn): boolean {
  if (one.waiter.rank !== other.waiter.rank) return one.waiter.rank < other.waiter.rank;
  return one.begin === other.begin ? one.order < other.order : one.begin < other.begin;
}

// ---------------------------------------------------------------------------------------------------- who goes before whom

/** Nested calls come first, because another call waits for them; probes come last, because nobody does. */
const NESTED_RANK = 0;
const RANK_OF_PRIORITY = { critical: 1, normal: 2, background: 3 } as const;

export const isNested = (purpose: Purpose): boolean =>
  purpose === 'judge' || purpose === 'moderation' || purpose === 'embedding';

export const rankOf = ({ purpose, priority }: Call): number => {
  if (isNested(purpose)) return NESTED_RANK;
  return purpose === 'probe' ? RANK_OF_PRIORITY.background : RANK_OF_PRIORITY[priority ?? 'normal'];
};

/** Whose turn it is: the tenant, else the team, else the user. */
export function tenantOf({ scopes }: Call): string {
  for (const kind of ['tenant', 'team', 'user'] as const) {
    const scope = scopes.find((one) => one.kind === kind);
    if (scope !== undefined) return `${kind}\n${scope.id}`;
  }
  return '';
}
