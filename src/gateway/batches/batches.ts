/** The calls of this process that wait for a batch: how they enter, wait, are answered, made at once after all, or cancelled. */
import { isLeftForNow, PolyphonyError } from '../../core/errors.ts';
import type { AnsweredCall, BatchedCall, WaitingBatch } from '../../core/gateway.ts';
import type { Call, CallTrace, ModelRequest } from '../../core/model/model.ts';
import { timeLeftMs } from '../../core/model/time-left.ts';
import { isRelaxedFor } from '../attempt-ring/adapt.ts';
import { batchesOf } from '../attempt-ring/embedding-batches.ts';
import type { Deployment } from '../routing/registry.ts';
import { type RouteOptions, routeOf } from '../routing/route.ts';
import { acceptCall, giveBack } from './accept.ts';
import { createDriver, type Driver } from './driver.ts';
import { keptMs } from './finish.ts';
import { type BatchStore, batchStore, digestOfRequest, type KeptAnswer, type KeptCall, nameOfCall } from './kept.ts';
import { listBatches, listCalls } from './listing.ts';
import type { QueueParts } from './queue-parts.ts';
import { charge, createWaiters, type Ending, type Waiter, type Waiters } from './waiters.ts';

const LIVE_MS = 120_000;
const FLUSH_MS = 60_000;
const PENDING = 10_000;
/** How often the answers of calls that another process drives are looked for, in milliseconds. */
const LOOK_MS = 30_000;

export interface BatchQueue {
  /** Looks for what earlier processes left, once. */
  begin(): void;
  /** Waits for the answer of the batch, or for the reason why the call is made at once. */
  enter(call: Call): Promise<Ending>;
  /** The target of the batch that the call would be part of, or why it would be made at once. */
  placeOf(call: Call): Deployment | { readonly live: string };
  /** The call is not waited for: the process does not stay alive for it. `accepted` is told when it is kept. */
  detach(call: Call, accepted: () => void): void;
  /** A detached call has come to its end, and what became of it is kept if it ever was. */
  ended(call: Call): void;
  list(limit: number): Promise<readonly BatchedCall[]>;
  waiting(): Promise<readonly WaitingBatch[]>;
  answered(limit: number): Promise<readonly AnsweredCall[]>;
  cancel(id: string): Promise<boolean>;
  /** Undefined: it has none yet. @throws not-found */
  answerOf(id: string): Promise<KeptAnswer | undefined>;
  keep(id: string, answer: Pick<KeptAnswer, 'response' | 'error'>): Promise<void>;
  readonly isClosed: boolean;
  /** What is queued or sent stays kept for another process. */
  close(): Promise<void>;
}

export interface BatchQueueOptions {
  readonly parts: () => QueueParts;
  readonly routing: (call: Call) => RouteOptions;
}

export const createBatchQueue = (options: BatchQueueOptions): BatchQueue => new OwnQueue(options);

/** A class, because its methods share who waits; nothing of it is made before it is needed. */
class OwnQueue implements BatchQueue {
  readonly #options: BatchQueueOptions;
  readonly #waiters: Waiters = createWaiters();
  /** By the trace, which all copies of a call share: several calls may be given the same id, and only one of them is taken. */
  readonly #accepted = new WeakMap<CallTrace, () => void>();
  /** How many detached calls with an id have not ended. */
  readonly #detached = new Map<string, number>();
  readonly #entering = new Map<string, Promise<unknown>>();
  #made: { readonly driver: Driver; readonly store: BatchStore } | undefined;
  /** By the monotonic clock. */
  #lookAt = Number.NEGATIVE_INFINITY;
  isClosed = false;

  constructor(options: BatchQueueOptions) {
    this.#options = options;
  }

  begin(): void {
    if (!this.isClosed) this.#parts().driver.begin();
  }

