/** The targets that one call may still try, and how an error changes them. */
import type { PolyphonyError } from '../../core/errors.ts';
import type { Warning } from '../../core/model/model.ts';
import type { Fault } from '../calls/faults.ts';
import { nameOf } from '../calls/target.ts';
import type { Deployment } from '../routing/registry.ts';
import { namedTargets, type RouteOptions, routeOf } from '../routing/route.ts';
import { tierWarning } from '../routing/tier.ts';

export interface NextTarget {
  readonly deployment: Deployment;
  /** No other target is left. */
  readonly last: boolean;
}

export interface TargetQueue {
  /** For the response: the first target has another tier than the asked one. */
  readonly warning: Warning | undefined;
  next(): NextTarget | undefined;
  /** Records how the current target failed. Returns false when no other target may be tried. */
  failed(error: PolyphonyError, fault: Fault): boolean;
  /** After a broken stream: allows the current target again if no other is left, at most twice. */
  allowAgain(): void;
}

const MAX_RETURNS = 2;

/** @throws no-route */
export function targetQueue(options: RouteOptions): TargetQueue {
  let queue = [...routeOf(options)];
  const warning = tierWarning(options, queue[0]);
  const tried = new Set<string>();
  let refused: Deployment | undefined;
  let current: Deployment | undefined;
  let triedRefused = false;
  let returns = 0;
  const chain = (names: readonly string[] | undefined): Deployment[] | undefined =>
    names && namedTargets(names, options).map(({ deployment }) => deployment);
  const untried = (deployments: readonly Deployment[]): Deployment[] =>
    deployments.filter(({ target }) => !tried.has(nameOf(target)));
  const useLargerWindows = (failed: Deployment): void => {
    const candidates = chain(options.config.fallbacks?.contextWindow) ?? queue;
    queue = untried(candidates).filter(({ card }) => card.contextTokens > failed.card.contextTokens);
    refused = undefined;
  };
  const useContentPolicyChain = (): boolean => {
    const candidates = chain(options.config.fallbacks?.contentPolicy);
    if (candidates === undefined) return false;
    queue = untried(candidates);
    refused = undefined;
    return true;
  };
  return {
    warning,
    next() {
      current = queue.shift();
      if (current !== undefined) {
        tried.add(nameOf(current.target));
        return { deployment: current, last: queue.length === 0 && refused === undefined };
      }
      // Every other target has failed, so only the one with the open breaker is left.
      current = refused;
      refused = undefined;
      triedRefused = true;
      return current && { deployment: current, last: true };
    },
    failed(error, fault) {
      if (fault === 'open-breaker') {
        if (!triedRefused) refused ??= current;
        return true;
      }
      if (error.code === 'context-window' && current !== undefined) {
        useLargerWindows(current);
        return true;
      }
      if (error.code === 'content-policy') return useContentPolicyChain();
      return fault !== 'caller';
    },
    allowAgain() {
      if (queue.length > 0 || current === undefined || returns >= MAX_RETURNS) return;
      returns += 1;
      queue.push(current);
    },
  };
}
