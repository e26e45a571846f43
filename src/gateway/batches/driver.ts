/**
 * Drives the batches of this process, and those that others left: collects queued calls, sends and polls, on one timer of the injected
 * clock. The process stays alive for the timer only while somebody waits for an answer.
 *
 * B1. A call is part of one batch at most: all calls of a batch are taken in one change of their counters (see steps.ts).
 * B2. A batch that may have been sent is looked for before it is sent again.
 * B3. A batch or a queued call whose process has been silent for a minute beyond its own time is taken over.
 * B4. What this process waits for moves along with a wall clock that is set: nothing is due earlier or later because of it.
 */

import type { BatchSizeConfig } from '../../core/config.ts';
import { errorRecord } from '../../core/errors.ts';
import type { Target } from '../../core/model/model.ts';
import { clockAheadMs } from '../../core/model/time-left.ts';
import { nameOf, withCredential } from '../calls/target.ts';
import { giveBack } from './accept.ts';
import type { BatchStore, KeptAnswer, KeptBatch, KeptCall } from './kept.ts';
import { sumsOf } from './listing.ts';
import type { QueueParts } from './queue-parts.ts';
import { advance, type BatchParts, cancelSent, REQUEST_MS } from './send.ts';
import { formBatch } from './steps.ts';

const FLUSH_MS = 60_000;
const SIZE = 1000;
const SCAN_MS = 60_000;
const GRACE_MS = 60_000;
/** Smaller steps keep a clock right, in milliseconds. */
const LEAST_SET_MS = 1000;

export interface Driver {
  /** Looks for what other processes left, once in a minute from now on. */
  begin(): void;
  add(call: KeptCall): void;
  /** Nobody waits for the call any more; false: it is not part of a batch of this process. */
  leave(name: string): boolean;
  forget(name: string): void;
  /** The calls that this process drives. */
  names(): ReadonlySet<string>;
  /** Cancels a batch at its provider, whichever process drives it, and looks at it now if this one does. */
  cancelled(batch: KeptBatch): Promise<void>;
  /** Does what is due, soon. */
  wake(): void;
  close(): Promise<void>;
}

export interface DriverOptions {
  readonly parts: QueueParts;
  readonly store: BatchStore;
  readonly deliver: (name: string, answer: KeptAnswer) => void;
  /** Somebody waits, so that the process must stay alive. */
  readonly isAwaited: () => boolean;
  /** The next moment, by the monotonic clock, when who waits does not wait any more; and what happens then. */
  readonly nextDue: () => number;
  readonly due: () => Promise<void>;
}

export function createDriver(options: DriverOptions): Driver {
  return new BatchDriver(options);
}

