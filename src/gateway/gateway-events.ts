/** Tells what the gateway decides or notices by itself: to the log, and to everybody who listens. */
import { assertFits, CALLBACK } from '../core/checked-options.ts';
import type { Clock } from '../core/clock.ts';
import { errorRecord } from '../core/errors.ts';
import type { GatewayEvent, GatewayEventDraft } from '../core/gateway/gateway-events.ts';
import type { Logger } from '../core/plugin.ts';
import { guardedListener } from '../core/user-code/guarded-listener.ts';
import { nearest } from '../language/suggest.ts';

export interface GatewayEvents {
  /** Never throws and waits for nobody. */
  tell(draft: GatewayEventDraft): void;
  /** Returns what ends the listening. */
  listen(listener: (event: GatewayEvent) => unknown): () => void;
}

export function createGatewayEvents({ clock, logger }: { clock: Clock; logger: Logger | undefined }): GatewayEvents {
  const listeners = new Set<(event: GatewayEvent) => void>();
  return {
    tell(draft) {
      const event: GatewayEvent = { ...draft, at: clock.now() };
      const { level, message, ...fields } = event;
      logger?.[level](fields, message);
      for (const listener of listeners) listener(event);
    },
    listen(listener) {
      assertFits('The listener of onEvent', listener, CALLBACK, nearest);
      const guarded = guardedListener(listener, (error) =>
        logger?.warn({ error: errorRecord(error) }, 'A listener for events of the gateway failed.'),
      );
      listeners.add(guarded);
      return () => void listeners.delete(guarded);
    },
  };
}
