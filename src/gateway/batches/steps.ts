/**
 * The steps of a batched call as one counter, which moves together with its money. A step that was made is refused to everybody
 * else, in whatever process, so a call is held, sent and settled once.
 *
 *     0 → 1 held → 3 in a batch → 11 settled
 *     └─────────┴─→ 12 taken out, and what was held given back
 */
import type { NanoUsd } from '../../core/money/money.ts';
import type { CounterChange, KeyValueStore } from '../../core/stores.ts';
import { batchCounters, type KeptBatch, type KeptCall } from './kept.ts';

const stepKey = (name: string): string => `gateway:batches:step:${name}`;
const SETTLED = 11;
const TAKEN_OUT = 12;

export const holdStep = (name: string): CounterChange => ({ key: stepKey(name), by: 1, limit: 1 });
const batchStep = (name: string): CounterChange => ({ key: stepKey(name), by: 2, limit: 3 });

/** Takes all calls of the batch or none; returns the one that is taken already. */
export async function formBatch(keyValue: KeyValueStore, { key, calls }: KeptBatch): Promise<string | undefined> {
  const formed: CounterChange = { key: batchCounters(key).formed, by: 1, limit: 1 };
  const result = await keyValue.change([...calls.map(batchStep), formed]);
  return result.ok ? undefined : calls[result.refused];
}

export async function isFormed(keyValue: KeyValueStore, key: string): Promise<boolean> {
  const result = await keyValue.change([{ key: batchCounters(key).formed, by: 0 }]);
  return result.ok && (result.values[0] ?? 0) > 0;
}

/** True for one process only: the one that may send the batch for this time. */
export async function maySubmit(keyValue: KeyValueStore, { key, submits }: KeptBatch): Promise<boolean> {
  return (await keyValue.change([{ key: batchCounters(key).submits, by: 1, limit: submits }])).ok;
}

/**
 * Takes a call out before it is part of a batch, and gives back what it holds in the same change: between the two, a process could die.
 *
 * @returns false when it is too late
 */
export async function takeOut(keyValue: KeyValueStore, { name, holds, heldNanoUsd }: KeptCall): Promise<boolean> {
  const key = stepKey(name);
  // A call that holds nothing yet has no counter: it would start too high.
  const held: CounterChange = { key, by: TAKEN_OUT - 1, limit: TAKEN_OUT, initial: TAKEN_OUT };
  const back = holds.map((hold): CounterChange => ({ key: hold, by: -heldNanoUsd }));
  if ((await keyValue.change([held, ...back])).ok) return true;
  if ((await keyValue.change([{ key, by: TAKEN_OUT, limit: TAKEN_OUT }])).ok) return true;
  // Whoever took it out has died before it was dropped.
  return (await keyValue.get(key)) === TAKEN_OUT;
}

/** Makes what is held the real cost (null: unknown, so it stays spent), once. */
export async function settleOnce(
  keyValue: KeyValueStore,
  { name, holds, heldNanoUsd }: KeptCall,
  actualNanoUsd: NanoUsd | null,
): Promise<void> {
  const by = (actualNanoUsd ?? heldNanoUsd) - heldNanoUsd;
  await keyValue.change([{ key: stepKey(name), by: 8, limit: SETTLED }, ...holds.map((key) => ({ key, by }))]);
}

/** Lets the counter of a settled call go with its answer. */
export const forgetStep = (keyValue: KeyValueStore, name: string, ttlMs: number): Promise<void> =>
  keyValue.set(stepKey(name), SETTLED, { ttlMs });

/** The call was never told of, so its id may be used again. */
export const dropStep = (keyValue: KeyValueStore, name: string): Promise<void> => keyValue.delete(stepKey(name));