/** A class, because its methods share what is queued and sent. */
class BatchDriver implements Driver {
  readonly #options: DriverOptions;
  readonly #closing = new AbortController();
  readonly #queued = new Map<string, KeptCall>();
  readonly #batches = new Map<string, KeptBatch>();
  readonly #busy = new Map<string, Promise<void>>();
  #scanAt = Number.POSITIVE_INFINITY;
  #aheadMs: number;
  #cancelTimer: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #hasBegun = false;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#aheadMs = clockAheadMs(options.parts.clock);
  }

  begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#scanAt = 0;
    this.wake();
  }

  add(call: KeptCall): void {
    this.#follow();
    this.#queued.set(call.name, call);
    this.wake();
  }

  leave(name: string): boolean {
    for (const [key, batch] of this.#batches) {
      if (!batch.calls.includes(name)) continue;
      this.#batches.set(key, { ...batch, left: [...batch.left.filter((one) => one !== name), name], nextAt: 0 });
      this.wake();
      return true;
    }
    return false;
  }

  forget(name: string): void {
    this.#queued.delete(name);
  }

  names(): ReadonlySet<string> {
    return new Set([...this.#queued.keys(), ...[...this.#batches.values()].flatMap(({ calls }) => calls)]);
  }

  async cancelled(batch: KeptBatch): Promise<void> {
    // At once, because a process such as that of the command ends before it would look at a batch that it has just taken over.
    await cancelSent(this.#options.parts, this.#closing.signal, batch);
    const own = this.#batches.get(batch.key);
    if (own === undefined) return;
    this.#batches.set(batch.key, { ...own, nextAt: 0 });
    this.wake();
  }

  wake(): void {
    if (this.#closing.signal.aborted) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#running = this.#round()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#running = undefined;
        if (this.#again) this.wake();
        else this.#schedule();
      });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#cancelTimer?.();
    await this.#running;
    await Promise.all(this.#busy.values());
    // The next process need not wait until this one has been silent for long enough.
    for (const batch of this.#batches.values()) if (batch.given !== undefined) await this.#release(batch);
  }

  async #release(batch: KeptBatch): Promise<void> {
    const { parts, store } = this.#options;
    try {
      await store.keepBatch({ ...batch, nextAt: 0 });
    } catch (error) {
      parts.logger?.warn(
        { batch: batch.key, error: errorRecord(error) },
        'A batch could not be left to the next process.',
      );
    }
  }

  async #round(): Promise<void> {
    this.#again = false;
    const { parts, due } = this.#options;
    this.#follow();
    await due();
    if (parts.clock.now() >= this.#scanAt) await this.#scan();
    await this.#form();
    const now = parts.clock.now();
    for (const batch of this.#batches.values()) {
      if (batch.nextAt <= now && !this.#busy.has(batch.key)) this.#advance(batch);
    }
  }

  #schedule(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const { parts, nextDue, isAwaited } = this.#options;
    if (this.#closing.signal.aborted) return;
    this.#follow();
    let at = Math.min(nextDue() + clockAheadMs(parts.clock), this.#scanAt);
    for (const group of this.#groups().values()) at = Math.min(at, this.#readyAt(group));
    for (const { key, nextAt } of this.#batches.values()) if (!this.#busy.has(key)) at = Math.min(at, nextAt);
    if (at === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(0, at - parts.clock.now());
    this.#cancelTimer = parts.clock.schedule(delayMs, () => this.wake(), { background: !isAwaited() });
  }

  #follow(): void {
    const aheadMs = clockAheadMs(this.#options.parts.clock);
    const byMs = aheadMs - this.#aheadMs;
    if (Math.abs(byMs) < LEAST_SET_MS) return;
    this.#aheadMs = aheadMs;
    this.#scanAt += byMs;
    for (const [name, call] of this.#queued) this.#queued.set(name, { ...call, queuedAt: call.queuedAt + byMs });
    for (const [key, batch] of this.#batches) this.#batches.set(key, { ...batch, nextAt: batch.nextAt + byMs });
  }

  #advance(batch: KeptBatch): void {
    const { parts, store, deliver } = this.#options;
    const given: BatchParts = { parts, store, deliver, closing: this.#closing.signal };
    const work = advance(given, batch)
      .then((next) => this.#keep(batch, next))
      .catch((error: unknown) => this.#failed(error, batch))
      .finally(() => {
        this.#busy.delete(batch.key);
        this.wake();
      });
    this.#busy.set(batch.key, work);
  }

  async #keep({ key }: KeptBatch, next: KeptBatch | undefined): Promise<void> {
    this.#follow();
    const { left = [] } = this.#batches.get(key) ?? {};
    if (next === undefined) {
      this.#batches.delete(key);
      return;
    }
    // Who left in the meantime is not forgotten.
    const isNew = left.length > next.left.length;
    const kept = { ...next, left, ...(isNew ? { nextAt: this.#options.parts.clock.now() } : {}) };
    this.#batches.set(key, kept);
    await this.#options.store.keepBatch(kept);
  }

  /** The store fails: everything stays as it is kept, and is tried again. */
  #failed(error: unknown, batch?: KeptBatch): void {
    if (this.#closing.signal.aborted) return;
    const { logger, clock } = this.#options.parts;
    logger?.warn({ error: errorRecord(error) }, 'Batches could not be looked after, which is tried again.');
    this.#follow();
    const at = clock.now() + GRACE_MS;
    this.#scanAt = Math.max(this.#scanAt, at);
    if (batch !== undefined) this.#batches.set(batch.key, { ...batch, nextAt: at });
  }

  #sizes({ provider }: Target): Required<BatchSizeConfig> {
    const { batches } = this.#options.parts.config();
    const { flushMs = batches?.flushMs ?? FLUSH_MS, size = batches?.size ?? SIZE } =
      batches?.providers?.[provider] ?? {};
    return { flushMs, size };
  }

  #groups(): Map<string, KeptCall[]> {
    const groups = new Map<string, KeptCall[]>();
    for (const call of this.#queued.values()) {
      const key = `${nameOf(call.target)} ${call.request.operation}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [call]);
      else group.push(call);
    }
    return groups;
  }

  /** When a group is sent: when it is large enough, or its oldest call has waited long enough. */
  #readyAt(group: readonly KeptCall[]): number {
    const [first] = group;
    if (first === undefined) return Number.POSITIVE_INFINITY;
    const { flushMs, size } = this.#sizes(first.target);
    return group.length >= size ? 0 : first.queuedAt + flushMs;
  }

  async #form(): Promise<void> {
    const now = this.#options.parts.clock.now();
    for (const group of this.#groups().values()) {
      for (let rest = group; rest.length > 0 && this.#readyAt(rest) <= now; ) {
        const calls = this.#together(rest);
        await this.#take(calls);
        rest = rest.slice(calls.length);
      }
    }
  }

  /** The first calls of a group that fit in one batch. */
  #together(group: readonly KeptCall[]): readonly KeptCall[] {
    const [first] = group;
    if (first === undefined) return [];
    const most = this.#options.parts.registry().providers.get(first.target.provider)?.batch?.most;
    const count = Math.min(this.#sizes(first.target).size, most?.requests ?? SIZE);
    let bytes = 0;
    const end = group.findIndex((call, index) => {
      bytes += call.bytes;
      return index > 0 && (index >= count || bytes > (most?.bytes ?? Number.POSITIVE_INFINITY));
    });
    return end === -1 ? group : group.slice(0, end);
  }

  async #take(calls: readonly KeptCall[]): Promise<void> {
    const { parts, store } = this.#options;
    const [first] = calls;
    if (first === undefined) return;
    const now = parts.clock.now();
    let batch: KeptBatch = {
      key: parts.runtime.ids('batch'),
      target: this.#credentialed(first.target),
      calls: calls.map(({ name }) => name),
      createdAt: now,
      submits: 0,
      polls: 0,
      nextAt: now,
      left: [],
      sums: sumsOf(calls),
    };
    for (;;) {
      await store.keepBatch({ ...batch, nextAt: now + 2 * REQUEST_MS });
      const refused = batch.calls.length === 0 ? undefined : await formBatch(parts.keyValue, batch);
      if (refused === undefined) break;
      // Another process has it, or its caller took it out.
      this.#queued.delete(refused);
      const left = batch.calls.filter((name) => name !== refused);
      batch = { ...batch, calls: left, sums: sumsOf(calls.filter(({ name }) => left.includes(name))) };
    }
    for (const name of batch.calls) this.#queued.delete(name);
    if (batch.calls.length === 0) await store.dropBatch(batch.key);
    else this.#batches.set(batch.key, batch);
  }

  #credentialed(target: Target): Target {
    const { registry, credentials, clock } = this.#options.parts;
    const provider = registry().providers.get(target.provider);
    if (provider === undefined) return target;
    const use = { provider, model: target.model, excluded: undefined };
    const pick = credentials.pick(use, target.credential, clock.now());
    return pick.alive ? withCredential(target, pick.label) : target;
  }

  async #scan(): Promise<void> {
    const { parts, store } = this.#options;
    const now = parts.clock.now();
    this.#scanAt = parts.keyValue.lasting === true ? now + SCAN_MS : Number.POSITIVE_INFINITY;
    const taken = new Set<string>();
    for (const batch of await store.batches()) {
      for (const name of batch.calls) taken.add(name);
      const isLeft = !this.#batches.has(batch.key) && batch.nextAt + GRACE_MS <= now;
      if (isLeft) this.#batches.set(batch.key, { ...batch, nextAt: now });
    }
    for (const name of await store.callNames()) {
      if (taken.has(name) || this.#queued.has(name)) continue;
      const call = await store.call(name);
      if (call !== undefined) this.#adopt(call, now);
    }
    for (const draft of await store.drafts()) {
      if (draft.queuedAt + 2 * REQUEST_MS > now) continue;
      if ((await store.call(draft.name)) === undefined) await giveBack(parts.keyValue, store, draft);
      else await store.dropDraft(draft.name);
    }
  }

  #adopt(call: KeptCall, now: number): void {
    const waitedMs = now - call.queuedAt;
    if (waitedMs >= this.#sizes(call.target).flushMs + GRACE_MS) this.#queued.set(call.name, call);
  }
}
