/** What a report is based on, in sentences. */
import type { ForecastNode, ForecastPlan } from '../core/run/simulation.ts';
import { ESCALATION_CHANCE, LENGTH_SIGMA, MOST_RETRIES, PRIOR_ATTEMPTS, ROUND_CHANCE, TIME_SIGMA } from './assumed.ts';
import type { ObservedOf } from './samplers.ts';

const MOST_NAMES = 20;

interface Found {
  readonly observed: Map<string, number>;
  readonly stated: Set<string>;
  readonly unstated: Set<string>;
  readonly plans: Set<ForecastPlan>;
  readonly traits: Set<Trait>;
}

type Trait = 'when' | 'each' | 'repeat' | 'escalate' | 'outside' | 'unserved' | 'limits' | 'quorum';

const TRAITS: Readonly<Record<Trait, string>> = {
  when: 'A condition that compares a value with one of several names holds for one of them, all alike; any other condition holds in half of the runs.',
  each: 'A list of unknown length has 10 items on average, exponentially spread, within its minItems and maxItems.',
  repeat: `A repeat takes one more round with a chance of ${ROUND_CHANCE}, until its max.`,
  escalate: `An answer escalates with a chance of ${ESCALATION_CHANCE} at each model.`,
  outside: 'People and events answer at once; a wait takes its seconds.',
  unserved: 'A node that no registered model can serve takes the assumed time, at an unknown price.',
  limits: 'Limits and budgets stop nothing here: how often they would be exceeded is counted.',
  quorum: 'What is cancelled because nobody needs it any more is paid in full.',
};

/** @param asked the runs that were asked for, where the bound on the work allowed fewer */
export function assumptionsOf(plan: ForecastPlan, observedOf: ObservedOf, asked: number | undefined): string[] {
  const found: Found = {
    observed: new Map(),
    stated: new Set(),
    unstated: new Set(),
    plans: new Set(),
    traits: new Set(),
  };
  addPlan(plan, observedOf, found);
  const lines: string[] = [];
  if (asked !== undefined) lines.push(`Fewer runs than the ${asked} asked for: the work of a simulation is bounded.`);
  for (const [name, attempts] of [...found.observed].slice(0, MOST_NAMES))
    lines.push(
      `Times of ${name}: observed in about ${Math.round(attempts)} recent attempts; the figure of its card weighs as much as ${PRIOR_ATTEMPTS}.`,
    );
  if (found.stated.size > 0) lines.push(`Mean times of cards, nothing observed yet: ${listed(found.stated)}.`);
  if (found.unstated.size > 0) lines.push(`Times assumed, because no card states any: ${listed(found.unstated)}.`);
  lines.push(
    `Times are log-normal with sigma ${TIME_SIGMA} where nothing was observed, lengths of answers with sigma ${LENGTH_SIGMA}, up to what the model may write.`,
    `Every call succeeds in the end: an observed error rate costs up to ${MOST_RETRIES} more attempts in time, and no node fails.`,
  );
  for (const trait of Object.keys(TRAITS) as Trait[]) if (found.traits.has(trait)) lines.push(TRAITS[trait]);
  return lines;
}

function addPlan(plan: ForecastPlan, observedOf: ObservedOf, found: Found): void {
  if (found.plans.has(plan)) return;
  found.plans.add(plan);
  for (const node of plan.nodes) {
    addTraits(node, found.traits);
    if (node.work.type === 'workflow') addPlan(node.work.plan, observedOf, found);
    if (node.work.type !== 'models') continue;
    for (const { target, isStated } of node.work.rungs) {
      if (target === undefined) found.traits.add('unserved');
      else addTarget(`${target.provider}/${target.model}`, isStated, observedOf(target)?.attempts ?? 0, found);
    }
  }
}

function addTarget(name: string, isStated: boolean, attempts: number, found: Found): void {
  if (attempts > 0) found.observed.set(name, attempts);
  else if (isStated) found.stated.add(name);
  else found.unstated.add(name);
}

function addTraits(node: ForecastNode, traits: Set<Trait>): void {
  if (node.when !== undefined) traits.add('when');
  if (node.items !== undefined && node.items.low !== node.items.high) traits.add('each');
  if (node.mostRounds > 1) traits.add('repeat');
  if (node.work.type === 'models' && node.work.rungs.length > 1) traits.add('escalate');
  if (node.isOutside) traits.add('outside');
  if (node.limitMs !== undefined) traits.add('limits');
  if (node.quorum > 0 || node.finish) traits.add('quorum');
}

function listed(names: ReadonlySet<string>): string {
  const shown = [...names].slice(0, MOST_NAMES).join(', ');
  return names.size > MOST_NAMES ? `${shown} and ${names.size - MOST_NAMES} more` : shown;
}
