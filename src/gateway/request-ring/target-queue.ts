/** The targets that one call may still try, and how an error changes them. */
import type { PolyphonyError } from '../../core/errors.ts';
import type { Attempt, Warning } from '../../core/model/model.ts';
import type { Decision, Lanes } from '../calls/call-state.ts';
import type { Fault } from '../calls/faults.ts';
import { nameOf } from '../calls/target.ts';
import { reasonOf } from '../lines/why.ts';
import { endedWarning } from '../routing/negotiate.ts';
import type { Deployment } from '../routing/registry.ts';
import { namedTargets, type RouteOptions, routeOf } from '../routing/route.ts';
import { tierWarning } from '../routing/tier.ts';

export interface NextTarget {
  readonly deployment: Deployment;
  /** No other target is left. */
  readonly last: boolean;
}

export interface TargetQueue extends Decision {
  /** For the response: the first target has another tier than the asked one, or ends. */
  readonly warning: Warning | undefined;
  next(): NextTarget | undefined;
  /** Records how the current target failed. Returns false when no other target may be tried. */
  failed(error: PolyphonyError, fault: Fault): boolean;
  /** After a broken stream: allows the current target again if no other is left, at most twice. */
  allowAgain(): void;
}

const MAX_RETURNS = 2;

/**
 * @param lanes what two lanes of the same call share: targets that the other one has taken are left out
 * @throws no-route
 */
export const targetQueue = (options: RouteOptions, lanes?: Lanes): TargetQueue => new Queue(options, lanes);

/** A class because there is one per call, and most calls need none of what happens after a failure. */
class Queue implements TargetQueue {
  readonly warning: Warning | undefined;
  readonly count: number;
  readonly #options: RouteOptions;
  readonly #lanes: Lanes | undefined;
  #queue: Deployment[];
  readonly #tried: Deployment[] = [];
  #refused: Deployment | undefined;
  #current: Deployment | undefined;
  #triedRefused = false;
  #returns = 0;

  constructor(options: RouteOptions, lanes: Lanes | undefined) {
    this.#options = options;
    this.#lanes = lanes;
    this.#queue = [...routeOf(options)];
    this.count = this.#queue.length;
    const [first] = this.#queue;
    const ending = first && options.arrangement?.warning(first, options.nowMs);
    this.warning = tierWarning(options, first) ?? endedWarning(options, first) ?? ending;
  }

  why(attempt: Attempt): string {
    return reasonOf(attempt, this.#options, this.count);
  }

  next(): NextTarget | undefined {
    const lanes = this.#lanes;
    if (lanes !== undefined)
      this.#queue = this.#queue.filter((one) => this.#tried.includes(one) || !lanes.has(one.target));
    const next = this.#queue.shift();
    this.#current = next;
    if (next !== undefined) {
      lanes?.take(next.target);
      this.#tried.push(next);
      return { deployment: next, last: this.#queue.length === 0 && this.#refused === undefined };
    }
    // Every other target has failed, so only the one with the open breaker is left.
    this.#current = this.#refused;
    this.#refused = undefined;
    this.#triedRefused = true;
    return this.#current && { deployment: this.#current, last: true };
  }

  failed(error: PolyphonyError, fault: Fault): boolean {
    if (fault === 'open-breaker') {
      if (!this.#triedRefused) this.#refused ??= this.#current;
      return true;
    }
    if (error.code === 'context-window' && this.#current !== undefined) {
      this.#useLargerWindows(this.#current);
      return true;
    }
    if (error.code === 'content-policy') return this.#useContentPolicyChain();
    return fault !== 'caller';
  }

  allowAgain(): void {
    if (this.#queue.length > 0 || this.#current === undefined || this.#returns >= MAX_RETURNS) return;
    this.#returns += 1;
    this.#queue.push(this.#current);
  }

  #useLargerWindows(failed: Deployment): void {
    const candidates = this.#chain(this.#options.config.fallbacks?.contextWindow) ?? this.#queue;
    this.#queue = this.#untried(candidates).filter(({ card }) => card.contextTokens > failed.card.contextTokens);
    this.#refused = undefined;
  }

  #useContentPolicyChain(): boolean {
    const candidates = this.#chain(this.#options.config.fallbacks?.contentPolicy);
    if (candidates === undefined) return false;
    this.#queue = this.#untried(candidates);
    this.#refused = undefined;
    return true;
  }

  #chain(names: readonly string[] | undefined): Deployment[] | undefined {
    return names && namedTargets(names, this.#options).map(({ deployment }) => deployment);
  }

  #untried(deployments: readonly Deployment[]): Deployment[] {
    const tried = new Set(this.#tried.map(({ target }) => nameOf(target)));
    return deployments.filter(({ target }) => !tried.has(nameOf(target)));
  }
}
