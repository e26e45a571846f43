/** Injects faults below providers: delays, refusals, broken and slow answers, chosen by rules, shares and a seed. */
import { type Attempt, type Clock, definePlugin, type Plugin, type Target, type Transport } from 'polyphony/kit';
import { checkOptions } from './chaos/check.ts';
import { draws } from './chaos/draws.ts';
import type { ChaosFault } from './chaos/faults.ts';
import { faulty } from './chaos/faulty.ts';
import { type ChaosRule, matches } from './chaos/rules.ts';

export type { ChaosFault, FaultPlace } from './chaos/faults.ts';
export type { ChaosRule } from './chaos/rules.ts';

/** An attempt that a rule has hit. */
export interface InjectedFault {
  /** The place of the rule in the list, from 0. */
  readonly rule: number;
  readonly fault: ChaosFault;
  readonly target: Target;
  /** Of the ledger row: `<call id>/<number>`. */
  readonly attemptKey: string;
}

export interface ChaosOptions {
  /** Every rule that hits an attempt acts on it; the first is nearest to the server. */
  readonly rules: readonly ChaosRule[];
  /**
   * A whole number that decides which attempts are hit: the n-th attempt that a rule matches is hit or not by the seed alone.
   * @default the random numbers of the polyphony
   */
  readonly seed?: number;
  /** Called for every attempt that is hit, before it is asked. What it throws fails the attempt. @default nobody is told */
  readonly onFault?: (injected: InjectedFault) => void;
}

/**
 * For tests and exercises: nothing is injected unless this plugin is registered. Providers that answer without the network are
 * not hit.
 *
 * @throws invalid-config naming the rule and the field that cannot be used
 */
export function chaos(options: ChaosOptions): Plugin {
  // From JavaScript, nothing may be given: that is no rule either.
  checkOptions(options ?? {});
  const { rules, seed, onFault } = options;
  return definePlugin({
    name: 'chaos',
    setup({ clock, random, logger }) {
      logger.warn(
        { rules: rules.length },
        'The chaos plugin injects faults into calls. Leave it out where answers matter.',
      );
      const states = rules.map((rule, index) => ({ rule, index, draw: draws(seed, index, random), hits: 0 }));
      const drawn = (attempt: Attempt): readonly InjectedFault[] =>
        states.flatMap((state) => {
          const { rule, index, draw } = state;
          if (!matches(rule, attempt) || !(draw() < (rule.share ?? 1))) return [];
          if (state.hits >= (rule.most ?? Number.POSITIVE_INFINITY)) return [];
          state.hits += 1;
          return [injected(attempt, rule, index)];
        });
      return {
        transport(inner, attempt) {
          const faults = drawn(attempt);
          for (const one of faults) {
            logger.debug(
              { rule: one.rule, fault: one.fault.type, attempt: one.attemptKey },
              'chaos: a fault is injected',
            );
            onFault?.(one);
          }
          return wrapped(inner, faults, clock);
        },
      };
    },
  });
}

const injected = ({ id, number, target }: Attempt, rule: ChaosRule, index: number): InjectedFault => ({
  rule: index,
  fault: rule.fault,
  target,
  attemptKey: `${id}/${number}`,
});

const wrapped = (inner: Transport, faults: readonly InjectedFault[], clock: Clock): Transport =>
  faults.reduce((network, { fault }) => faulty(network, fault, clock), inner);
