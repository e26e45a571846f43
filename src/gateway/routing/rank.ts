/**
 * Lets plugins change the order of the router (`Plugin.rank`). Each plugin gets the candidates as the previous one returned
 * them, and returns some or all of them in its own order.
 */
import { asPolyphonyError, PolyphonyError } from '../../core/errors.ts';
import type { Candidate } from '../../core/gateway.ts';
import type { Call } from '../../core/model/model.ts';
import { nameOf } from '../calls/target.ts';
import type { Scored } from './score.ts';

export interface Ranker {
  readonly plugin: string;
  readonly rank: (candidates: readonly Candidate[], call: Call) => readonly Candidate[];
}

export interface Ranking {
  readonly rankers: readonly Ranker[];
  readonly call: Call;
}

export interface RankResult {
  readonly scored: readonly Scored[];
  /** The plugins that changed the order, in the order of their calls. */
  readonly rankedBy: readonly string[];
  /** Maps the name of a target to the plugin that dropped it. */
  readonly droppedBy: ReadonlyMap<string, string>;
}

export const candidateOf = ({ deployment: { target, card }, score, parts, estimatedNanoUsd }: Scored): Candidate => ({
  target,
  card,
  score,
  parts,
  estimatedNanoUsd,
});

/** @throws plugin-failed naming the plugin, if it threw or returned anything but its candidates, each once */
export function rank(scored: readonly Scored[], { rankers, call }: Ranking): RankResult {
  const rankedBy: string[] = [];
  const droppedBy = new Map<string, string>();
  let ordered = scored;
  for (const { plugin, rank: order } of rankers) {
    const given = new Map(ordered.map((one) => [nameOf(one.deployment.target), one]));
    const before = [...given.values()];
    const kept = checked(
      plugin,
      ask(plugin, () => order(before.map(candidateOf), call)),
      given,
    );
    ordered = [...kept.values()];
    if (ordered.length === before.length && ordered.every((one, index) => one === before[index])) continue;
    rankedBy.push(plugin);
    for (const name of given.keys()) if (!kept.has(name)) droppedBy.set(name, plugin);
  }
  return { scored: ordered, rankedBy, droppedBy };
}

function ask(plugin: string, order: () => unknown): unknown {
  try {
    return order();
  } catch (error) {
    throw failed(plugin, asPolyphonyError(error).message, error);
  }
}

function checked(plugin: string, returned: unknown, given: ReadonlyMap<string, Scored>): ReadonlyMap<string, Scored> {
  if (!Array.isArray(returned)) {
    // Nobody waits for it, but what it rejects with must not end the process.
    if (returned instanceof Promise) returned.catch(() => undefined);
    const what = returned instanceof Promise ? 'a promise' : String(returned === null ? null : typeof returned);
    throw failed(plugin, `its rank function returned ${what}: return a list of the candidates, synchronously.`);
  }
  const kept = new Map<string, Scored>();
  for (const candidate of returned as readonly (Partial<Candidate> | null | undefined)[]) {
    const name = nameReturned(candidate);
    const known = given.get(name);
    const rule = known === undefined ? 'was not among the candidates' : 'is in the list twice';
    if (known === undefined || kept.has(name)) {
      throw failed(
        plugin,
        `its rank function returned ${name}, which ${rule}: return only given candidates, each once.`,
      );
    }
    kept.set(name, known);
  }
  return kept;
}

function nameReturned(candidate: Partial<Candidate> | null | undefined): string {
  if (typeof candidate !== 'object' || candidate === null) return String(candidate);
  const { target } = candidate;
  return typeof target === 'object' && target !== null ? nameOf(target) : 'an object without a target';
}

function failed(plugin: string, why: string, cause?: unknown): PolyphonyError {
  const details = { plugin };
  return new PolyphonyError('plugin-failed', `The plugin "${plugin}" failed: ${why}`, { cause, details });
}
