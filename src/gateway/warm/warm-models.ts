/**
 * Keeps models warm that a serverless endpoint would put to sleep: a request of one token whenever one was idle for so long.
 *
 * K1. Only in a process that has called within ten minutes. A process that has not has no timer, and no timer keeps a process
 *     alive.
 * K2. A call of the process to the model counts, so a busy model gets none.
 * K3. They are charged as `probe` under a cap of their own, a day at a time, and to nobody else. Where the cap is spent, or
 *     the price is unknown, nothing is sent until the next day.
 * K4. Nothing is sent after `close`, and what is under way is cancelled.
 */
import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import { asPolyphonyError } from '../../core/errors.ts';
import type { CallOptions } from '../../core/gateway.ts';
import type { ChatRequest } from '../../core/model/model.ts';
import { usdToNano } from '../../core/money/money.ts';
import { dateAt } from '../../system/clock.ts';
import type { GatewayEvents } from '../gateway-events.ts';

const ACTIVE_MS = 600_000;

export interface WarmParts {
  readonly clock: Clock;
  readonly events: GatewayEvents;
  readonly config: () => Config;
  /** When the model was last sent to, by the monotonic clock; -Infinity: never. */
  readonly usedAt: (model: string) => number;
  readonly ask: (request: ChatRequest, options: CallOptions) => Promise<unknown>;
}

export interface WarmModels {
  /** A call of the process begins. */
  called(): void;
  close(): void;
}

interface Warmed {
  sentAt: number;
  /** The day on which its budget was spent. */
  spentOn: string | undefined;
}

export function createWarmModels({ clock, events, config, usedAt, ask }: WarmParts): WarmModels {
  const models = new Map<string, Warmed>();
  const stop = new AbortController();
  let calledAt = Number.NEGATIVE_INFINITY;
  let cancelTimer: (() => void) | undefined;
  const stateOf = (model: string): Warmed => {
    const known = models.get(model);
    if (known !== undefined) return known;
    const made: Warmed = { sentAt: Number.NEGATIVE_INFINITY, spentOn: undefined };
    models.set(model, made);
    return made;
  };
  const dueAt = (model: string, everyMs: number): number => {
    const last = Math.max(stateOf(model).sentAt, usedAt(model));
    // One that nobody has used yet is warmed a period after the first call of the process.
    return (Number.isFinite(last) ? last : calledAt) + everyMs;
  };
  const send = (model: string, usdPerDay: number): void => {
    const state = stateOf(model);
    const day = dateAt(clock.now()).toISOString().slice(0, 10);
    if (state.spentOn === day) return;
    state.spentOn = undefined;
    const scope = { kind: 'tag', id: `warm=${model} ${day}`, capNanoUsd: usdToNano(usdPerDay) } as const;
    const options = { purpose: 'probe', priority: 'background', scopes: [scope], signal: stop.signal } as const;
    ask(requestTo(model), options).catch((thrown: unknown) => {
      const { code } = asPolyphonyError(thrown);
      if (code !== 'budget-exceeded' || state.spentOn === day) return;
      state.spentOn = day;
      const message = `${model} is not kept warm until tomorrow: its budget of $${usdPerDay} a day is spent, or its price is unknown.`;
      events.tell({ type: 'warming-paused', level: 'warn', message, model });
    });
  };
  const tick = (): void => {
    cancelTimer = undefined;
    const now = clock.monotonic();
    for (const [model, { everyMs, usdPerDay }] of Object.entries(config().warm ?? {})) {
      if (dueAt(model, everyMs) > now) continue;
      stateOf(model).sentAt = now;
      send(model, usdPerDay);
    }
    arm();
  };
  const arm = (): void => {
    const now = clock.monotonic();
    if (stop.signal.aborted || cancelTimer !== undefined) return;
    const due = Object.entries(config().warm ?? {}).map(([model, { everyMs }]) => dueAt(model, everyMs));
    const first = Math.min(...due);
    if (first > calledAt + ACTIVE_MS) return;
    cancelTimer = clock.schedule(Math.max(0, first - now), tick, { background: true });
  };
  return {
    called() {
      calledAt = clock.monotonic();
      if (cancelTimer === undefined) arm();
    },
    close() {
      cancelTimer?.();
      cancelTimer = undefined;
      stop.abort();
    },
  };
}

const requestTo = (model: string): ChatRequest => ({
  operation: 'chat',
  model,
  messages: [{ role: 'user', content: 'Hi' }],
  maxOutputTokens: 1,
  cache: 'skip',
  escalate: false,
  limits: { retries: 0 },
});
