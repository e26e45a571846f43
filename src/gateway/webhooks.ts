/**
 * Posts events of the gateway to the webhooks of the config. An event is tried five times, with growing pauses; only a lost or
 * busy receiver is tried again. Nothing waits for it but `flush`, which tries what is waiting once more.
 */
import { backOffMs } from '../core/backoff.ts';
import type { Clock, Runtime } from '../core/clock.ts';
import type { Config } from '../core/config.ts';
import { asPolyphonyError, PolyphonyError } from '../core/errors.ts';
import type { GatewayEvent } from '../core/gateway/gateway-events.ts';
import type { Transport } from '../core/model/provider.ts';
import type { Logger } from '../core/plugin.ts';
import { settlesWithin } from '../system/clock.ts';
import { secretOf } from '../system/secret.ts';
import { signatureOf } from '../system/signature.ts';
import type { GatewayEvents } from './gateway-events.ts';

type Webhook = NonNullable<Config['webhooks']>[number];

export interface WebhookParts {
  readonly runtime: Runtime;
  readonly transport: Transport;
  readonly events: GatewayEvents;
  readonly logger?: Logger | undefined;
  readonly config: () => Config;
}

export interface Webhooks {
  /** Tries what is waiting once more, within five seconds. */
  flush(): Promise<void>;
}

const ALERTS: readonly string[] = ['budget-alert', 'provider-shifted', 'spend-drift', 'token-drift'];
const TRIES = 5;
const BASE_MS = 1000;
const MAX_MS = 60_000;
const ANSWER_MS = 10_000;
const FLUSH_MS = 5000;
/** Events on their way; more are dropped, and logged. */
const MOST_WAITING = 100;
const MOST_ANSWER_BYTES = 65_536;

export function createWebhooks(parts: WebhookParts): Webhooks {
  const { runtime, config, logger, events } = parts;
  const pauses = createPauses(runtime.clock);
  const running = new Set<Promise<void>>();
  const begin = (webhook: Webhook, event: GatewayEvent, body: string): void => {
    if (running.size >= MOST_WAITING) {
      logger?.warn({ type: event.type }, `A webhook was not told, because ${MOST_WAITING} events are waiting for one.`);
      return;
    }
    const delivery = deliver(parts, pauses, webhook, body)
      .catch((error: unknown) => {
        const { code, message } = asPolyphonyError(error);
        logger?.warn({ type: event.type, code }, `A webhook could not be told: ${message}`);
      })
      .then(() => void running.delete(delivery));
    running.add(delivery);
  };
  events.listen((event) => {
    const { webhooks } = config();
    const wanted = webhooks?.filter(({ events: types = ALERTS }) => types.includes(event.type));
    if (wanted === undefined || wanted.length === 0) return;
    const body = JSON.stringify({ id: runtime.ids('event'), ...event });
    for (const webhook of wanted) begin(webhook, event, body);
  });
  return {
    async flush() {
      pauses.end();
      await settlesWithin(runtime.clock, FLUSH_MS, Promise.all(running));
    },
  };
}

interface Pauses {
  /** False once they are ended. */
  of(ms: number): Promise<boolean>;
  /** No pause is waited for any longer. */
  end(): void;
}

/** Pauses keep no process alive. */
function createPauses(clock: Clock): Pauses {
  const waiting = new Set<() => void>();
  let isOver = false;
  return {
    async of(ms) {
      if (isOver) return false;
      await new Promise<void>((resolve) => {
        const over = (): void => {
          cancel();
          waiting.delete(over);
          resolve();
        };
        const cancel = clock.schedule(ms, over, { background: true });
        waiting.add(over);
      });
      return true;
    },
    end() {
      isOver = true;
      for (const over of [...waiting]) over();
    },
  };
}

async function deliver(parts: WebhookParts, pauses: Pauses, webhook: Webhook, body: string): Promise<void> {
  for (let failures = 1; ; failures += 1) {
    try {
      await post(parts, webhook, body);
      return;
    } catch (error) {
      const again = failures < TRIES && asPolyphonyError(error).retryable;
      const ms = backOffMs({ failures, baseMs: BASE_MS, maxMs: MAX_MS, random: parts.runtime.random });
      if (!again || !(await pauses.of(ms))) throw error;
    }
  }
}

/** The time is part of what is signed, so each try is signed anew. */
async function post({ runtime, transport }: WebhookParts, { url, secret }: Webhook, body: string): Promise<void> {
  const { clock } = runtime;
  const key = secret === undefined ? undefined : secretOf(secret);
  if (secret !== undefined && (key === undefined || key === ''))
    throw new PolyphonyError(
      'invalid-credential',
      `The secret ${secret} of the webhook ${originOf(url)} is not set: set it.`,
    );
  const controller = new AbortController();
  const late = new PolyphonyError('timeout', `${originOf(url)} has not answered within ${ANSWER_MS} ms.`);
  const cancel = clock.schedule(ANSWER_MS, () => controller.abort(late), { background: true });
  try {
    const headers = {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { 'polyphony-signature': signatureOf(key, clock.now(), body) }),
    };
    const answer = await transport.request({ method: 'POST', url, headers, body, signal: controller.signal });
    const { status } = answer;
    // Only the status counts: what else the receiver says is read so that its connection can be used again.
    await answer.bytes(MOST_ANSWER_BYTES).catch(ignore);
    if (status < 200 || status > 299) {
      const code = status === 429 || status >= 500 ? 'overloaded' : 'invalid-request';
      throw new PolyphonyError(code, `${originOf(url)} answered with status ${status}.`, { status });
    }
  } finally {
    cancel();
  }
}

function ignore(): void {}

/** Paths of webhooks often hold a key. */
const originOf = (url: string): string => new URL(url).origin;
