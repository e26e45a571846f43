/**
 * Limits the concurrent requests per endpoint (a provider in a region). The others wait, first come, first served within
 * their priority. A free slot costs no queue and no promise.
 *
 * L1. There are never more open streams than slots, except for nested calls of a call that holds a slot (L3).
 * L2. A waiting attempt fails at once when its signal aborts or its deadline is reached, and leaves the queue.
 * L3. A judge or a moderator of a stream that holds a slot at the same endpoint needs no slot: otherwise each would wait
 *     for the other for ever.
 */
import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import { abortError, PolyphonyError } from '../../core/errors.ts';
import type { Attempt, Handler, Middleware, ModelEvent, Purpose } from '../../core/model/model.ts';
import { onAbort } from '../../core/on-abort.ts';
import { observe, type StreamEnding, type StreamObserver } from '../../kit/streams/observe.ts';
import { attemptStateOf, type CallState, callStateOf } from '../calls/call-state.ts';
import type { Registry } from '../routing/registry.ts';

const DEFAULT_SLOTS = 64;

/** Calls that another call waits for come first, and calls that nobody waits for come last. */
const PRIORITY: Readonly<Record<Purpose, number>> = {
  judge: 0,
  moderation: 0,
  embedding: 0,
  answer: 1,
  planner: 1,
  probe: 2,
};
const isNested = (purpose: Purpose): boolean => PRIORITY[purpose] === 0;

interface Waiter {
  readonly go: () => void;
}

interface Endpoint {
  used: number;
  readonly queues: readonly [Waiter[], Waiter[], Waiter[]];
}

export interface LimiterParts {
  readonly clock: Clock;
  readonly config: () => Config;
  readonly registry: () => Registry;
}

export function limiter(parts: LimiterParts): Middleware<Attempt> {
  const endpoints = new Map<string, Endpoint>();
  return (attempt, next) => {
    const { provider, region } = attempt.target;
    const endpoint = endpointOf(endpoints, region === undefined ? provider : `${provider}@${region}`);
    return observe(new SlotHolder(parts, endpoint, attempt, next));
  };
}

function slotsOf({ config, registry }: LimiterParts, { provider }: Attempt['target']): number {
  return config().concurrency?.[provider] ?? registry().providers.get(provider)?.concurrency ?? DEFAULT_SLOTS;
}

/** A class because there is one per attempt: closures would cost time, methods do not. */
class SlotHolder implements StreamObserver {
  readonly #parts: LimiterParts;
  readonly #endpoint: Endpoint;
  readonly #attempt: Attempt;
  readonly #next: Handler<Attempt>;
  #held = false;

  constructor(parts: LimiterParts, endpoint: Endpoint, attempt: Attempt, next: Handler<Attempt>) {
    this.#parts = parts;
    this.#endpoint = endpoint;
    this.#attempt = attempt;
    this.#next = next;
  }

  start(): Promise<void> | undefined {
    const attempt = this.#attempt;
    const endpoint = this.#endpoint;
    const call = callStateOf(attempt);
    if (isNested(attempt.purpose) && call.holds(endpoint)) return undefined;
    if (endpoint.used < slotsOf(this.#parts, attempt.target) && isIdle(endpoint)) {
      hold(endpoint, call);
      this.#held = true;
      return undefined;
    }
    const { clock } = this.#parts;
    const begun = clock.monotonic();
    return wait(endpoint, attempt, clock).then(() => {
      this.#held = true;
      attemptStateOf(attempt).queueMs = clock.monotonic() - begun;
    });
  }

  open(): AsyncIterable<ModelEvent> {
    return this.#next(this.#attempt);
  }

  end(ending: StreamEnding): StreamEnding {
    const attempt = this.#attempt;
    if (this.#held) free(this.#endpoint, callStateOf(attempt), slotsOf(this.#parts, attempt.target));
    return ending;
  }
}

function endpointOf(endpoints: Map<string, Endpoint>, key: string): Endpoint {
  const known = endpoints.get(key);
  if (known !== undefined) return known;
  const made: Endpoint = { used: 0, queues: [[], [], []] };
  endpoints.set(key, made);
  return made;
}

const isIdle = ({ queues: [first, second, third] }: Endpoint): boolean =>
  first.length === 0 && second.length === 0 && third.length === 0;

function hold(endpoint: Endpoint, call: CallState): void {
  endpoint.used += 1;
  call.hold(endpoint);
}

function free(endpoint: Endpoint, call: CallState, slots: number): void {
  endpoint.used -= 1;
  call.release(endpoint);
  while (endpoint.used < slots) {
    const waiter = endpoint.queues.find((queue) => queue.length > 0)?.shift();
    if (waiter === undefined) return;
    waiter.go();
  }
}

function wait(endpoint: Endpoint, attempt: Attempt, clock: Clock): Promise<void> {
  const { signal, deadline, purpose } = attempt;
  const queue = endpoint.queues[PRIORITY[purpose]] ?? endpoint.queues[1];
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      stopFollowing();
      cancelTimer?.();
    };
    const waiter: Waiter = {
      go() {
        stop();
        hold(endpoint, callStateOf(attempt));
        resolve();
      },
    };
    const giveUp = (error: PolyphonyError): void => {
      stop();
      queue.splice(queue.indexOf(waiter), 1);
      reject(error);
    };
    if (signal.aborted) {
      reject(abortError(signal));
      return;
    }
    const stopFollowing = onAbort(signal, () => giveUp(abortError(signal)));
    const cancelTimer =
      deadline === undefined ? undefined : clock.schedule(deadline - clock.now(), () => giveUp(queuedTooLong(attempt)));
    queue.push(waiter);
  });
}

function queuedTooLong(attempt: Attempt): PolyphonyError {
  const { target } = attempt;
  const message = `The call reached its deadline while it waited for a free connection to ${target.provider}: raise concurrency for this provider, or limits.ms.`;
  const details = { timeout: 'deadline', provider: target.provider };
  const error = new PolyphonyError('timeout', message, { retryable: false, details });
  callStateOf(attempt).blame(error, 'caller');
  return error;
}