  async enter(call: Call): Promise<Ending> {
    const { store, driver } = this.#parts();
    // What earlier processes left may be what this call waits for.
    this.begin();
    const name = nameOfCall(call.id);
    const known = await this.#known(store, name, call);
    if (known !== undefined) return known;
    // The same call may be entering at this moment.
    await this.#entering.get(name)?.catch(ignore);
    const kept = await store.call(name);
    if (kept !== undefined) {
      assertSame(kept, call);
      return this.#wait(call, kept, undefined);
    }
    const place = this.placeOf(call);
    if ('live' in place) return place;
    if (this.#entering.has(name)) return this.enter(call);
    const entering = acceptCall(this.#options.parts(), store, call, place);
    this.#entering.set(name, entering);
    try {
      const accepted = await entering;
      // Before anybody waits: a caller that has aborted meanwhile takes it out again.
      driver.add(accepted.call);
      return this.#wait(call, accepted.call, accepted.held);
    } finally {
      this.#entering.delete(name);
    }
  }

  placeOf(call: Call): Deployment | { readonly live: string } {
    const { config, clock } = this.#options.parts();
    const { batches } = config();
    if (batches === undefined) return { live: 'the config has no "batches"' };
    const { liveMs = LIVE_MS, flushMs = FLUSH_MS, pending = PENDING } = batches;
    if (timeLeftMs(call, clock) - liveMs <= flushMs) {
      return { live: 'its deadline leaves no time for a batch' };
    }
    if (this.#waiters.count >= pending) return { live: `${pending} calls are waiting already, the most of the config` };
    const able = routeOf(this.#options.routing(call)).filter((deployment) => isOneRequest(deployment, call.request));
    if (able.length === 0) return { live: 'no model that can serve it answers batches' };
    const whole = able.find((deployment) => !isRelaxedFor(call.request, deployment, config(), clock.now()));
    return whole ?? { live: 'it is adapted to its model, which is decided when it is sent' };
  }

  detach({ id, trace }: Call, accepted: () => void): void {
    this.#accepted.set(trace, accepted);
    this.#detached.set(id, (this.#detached.get(id) ?? 0) + 1);
  }

  ended({ id }: Call): void {
    const others = (this.#detached.get(id) ?? 0) - 1;
    if (others > 0) this.#detached.set(id, others);
    else this.#detached.delete(id);
  }

  list(limit: number): Promise<readonly BatchedCall[]> {
    return listCalls(this.#parts().store, limit);
  }

  waiting(): Promise<readonly WaitingBatch[]> {
    return listBatches(this.#parts().store);
  }

  async answered(limit: number): Promise<readonly AnsweredCall[]> {
    const answers = await this.#parts().store.answers(limit);
    return answers.map(({ id, record, response, error }) => ({
      id,
      error: error?.code ?? null,
      costNanoUsd: response?.costNanoUsd ?? record?.costNanoUsd ?? null,
    }));
  }

  async cancel(id: string): Promise<boolean> {
    const { store, driver } = this.#parts();
    const name = nameOfCall(id);
    const call = await store.call(name);
    if (call !== undefined) {
      const error = new PolyphonyError('cancelled', `The batched call "${id}" was cancelled.`);
      this.#waiters.end(name, { error });
      await this.#leave(call);
      const { code, message, retryable } = error;
      const answer: KeptAnswer = { id, digest: call.digest, number: call.number, error: { code, message, retryable } };
      await store.keepAnswer(name, answer, keptMs(this.#options.parts().config().batches));
      return true;
    }
    const batch = await store.batch(id);
    if (batch === undefined) return false;
    await store.cancelBatch(id);
    await driver.cancelled(batch);
    return true;
  }

  async answerOf(id: string): Promise<KeptAnswer | undefined> {
    const { store } = this.#parts();
    if (this.#detached.has(id)) return undefined;
    const name = nameOfCall(id);
    const answer = await store.answer(name);
    if (answer !== undefined) return answer;
    if ((await store.call(name)) !== undefined) return undefined;
    const message = `No batched call has the id "${id}", or its answer is no longer kept: ask it again.`;
    throw new PolyphonyError('not-found', message);
  }

  async keep(id: string, answer: Pick<KeptAnswer, 'response' | 'error'>): Promise<void> {
    const { store } = this.#parts();
    const name = nameOfCall(id);
    const { digest = '', number = 1 } = (await store.answer(name)) ?? {};
    const kept = { id, digest, number, ...answer };
    await store.keepAnswer(name, kept, keptMs(this.#options.parts().config().batches));
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const name of this.#waiters.names()) this.#waiters.end(name, { error: closed() });
    await this.#made?.driver.close();
  }

  #parts(): { readonly driver: Driver; readonly store: BatchStore } {
    if (this.#made !== undefined) return this.#made;
    const parts = this.#options.parts();
    const waiters = this.#waiters;
    const store = batchStore(parts.keyValue);
    const driver = createDriver({
      parts,
      store,
      deliver: (name, answer) => waiters.end(name, { answer }),
      isAwaited: () => waiters.isAwaited,
      nextDue: () => (waiters.count === 0 ? Number.POSITIVE_INFINITY : Math.min(waiters.nextDue, this.#lookAt)),
      due: () => this.#due(),
    });
    this.#made = { driver, store };
    return this.#made;
  }

  /** An earlier call with this id may have been answered, by whichever process. */
  async #known(store: BatchStore, name: string, call: Call): Promise<Ending | undefined> {
    const answer = await store.answer(name);
    if (answer === undefined) return undefined;
    assertSame(answer, call);
    charge({ call, held: undefined }, answer);
    return { answer };
  }

  /** Who has waited long enough is answered at once; answers that other processes fetched are looked for now and then. */
  async #due(): Promise<void> {
    const { store, driver } = this.#parts();
    const { keyValue, clock } = this.#options.parts();
    for (const name of this.#waiters.due(clock.monotonic())) {
      const call = await store.call(name);
      this.#waiters.end(name, { live: 'its deadline is near and its batch has not answered' });
      driver.forget(name);
      if (call !== undefined && !(await giveBack(keyValue, store, call))) driver.leave(name);
    }
    if (clock.monotonic() < this.#lookAt) return;
    this.#lookAt = clock.monotonic() + LOOK_MS;
    const own = driver.names();
    for (const name of this.#waiters.names()) {
      if (own.has(name)) continue;
      const answer = await store.answer(name);
      if (answer !== undefined) this.#waiters.end(name, { answer });
      else if ((await store.call(name)) === undefined)
        this.#waiters.end(name, { live: 'its batch is not known any more' });
    }
  }

  #wait(call: Call, kept: KeptCall, held: Waiter['held']): Promise<Ending> {
    const { config, clock } = this.#options.parts();
    const { liveMs = LIVE_MS } = config().batches ?? {};
    const accepted = this.#accepted.get(call.trace);
    const waiter: Waiter = {
      call,
      name: kept.name,
      held,
      liveAt: clock.monotonic() + timeLeftMs(call, clock) - liveMs,
      isAwaited: accepted === undefined,
    };
    const waiting = this.#waiters.wait(waiter, () => {
      if (!isLeftForNow(call.signal)) void this.#leave(kept).catch(ignore);
    });
    this.#lookAt = Math.min(this.#lookAt, clock.monotonic() + LOOK_MS);
    accepted?.();
    this.#parts().driver.wake();
    return waiting;
  }

  /** Nobody in this process waits for it any more: it is taken out, or no longer counts for its batch. */
  async #leave(call: KeptCall): Promise<void> {
    const { store, driver } = this.#parts();
    if (this.#waiters.has(call.name)) return;
    driver.forget(call.name);
    if (!(await giveBack(this.#options.parts().keyValue, store, call))) driver.leave(call.name);
    driver.wake();
  }
}

/** A batch has one request for each call; texts that need several are embedded at once. */
function isOneRequest({ provider, card }: Deployment, request: ModelRequest): boolean {
  if (provider.batch?.takes(request) !== true) return false;
  return (
    request.operation !== 'embed' ||
    batchesOf(request, card.embeddingBatch ?? provider.embeddingBatch?.(card)) === undefined
  );
}

function ignore(): void {}

function assertSame({ id, digest }: Pick<KeptAnswer, 'id' | 'digest'>, { request }: Call): void {
  // The answer of a live call has no digest.
  if (digest === '' || digest === digestOfRequest(request)) return;
  throw new PolyphonyError(
    'invalid-request',
    `The id "${id}" belongs to a batched call with another request: give each call its own id.`,
  );
}

const closed = (): PolyphonyError =>
  new PolyphonyError(
    'cancelled',
    'The gateway was closed while this call waited for its batch. It stays kept: ask again with the same id, or fetch it by "batches.result".',
  );
