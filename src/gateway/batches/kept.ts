/** What the store keeps of calls that wait for a batch, so that any process can go on with them. */
import { createHash } from 'node:crypto';
import type { ErrorRecord } from '../../core/errors.ts';
import type { WaitingBatch } from '../../core/gateway.ts';
import { canonicalJson } from '../../core/json/canonical-json.ts';
import type {
  AttemptRecord,
  ModelEvent,
  ModelRequest,
  ModelResponse,
  Purpose,
  Target,
  Warning,
} from '../../core/model/model.ts';
import type { NanoUsd } from '../../core/money/money.ts';
import type { KeyValueStore, LedgerRow } from '../../core/stores.ts';

export interface KeptCall {
  readonly name: string;
  readonly id: string;
  /** Of the request that was asked: another request with the same id is a mistake. */
  readonly digest: string;
  readonly purpose: Purpose;
  readonly session?: string;
  /** The caller's own. */
  readonly requestId?: string;
  readonly scopes: LedgerRow['scopes'];
  readonly target: Target;
  /** As it is sent: adapted to the target, and limited to what the budget covers. */
  readonly request: ModelRequest;
  readonly warnings: readonly Warning[];
  /** The number of the attempt. */
  readonly number: number;
  readonly bytes: number;
  readonly queuedAt: number;
  readonly deadline?: number;
  /** Counters that hold `heldNanoUsd` each. */
  readonly holds: readonly string[];
  readonly heldNanoUsd: NanoUsd;
}

export interface KeptBatch {
  readonly key: string;
  readonly target: Target;
  /** Names of calls. */
  readonly calls: readonly string[];
  readonly createdAt: number;
  /** When it was sent for the first time, whatever became of it. */
  readonly submittingAt?: number;
  readonly submits: number;
  /** The provider's id. */
  readonly given?: string;
  readonly polls: number;
  /** When its process looks at it again; another process takes it over if that is long past. */
  readonly nextAt: number;
  /** Calls that nobody waits for any more. */
  readonly left: readonly string[];
  /** Of its calls when it was formed. @default they are read, of a batch that an earlier release formed */
  readonly sums?: KeptSums;
}

export type KeptSums = Pick<WaitingBatch, 'heldNanoUsd' | 'queuedAt' | 'deadline'>;

/** What became of a call. */
export interface KeptAnswer {
  readonly id: string;
  readonly digest: string;
  readonly number: number;
  readonly record?: AttemptRecord;
  readonly events?: readonly ModelEvent[];
  readonly error?: ErrorRecord;
  /** The answer of a live call that took its place. */
  readonly response?: ModelResponse;
}

/** The longest that a batch takes with any provider that has them, in milliseconds: the price may change in the meantime. */
export const LONGEST_BATCH_MS = 2 * 86_400_000;
const PREFIX = 'gateway:batches:';
const MOST_KEYS = 200_000;

/** A name that every store and every provider takes. */
export const nameOfCall = (id: string): string => createHash('sha256').update(id).digest('hex').slice(0, 48);
/** Limits change no answer, and a call that is asked again after a restart may have less time. */
export const digestOfRequest = ({ limits: _, ...asked }: ModelRequest): string =>
  createHash('sha256').update(canonicalJson(asked)).digest('hex').slice(0, 32);

export interface BatchStore {
  call(name: string): Promise<KeptCall | undefined>;
  keepCall(call: KeptCall): Promise<void>;
  dropCall(name: string): Promise<void>;
  callNames(): Promise<readonly string[]>;
  /** A call whose money is being reserved: if its process dies then, nobody was told that it was taken. */
  keepDraft(call: KeptCall): Promise<void>;
  dropDraft(name: string): Promise<void>;
  drafts(): Promise<readonly KeptCall[]>;
  batches(): Promise<readonly KeptBatch[]>;
  batch(key: string): Promise<KeptBatch | undefined>;
  keepBatch(batch: KeptBatch): Promise<void>;
  /** With all that was counted for it. */
  dropBatch(key: string): Promise<void>;
  answer(name: string): Promise<KeptAnswer | undefined>;
  answers(limit: number): Promise<readonly KeptAnswer[]>;
  keepAnswer(name: string, answer: KeptAnswer, ttlMs: number): Promise<void>;
  dropAnswer(name: string): Promise<void>;
  /** Somebody, in whatever process, asked to cancel the batch. */
  isCancelled(key: string): Promise<boolean>;
  cancelBatch(key: string): Promise<void>;
}

export const batchCounters = (key: string): { readonly formed: string; readonly submits: string } => ({
  formed: `${PREFIX}formed:${key}`,
  submits: `${PREFIX}submits:${key}`,
});

export function batchStore(keyValue: KeyValueStore): BatchStore {
  const read = async <T>(key: string): Promise<T | undefined> => {
    const value = await keyValue.get(key);
    // The keys are this file's own, so what they hold was written by it.
    return typeof value === 'object' && value !== null ? (value as T) : undefined;
  };
  const namesUnder = async (prefix: string, limit = MOST_KEYS): Promise<readonly string[]> =>
    (await keyValue.keys(prefix, limit)).map((key) => key.slice(prefix.length));
  const of = (kind: string): string => `${PREFIX}${kind}:`;
  const [calls, drafts, batches, answers, cancels] = [of('call'), of('draft'), of('batch'), of('answer'), of('cancel')];
  const all = async <T>(prefix: string, limit?: number): Promise<readonly T[]> => {
    const kept = await Promise.all((await namesUnder(prefix, limit)).map((key) => read<T>(prefix + key)));
    return kept.filter((value) => value !== undefined);
  };
  return {
    call: (name) => read<KeptCall>(calls + name),
    keepCall: (call) => keyValue.set(calls + call.name, call),
    dropCall: (name) => keyValue.delete(calls + name),
    callNames: () => namesUnder(calls),
    keepDraft: (call) => keyValue.set(drafts + call.name, call),
    dropDraft: (name) => keyValue.delete(drafts + name),
    drafts: () => all<KeptCall>(drafts),
    batches: () => all<KeptBatch>(batches),
    batch: (key) => read<KeptBatch>(batches + key),
    keepBatch: (batch) => keyValue.set(batches + batch.key, batch),
    async dropBatch(key) {
      const { formed, submits } = batchCounters(key);
      await keyValue.delete(batches + key);
      await Promise.all([formed, submits, cancels + key].map((counter) => keyValue.delete(counter)));
    },
    answer: (name) => read<KeptAnswer>(answers + name),
    answers: (limit) => all<KeptAnswer>(answers, limit),
    keepAnswer: (name, answer, ttlMs) => keyValue.set(answers + name, answer, { ttlMs }),
    dropAnswer: (name) => keyValue.delete(answers + name),
    isCancelled: async (key) => (await keyValue.get(cancels + key)) !== undefined,
    cancelBatch: (key) => keyValue.set(cancels + key, true, { ttlMs: 2 * LONGEST_BATCH_MS }),
  };
}
