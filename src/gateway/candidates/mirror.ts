/**
 * Repeats requests at a candidate once their callers have the answers.
 *
 * R1. It starts after the caller's answer has ended, on a background timer, and waits behind every call of callers (priority of
 *     `probe`).
 * R2. It pays from a cap of its own (`mirrorUsd` a day), never from the scopes of the caller, and it is in no trace of theirs.
 * R3. At most four run at the same time; others are left out. Personal and regulated data is never repeated.
 * R4. Nothing that happens to it reaches a caller, and all of them end at `close`.
 */
import type { Runtime } from '../../core/clock.ts';
import { asPolyphonyError, PolyphonyError } from '../../core/errors.ts';
import type { Call, Handler, Scope } from '../../core/model/model.ts';
import { collect } from '../../core/model/response.ts';
import { dayName, dayOf } from '../../core/money/calendar.ts';
import { usdToNano } from '../../core/money/money.ts';
import { newTrace } from '../calls/call-state.ts';
import type { Registry } from '../routing/registry.ts';
import type { CandidateTrial } from './trial.ts';

const MOST_AT_ONCE = 4;
const MIRROR_USD = 1;

export interface Mirror {
  repeat(trial: CandidateTrial, call: Call, handler: Handler): void;
  close(): Promise<unknown>;
}

export interface MirrorParts {
  readonly runtime: Runtime;
  readonly registry: () => Registry;
}

export function createMirror({ runtime, registry }: MirrorParts): Mirror {
  const { clock, ids } = runtime;
  const running = new Set<Promise<void>>();
  const waiting = new Set<() => void>();
  const closing = new AbortController();
  const begin = (trial: CandidateTrial, call: Call, handler: Handler): void => {
    const order = registry()
      .named(trial.config.model)
      .map(({ target }) => target);
    const repeated: Call = {
      id: ids('mirror'),
      request: call.request,
      signal: closing.signal,
      purpose: 'probe',
      scopes: [payer(trial, clock.now())],
      trace: newTrace(),
      streaming: false,
      order,
    };
    const work = ask(trial, repeated, handler).finally(() => running.delete(work));
    running.add(work);
  };
  return {
    repeat(trial, call, handler) {
      const { sensitivity } = call.request;
      if (closing.signal.aborted || sensitivity === 'personal' || sensitivity === 'regulated') return;
      if (running.size + waiting.size >= MOST_AT_ONCE) {
        trial.mirrored(undefined);
        return;
      }
      const start = (): void => {
        waiting.delete(cancel);
        begin(trial, call, handler);
      };
      const cancel = clock.schedule(0, start, { background: true });
      waiting.add(cancel);
    },
    close() {
      closing.abort(new PolyphonyError('cancelled', 'The gateway was closed.'));
      for (const cancel of waiting) cancel();
      waiting.clear();
      return Promise.all(running);
    },
  };
}

/** A cap of its own for each day. */
function payer({ name, config }: CandidateTrial, nowMs: number): Scope {
  const id = `mirror:${name}:${dayName(dayOf(nowMs))}`;
  return { kind: 'tag', id, capNanoUsd: usdToNano(config.mirrorUsd ?? MIRROR_USD) };
}

async function ask(trial: CandidateTrial, call: Call, handler: Handler): Promise<void> {
  try {
    const { finishReason: reason, ...answer } = await collect(handler(call), call);
    trial.mirrored({ finish: { type: 'finish', reason, ...answer } });
  } catch (error) {
    const { code } = asPolyphonyError(error);
    const isLeftOut = code === 'cancelled' || code === 'budget-exceeded' || code === 'no-route';
    trial.mirrored(isLeftOut ? undefined : { finish: undefined });
  }
}
