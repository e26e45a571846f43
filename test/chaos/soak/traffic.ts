/** Mixed calls, one after the other in each of several workers: whole, streamed, left, cancelled, and runs of plans. */

import type { Random } from '../../../src/core/clock.ts';
import { asPolyphonyError } from '../../../src/core/errors.ts';
import { usdToNano } from '../../../src/core/money/money.ts';
import type { Polyphony } from '../../../src/index.ts';
import { WIRE_NAMES } from '../wires.ts';

export const SOAK_SCOPE = { kind: 'tenant', id: 'soak', capNanoUsd: usdToNano(1_000_000) } as const;

export interface Traffic {
  /** Calls and runs that have ended, by how they ended. */
  readonly endings: Map<string, number>;
  /** Begins no more, and resolves once all that are under way have ended. */
  readonly pause: () => Promise<void>;
  readonly resume: () => void;
}

interface Parts {
  readonly polyphony: Polyphony;
  readonly random: Random;
  readonly workers: number;
  /** One signal for all calls, so that listeners that stay on it are seen. */
  readonly signal: AbortSignal;
}

const plan = (route: string): object => ({
  version: 1,
  nodes: ['one', 'two'].map((id) => ({
    id,
    use: 'llm',
    in: { prompt: id === 'one' ? 'Good day.' : 'Go on: {{one.text}}' },
    model: { route },
    limits: { retries: 1 },
  })),
  output: '{{two.text}}',
});

export function startTraffic(parts: Parts): Traffic {
  const endings = new Map<string, number>();
  let isPaused = true;
  let running: Promise<unknown> = Promise.resolve();
  const work = async (): Promise<void> => {
    while (!isPaused) {
      const ended = await one(parts).catch((error: unknown) => asPolyphonyError(error).code);
      endings.set(ended, (endings.get(ended) ?? 0) + 1);
    }
  };
  return {
    endings,
    async pause() {
      isPaused = true;
      await running;
    },
    resume() {
      isPaused = false;
      running = Promise.all(Array.from({ length: parts.workers }, work));
    },
  };
}

async function one({ polyphony, random, signal }: Parts): Promise<string> {
  const { gateway } = polyphony;
  const route = WIRE_NAMES[Math.floor(random() * WIRE_NAMES.length)] ?? 'chat';
  const request = { messages: [{ role: 'user' as const, content: 'Good day.' }], model: { route } };
  const scopes = [SOAK_SCOPE];
  const kind = random();
  if (kind < 0.35) {
    await gateway.generate(request, { scopes, signal });
    return 'answered';
  }
  if (kind < 0.45)
    return cancelled(Math.ceil(random() * 100), (own) => gateway.stream(request, { scopes, signal: own }));
  if (kind < 0.95) {
    const leaveAfter = kind > 0.85 ? Math.ceil(random() * 4) : Number.POSITIVE_INFINITY;
    return streamed(gateway.stream(request, { scopes, signal }), leaveAfter);
  }
  const made = plan(route) as Parameters<Polyphony['run']>[0];
  await polyphony.run(made, {}, { scopes, signal });
  return 'run done';
}

/** Its caller cancels it after so many milliseconds, unless it has ended. */
async function cancelled(afterMs: number, ask: (signal: AbortSignal) => AsyncIterable<unknown>): Promise<string> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), afterMs);
  try {
    return await streamed(ask(controller.signal), Number.POSITIVE_INFINITY);
  } finally {
    clearTimeout(timer);
  }
}

async function streamed(events: AsyncIterable<unknown>, leaveAfter: number): Promise<string> {
  let count = 0;
  for await (const _ of events) {
    count += 1;
    if (count >= leaveAfter) return 'left';
  }
  return 'streamed';
}
