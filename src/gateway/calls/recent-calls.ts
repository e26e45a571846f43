/** Who answered the last calls, so that a score can be told of an answer by its call. Rings of fixed length: a call makes no object here. */
import type { Scope, Target } from '../../core/model/model.ts';
import type { AttemptWatcher } from './attempt-watcher.ts';

const KEPT = 4096;

export interface RecentCall {
  readonly target: Target;
  /** Fields of work that its request asked for. */
  readonly strengths: readonly string[] | undefined;
  readonly scopes: readonly Scope[];
}

export interface RecentCalls extends AttemptWatcher {
  /** Undefined for a call that was not answered, or is not one of the last 4096. */
  find(callId: string): RecentCall | undefined;
}

export function createRecentCalls(): RecentCalls {
  const ids: string[] = [];
  const targets: Target[] = [];
  const scopes: (readonly Scope[])[] = [];
  const strengths: (readonly string[] | undefined)[] = [];
  let next = 0;
  return {
    ended({ id, target, scopes: payers, request: { model }, purpose }, { outcome }) {
      if (outcome !== 'ok' || purpose !== 'answer') return;
      ids[next] = id;
      targets[next] = target;
      scopes[next] = payers;
      strengths[next] = typeof model === 'object' ? model.strengths : undefined;
      next = (next + 1) % KEPT;
    },
    find(callId) {
      // The latest attempt of a call answered it.
      for (let back = 1; back <= ids.length; back += 1) {
        const at = (next - back + KEPT) % KEPT;
        const [target, payers] = [targets[at], scopes[at]];
        if (ids[at] === callId && target !== undefined && payers !== undefined) {
          return { target, scopes: payers, strengths: strengths[at] };
        }
      }
      return undefined;
    },
  };
}
