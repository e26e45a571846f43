/**
 * When each hosted model was asked last by a sweep, kept in the store between sweeps and processes, so that the money of a sweep that does
 * not suffice for all is spent on those that were asked longest ago.
 */
import { errorRecord } from '../../core/errors.ts';
import { asRecord } from '../../kit/json/json-shape.ts';
import type { GatewayParts } from '../parts.ts';

const KEY = 'gateway:swept';
/** Models that nobody sweeps any more are forgotten with the rest. */
const KEPT_MS = 400 * 86_400_000;
const MOST_MODELS = 2000;
const LONGEST_NAME = 300;

export type SweptParts = Pick<GatewayParts, 'keyValue' | 'logger' | 'runtime'>;

/** Epoch milliseconds by model. */
type Swept = ReadonlyMap<string, number>;

/** Those that were never asked first, then those that were asked longest ago; else in their order. Never rejects. */
export async function longestAgoFirst(parts: SweptParts, models: readonly string[]): Promise<string[]> {
  const swept = await read(parts);
  return [...models].sort((a, b) => (swept.get(a) ?? 0) - (swept.get(b) ?? 0));
}

/** Never rejects. */
export async function keepSwept(parts: SweptParts, models: readonly string[]): Promise<void> {
  if (models.length === 0) return;
  // Another process may have asked others meanwhile.
  const swept = new Map(await read(parts));
  const nowMs = parts.runtime.clock.now();
  for (const model of models) if (model.length <= LONGEST_NAME) swept.set(model, nowMs);
  const newest = [...swept].sort(([, a], [, b]) => b - a).slice(0, MOST_MODELS);
  try {
    await parts.keyValue.set(KEY, Object.fromEntries(newest), { ttlMs: KEPT_MS });
  } catch (error) {
    failed(parts, error);
  }
}

/** What is found in the store is checked; a clock that was set back makes nothing later than now. */
async function read(parts: SweptParts): Promise<Swept> {
  try {
    const nowMs = parts.runtime.clock.now();
    const kept = Object.entries(asRecord(await parts.keyValue.get(KEY)) ?? {}).slice(0, MOST_MODELS);
    return new Map(
      kept.flatMap(([model, at]) =>
        model.length <= LONGEST_NAME && typeof at === 'number' && at > 0 ? [[model, Math.min(at, nowMs)] as const] : [],
      ),
    );
  } catch (error) {
    failed(parts, error);
    return new Map();
  }
}

const failed = ({ logger }: SweptParts, error: unknown): void =>
  logger?.warn({ error: errorRecord(error) }, 'Which models a sweep asked last could not be kept.');
