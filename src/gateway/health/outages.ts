/**
 * Finds out that a provider in a region fails, from the ends of attempts at it.
 *
 * A cumulative sum over successes and failures (Page 1954; for shares of failures Reynolds and Stoumbos 1999): each attempt
 * adds the logarithm of how much more likely its end is at a failure rate of 50 % than at 2 %, and the sum never falls below 0. Above 17
 * it is an outage: six failures in a row, at 10 attempts a second 0.6 seconds. test/laws/outages.test.ts states how often that is a
 * false alarm.
 *
 * O1. A rate limit, a refused key and a fault of the caller are no failures of a provider.
 * O2. Two answers in a row end an outage. Until then the provider is asked after all others for 30 seconds after each failure;
 *     a probe that succeeds ends that at once.
 * O3. Failed probes alone keep calls away for five minutes at most, whatever they say: then calls try it, because a free endpoint that is
 *     gone says nothing of the models.
 */
import type { Clock } from '../../core/clock.ts';
import type { Attempt, Target } from '../../core/model/model.ts';
import type { AttemptEnd, AttemptWatcher } from '../calls/attempt-watcher.ts';
import type { GatewayEvents } from '../gateway-events.ts';

const USUAL_RATE = 0.02;
const OUTAGE_RATE = 0.5;
const FAILED = Math.log(OUTAGE_RATE / USUAL_RATE);
const ANSWERED = Math.log((1 - OUTAGE_RATE) / (1 - USUAL_RATE));
const THRESHOLD = 17;
const ANSWERS_TO_RECOVER = 2;
const AVOIDED_MS = 30_000;
const LONGEST_UNTRIED_MS = 300_000;
const MAX_PLACES = 1024;

interface Place {
  sum: number;
  /** Epoch milliseconds of the first failure that the sum holds. */
  since: number;
  isOut: boolean;
  answers: number;
  /** Monotonic milliseconds until which it is asked last. */
  avoidedUntil: number;
  /** Monotonic milliseconds when a call ended there last, or when probes alone found the outage. */
  triedAt: number;
  /** The target that failed last. */
  failed: Target | undefined;
}

export interface Outages extends AttemptWatcher {
  isAvoided(target: Target): boolean;
  /**
   * A free endpoint of the provider has answered, or has failed: then each place of its targets has, also one that nobody called. A
   * doubtful failure only prolongs outages in which no call was answered yet.
   */
  probed(provider: string, targets: readonly Target[], said: 'answered' | 'failed' | 'doubtful'): void;
  /** For each place of the provider that is out, the target that failed last. */
  out(provider: string): readonly Target[];
}

export function createOutages(clock: Pick<Clock, 'now' | 'monotonic'>, events: GatewayEvents): Outages {
  const places = new Map<string, Place>();
  let out = 0;
  const answered = (name: string, place: Place): void => {
    if (!place.isOut) {
      place.sum = Math.max(0, place.sum + ANSWERED);
      return;
    }
    place.answers += 1;
    if (place.answers < ANSWERS_TO_RECOVER) return;
    out -= 1;
    const outageMs = Math.max(0, clock.now() - place.since);
    Object.assign(place, fresh());
    events.tell({ type: 'recovered', level: 'info', what: name, outageMs, message: `${name} answers again.` });
  };
  const failed = (name: string, place: Place, isCall: boolean): void => {
    const [nowMs, atMs] = [clock.now(), clock.monotonic()];
    if (isCall) place.triedAt = atMs;
    if (place.sum === 0) place.since = nowMs;
    place.answers = 0;
    place.sum += FAILED;
    if (place.sum < THRESHOLD) return;
    if (!place.isOut && !isCall) place.triedAt = atMs;
    place.avoidedUntil = Math.min(atMs + AVOIDED_MS, place.triedAt + LONGEST_UNTRIED_MS);
    if (place.isOut) return;
    place.isOut = true;
    out += 1;
    const message = `${name} fails too often for an accident: it is asked after all others while it does.`;
    events.tell({ type: 'outage', level: 'warn', what: name, since: place.since, message });
  };
  return {
    ended({ target }, end) {
      if (!counts(end)) return;
      const name = placeOf(target);
      if (end.outcome === 'ok') {
        const place = places.get(name);
        if (place !== undefined && (place.isOut || place.sum > 0)) answered(name, place);
        return;
      }
      const place = placeFor(places, name);
      place.failed = target;
      failed(name, place, true);
    },
    isAvoided(target) {
      return out > 0 && (places.get(placeOf(target))?.avoidedUntil ?? 0) > clock.monotonic();
    },
    probed(provider, targets, said) {
      if (said === 'failed') for (const target of targets) placeFor(places, placeOf(target)).failed ??= target;
      for (const [name, place] of places) {
        if (!isOf(provider, name)) continue;
        if (said === 'answered') place.avoidedUntil = 0;
        else if (said === 'failed' || (place.isOut && place.answers === 0)) failed(name, place, false);
      }
    },
    out: (provider) =>
      [...places].flatMap(([name, { isOut, failed: target }]) =>
        isOut && target !== undefined && isOf(provider, name) ? [target] : [],
      ),
  };
}

const counts = ({ outcome, error }: AttemptEnd): boolean =>
  outcome === 'ok' || (outcome === 'blamed' && error?.code !== 'rate-limited');

const placeOf = ({ provider, region }: Attempt['target']): string =>
  region === undefined ? provider : `${provider}@${region}`;

const isOf = (provider: string, name: string): boolean => name === provider || name.startsWith(`${provider}@`);

const fresh = (): Place => ({
  sum: 0,
  since: 0,
  isOut: false,
  answers: 0,
  avoidedUntil: 0,
  triedAt: 0,
  failed: undefined,
});

function placeFor(places: Map<string, Place>, name: string): Place {
  const known = places.get(name);
  if (known !== undefined) return known;
  const [oldest] = [...places].find(([, place]) => !place.isOut) ?? [];
  if (places.size >= MAX_PLACES && oldest !== undefined) places.delete(oldest);
  const made = fresh();
  places.set(name, made);
  return made;
}
