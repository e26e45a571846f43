/** Who waits in this process for the answers of batched calls. */
import { abortError, type PolyphonyError } from '../../core/errors.ts';
import type { Call } from '../../core/model/model.ts';
import { onAbort } from '../../core/on-abort.ts';
import { callStateOf } from '../calls/call-state.ts';
import type { Held } from '../money/reserve-worst-case.ts';
import type { KeptAnswer } from './kept.ts';

/** `live`: why the call is made at once instead. */
export type Ending = { readonly answer: KeptAnswer } | { readonly live: string } | { readonly error: PolyphonyError };

export interface Waiter {
  readonly call: Call;
  readonly name: string;
  /** The request's own cap, which only this process counts. */
  readonly held: Held | undefined;
  /** When it does not wait any more, by the monotonic clock. */
  readonly liveAt: number;
  /** The process stays alive for it. */
  readonly isAwaited: boolean;
}

export interface Waiters {
  /** Resolves when the call has an answer, or does not wait any more; `left` is told when its caller aborts. */
  wait(waiter: Waiter, left: () => void): Promise<Ending>;
  has(name: string): boolean;
  end(name: string, ending: Ending): void;
  readonly count: number;
  readonly isAwaited: boolean;
  /** Infinity: nobody does. */
  readonly nextDue: number;
  names(): readonly string[];
  due(nowMs: number): readonly string[];
}

interface Waiting extends Waiter {
  readonly resolve: (ending: Ending) => void;
}

export function createWaiters(): Waiters {
  const byName = new Map<string, Waiting[]>();
  const all = (): readonly Waiting[] => [...byName.values()].flat();
  const remove = (waiting: Waiting): void => {
    const others = byName.get(waiting.name)?.filter((one) => one !== waiting) ?? [];
    if (others.length === 0) byName.delete(waiting.name);
    else byName.set(waiting.name, others);
  };
  return {
    wait: (waiter, left) =>
      new Promise<Ending>((resolve) => {
        const { signal } = waiter.call;
        const end = (ending: Ending): void => {
          stop();
          remove(waiting);
          resolve(ending);
        };
        const waiting: Waiting = { ...waiter, resolve: end };
        const giveUp = (): void => {
          end({ error: abortError(signal) });
          left();
        };
        byName.set(waiter.name, [...(byName.get(waiter.name) ?? []), waiting]);
        const stop = onAbort(signal, giveUp);
        if (signal.aborted) giveUp();
      }),
    has: (name) => byName.has(name),
    end(name, ending) {
      for (const waiting of byName.get(name) ?? []) {
        if ('answer' in ending) charge(waiting, ending.answer);
        waiting.resolve(ending);
      }
    },
    get count() {
      return byName.size;
    },
    get isAwaited() {
      return all().some(({ isAwaited }) => isAwaited);
    },
    get nextDue() {
      return all().reduce((first, { liveAt }) => Math.min(first, liveAt), Number.POSITIVE_INFINITY);
    },
    names: () => [...byName.keys()],
    due: (nowMs) => [...new Set(all().flatMap(({ liveAt, name }) => (liveAt <= nowMs ? [name] : [])))],
  };
}

/** The attempt counts for the call as any other: in its trace, its cap, and the numbers of those after it. */
export function charge({ call, held }: Pick<Waiter, 'call' | 'held'>, { record, number }: KeptAnswer): void {
  callStateOf(call).attempt(call.id, number).over = true;
  if (record === undefined) return;
  call.trace.attempts.push(record);
  void held?.settle(record.costNanoUsd);
}
