/**
 * Which targets of a route are too slow for it (`p95Ms` of the config).
 *
 * S1. A target is left while more than a twentieth of its answers of the window took longer than the limit, and comes back when a
 *     fortieth or less of them do. Between the two nothing changes, so that chance does not move it to and fro.
 * S2. Answers of every call count, whatever route it took. A target that nobody asks comes back when its slow answers are older than
 *     the window.
 * S3. What takes longer than the limit is slow, however it ended. What failed or was cancelled sooner says nothing.
 * S4. Nothing is kept or counted while no route has a limit. What is kept is bounded, however many targets there are.
 */
import type { Clock } from '../../core/clock.ts';
import type { Config, RouteConfig } from '../../core/config.ts';
import type { Target } from '../../core/model/model.ts';
import type { AttemptWatcher } from '../calls/attempt-watcher.ts';
import { nameOf } from '../calls/target.ts';
import type { GatewayEvents } from '../gateway-events.ts';
import { AnswerTimes } from './answer-times.ts';

const WINDOW_MS = 300_000;
const MOST_TARGETS = 1024;
const MOST_LEFT = 4096;
const LEAVES_ABOVE = 1 / 20;
const RETURNS_AT = 1 / 40;

export interface ObservedTime {
  readonly target: Target;
  /** Null without answers. */
  readonly p95Ms: number | null;
  readonly answers: number;
  readonly isLeft: boolean;
}

export interface SlowTargets extends AttemptWatcher {
  /** Asks and tells. */
  isLeft(route: string, target: Target): boolean;
  /** Only asks. */
  observed(route: string, target: Target): ObservedTime;
}

interface SlowParts {
  readonly config: () => Config;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly events: GatewayEvents;
}

interface Limit {
  readonly limitMs: number;
  readonly windowMs: number;
}

export function createSlowTargets({ config, clock, events }: SlowParts): SlowTargets {
  const times = new Map<string, AnswerTimes>();
  /** By route and target, while a target is left. */
  const left = new Set<string>();
  const limitOf = (route: string): Limit | undefined => {
    const routes = config().routes ?? {};
    const { p95Ms, windowMs = WINDOW_MS } = (Object.hasOwn(routes, route) ? routes[route] : undefined) ?? {};
    return p95Ms === undefined ? undefined : { limitMs: p95Ms, windowMs };
  };
  const timesOf = (name: string): AnswerTimes => {
    const known = times.get(name);
    if (known !== undefined) return known;
    const [oldest] = times.keys();
    if (times.size >= MOST_TARGETS && oldest !== undefined) times.delete(oldest);
    const made = new AnswerTimes();
    times.set(name, made);
    return made;
  };
  const decide = (key: string, known: AnswerTimes, { limitMs, windowMs }: Limit): boolean => {
    const { share } = known.count(limitMs, clock.monotonic() - windowMs);
    return left.has(key) ? share > RETURNS_AT : share > LEAVES_ABOVE;
  };
  const tell = (route: string, target: Target, known: AnswerTimes, limit: Limit, isLeft: boolean): void => {
    const what = nameOf(target);
    const p95Ms = known.p95(limit.limitMs, clock.monotonic() - limit.windowMs);
    const fields = { route, what, p95Ms, limitMs: limit.limitMs };
    events.tell(
      isLeft
        ? { type: 'route-left', level: 'warn', ...fields, message: leftMessage(what, route, p95Ms, limit.limitMs) }
        : {
            type: 'route-resumed',
            level: 'info',
            ...fields,
            message: `${what} is fast enough again for the route "${route}".`,
          },
    );
  };
  return {
    ended({ target, purpose }, { outcome, totalMs }) {
      const lowestMs = lowestLimit(config().routes);
      if (lowestMs === undefined || (purpose !== 'answer' && purpose !== 'planner')) return;
      if (outcome === 'ok' || totalMs > lowestMs)
        timesOf(nameOf(target)).add(totalMs, outcome === 'ok', clock.monotonic());
    },
    isLeft(route, target) {
      const limit = limitOf(route);
      const known = limit && times.get(nameOf(target));
      if (limit === undefined || known === undefined) return false;
      const key = `${route}\n${nameOf(target)}`;
      const isLeft = decide(key, known, limit);
      if (isLeft === left.has(key) || (isLeft && left.size >= MOST_LEFT)) return isLeft;
      if (isLeft) left.add(key);
      else left.delete(key);
      tell(route, target, known, limit, isLeft);
      return isLeft;
    },
    observed(route, target) {
      const limit = limitOf(route);
      const known = limit && times.get(nameOf(target));
      if (limit === undefined || known === undefined) return { target, p95Ms: null, answers: 0, isLeft: false };
      const since = clock.monotonic() - limit.windowMs;
      const { answers } = known.count(limit.limitMs, since);
      return {
        target,
        p95Ms: known.p95(limit.limitMs, since),
        answers,
        isLeft: decide(`${route}\n${nameOf(target)}`, known, limit),
      };
    },
  };
}

const leftMessage = (what: string, route: string, p95Ms: number | null, limitMs: number): string =>
  `The answers of ${what} took ${Math.round(p95Ms ?? 0)} ms at the 95th percentile, above the ${limitMs} ms of the route "${route}": others come before it until that falls.`;

type RouteConfigs = Readonly<Record<string, RouteConfig>>;

const lowest = new WeakMap<RouteConfigs, number>();

/** Undefined where no route has a limit. */
function lowestLimit(routes: RouteConfigs | undefined): number | undefined {
  if (routes === undefined) return undefined;
  let limitMs = lowest.get(routes);
  if (limitMs === undefined) {
    limitMs = Math.min(...Object.values(routes).map(({ p95Ms }) => p95Ms ?? Number.POSITIVE_INFINITY));
    lowest.set(routes, limitMs);
  }
  return Number.isFinite(limitMs) ? limitMs : undefined;
}
