/** What waits for a batch, read no further than what is asked for: the request of a call may be large, and a batch has thousands of calls. */
import type { BatchedCall, WaitingBatch } from '../../core/gateway.ts';
import type { BatchStore, KeptBatch, KeptCall, KeptSums } from './kept.ts';

/** Of the calls of a batch that is formed now. */
export function sumsOf(calls: readonly KeptCall[]): KeptSums {
  const deadlines = calls.flatMap(({ deadline }) => (deadline === undefined ? [] : [deadline]));
  return {
    heldNanoUsd: calls.reduce((sum, call) => sum + heldBy(call), 0),
    queuedAt: calls.reduce((first, { queuedAt }) => Math.min(first, queuedAt), Number.POSITIVE_INFINITY),
    deadline: deadlines.length === 0 ? null : Math.min(...deadlines),
  };
}

const heldBy = ({ holds, heldNanoUsd }: KeptCall): number => (holds.length === 0 ? 0 : heldNanoUsd);

interface Waiting {
  /** The oldest first. */
  readonly batches: readonly KeptBatch[];
  /** The names of all calls that are kept. */
  readonly names: ReadonlySet<string>;
  /** Names of those that are in no batch. */
  readonly queued: readonly string[];
}

async function waitingIn(store: BatchStore): Promise<Waiting> {
  const batches = [...(await store.batches())].sort((one, other) => one.createdAt - other.createdAt);
  const names = new Set(await store.callNames());
  const sent = new Set(batches.flatMap(({ calls }) => calls));
  return { batches, names, queued: [...names].filter((name) => !sent.has(name)) };
}

export async function listCalls(store: BatchStore, limit: number): Promise<readonly BatchedCall[]> {
  const { batches, names, queued } = await waitingIn(store);
  const places = batches.flatMap(({ key, calls }) => calls.map((name) => ({ name, key })));
  const all = [...places, ...queued.map((name) => ({ name, key: null }))].filter(({ name }) => names.has(name));
  const cancelled = new Set<string>();
  for (const { key } of batches) if (await store.isCancelled(key)) cancelled.add(key);
  const calls: BatchedCall[] = [];
  for (const { name, key } of all) {
    if (calls.length >= limit) break;
    const call = await store.call(name);
    if (call === undefined) continue;
    const isCancelled = (key !== null && cancelled.has(key)) || (await store.answer(name)) !== undefined;
    calls.push(listed(call, key, isCancelled));
  }
  return calls.sort((one, other) => one.queuedAt - other.queuedAt);
}

function listed(call: KeptCall, batch: string | null, isCancelled: boolean): BatchedCall {
  const { id, target, queuedAt, deadline = null, scopes } = call;
  const state = isCancelled ? 'cancelled' : batch === null ? 'queued' : 'sent';
  return { id, state, target, batch, queuedAt, deadline, heldNanoUsd: heldBy(call), scopes };
}

/** Reads the calls that are not sent yet, and those of a batch whose sums are not those of its calls any more. */
export async function listBatches(store: BatchStore): Promise<readonly WaitingBatch[]> {
  const { batches, names, queued } = await waitingIn(store);
  const groups: WaitingBatch[] = [];
  for (const { key, target, calls: all, sums } of batches) {
    const calls = all.filter((name) => names.has(name));
    if (calls.length === 0) continue;
    const known = sums !== undefined && calls.length === all.length ? sums : sumsOf(await read(store, calls));
    groups.push({ batch: key, target, calls: calls.length, ...known });
  }
  const byModel = new Map<string, KeptCall[]>();
  for (const call of await read(store, queued)) {
    const model = `${call.target.provider}/${call.target.model}`;
    byModel.set(model, [...(byModel.get(model) ?? []), call]);
  }
  for (const calls of byModel.values()) {
    const [first] = calls;
    if (first !== undefined) groups.push({ batch: null, target: first.target, calls: calls.length, ...sumsOf(calls) });
  }
  return groups.sort((one, other) => one.queuedAt - other.queuedAt);
}

async function read(store: BatchStore, names: readonly string[]): Promise<readonly KeptCall[]> {
  const calls: KeptCall[] = [];
  for (const name of names) {
    const call = await store.call(name);
    if (call !== undefined) calls.push(call);
  }
  return calls;
}
