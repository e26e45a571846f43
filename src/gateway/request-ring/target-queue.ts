/** The targets that one call may still try, and how an error changes them. */
import type { PolyphonyError } from '../../core/errors.ts';
import type { Fault } from '../calls/faults.ts';
import { nameOf } from '../calls/target.ts';
import type { Deployment } from '../routing/registry.ts';
import { namedTargets, type RouteOptions, routeOf } from '../routing/route.ts';

export interface NextTarget {
  readonly deployment: Deployment;
  /** No other target is left. */
  readonly last: boolean;
}

export interface TargetQueue {
  next(): NextTarget | undefined;
  /** Takes note of how the present stop failed; false when nobody else is to be asked. */
  failed(error: PolyphonyError, fault: Fault): boolean;
  /** After a stream broke: lets the present stop serve again where no other is left, at most twice. */
  allowAgain(): void;
}

const MAX_RETURNS = 2;

/** @throws no-route */
export function targetQueue(options: RouteOptions): TargetQueue {
  let queue = [...routeOf(options)];
  const tried = new Set<string>();
  let refused: Deployment | undefined;
  let present: Deployment | undefined;
  let revisited = false;
  let returns = 0;
  const chain = (names: readonly string[] | undefined): Deployment[] | undefined =>
    names && namedTargets(names, options).map(({ deployment }) => deployment);
  const untried = (deployments: readonly Deployment[]): Deployment[] =>
    deployments.filter(({ target }) => !tried.has(nameOf(target)));
  const widen = (failed: Deployment): void => {
    const candidates = chain(options.config.fallbacks?.contextWindow) ?? queue;
    queue = untried(candidates).filter(({ card }) => card.contextTokens > failed.card.contextTokens);
    refused = undefined;
  };
  const appeal = (): boolean => {
    const candidates = chain(options.config.fallbacks?.contentPolicy);
    if (candidates === undefined) return false;
    queue = untried(candidates);
    refused = undefined;
    return true;
  };
  return {
    next() {
      present = queue.shift();
      if (present !== undefined) {
        tried.add(nameOf(present.target));
        return { deployment: present, last: queue.length === 0 && refused === undefined };
      }
      // Every other target has failed: the one whose breaker was open is the lone one left.
      present = refused;
      refused = undefined;
      revisited = true;
      return present && { deployment: present, last: true };
    },
    failed(error, fault) {
      if (fault === 'open-breaker') {
        if (!revisited) refused ??= present;
        return true;
      }
      if (error.code === 'context-window' && present !== undefined) {
        widen(present);
        return true;
      }
      if (error.code === 'content-policy') return appeal();
      return fault !== 'caller';
    },
    allowAgain() {
      if (queue.length > 0 || present === undefined || returns >= MAX_RETURNS) return;
      returns += 1;
      queue.push(present);
    },
  };
}
