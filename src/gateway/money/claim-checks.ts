/**
 * Prompts that a provider counts twice: in the answer, where it says what it bills, and at its free endpoint that counts tokens. Where both
 * differ, somebody on the way adds to the prompt, or to the bill.
 *
 * Only where the config asks for it, for a share of the answers, behind the caller's back, and a few at the same time.
 */
import type { Runtime } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Attempt, ChatRequest } from '../../core/model/model.ts';
import type { Transport } from '../../core/model/provider.ts';
import { joinedSignal } from '../../core/on-abort.ts';
import { adapted } from '../attempt-ring/adapt.ts';
import type { AttemptWatcher } from '../calls/attempt-watcher.ts';
import { maskOf, needsOf } from '../calls/requirements.ts';
import { nameOf } from '../calls/target.ts';
import type { GatewayEvents } from '../gateway-events.ts';
import { recentMap } from '../routing/figures/recent-map.ts';
import type { Deployment, Registry } from '../routing/registry.ts';

export interface ClaimCheckParts {
  readonly runtime: Runtime;
  readonly transport: Transport;
  readonly events: GatewayEvents;
  readonly registry: () => Registry;
  readonly config: () => Config;
}

export interface ClaimChecks extends AttemptWatcher {
  /** Questions that are under way end. */
  close(): void;
}

const TOLERANCE = 0.05;
/** Tokens that may be missing or too many whatever the length: what formats add around a message. */
const SLACK = 16;
const AT_ONCE = 4;
const LONGEST_MS = 10_000;
const TELL_EVERY_MS = 86_400_000;
const MOST_TOLD = 4096;
/** Media may be counted otherwise before they are read. */
const MEDIA = maskOf(['image-in', 'audio-in', 'video-in', 'file-in']);

export function createClaimChecks(parts: ClaimCheckParts): ClaimChecks {
  const { runtime } = parts;
  const closing = new AbortController();
  const toldAt = recentMap<number>(MOST_TOLD);
  let running = 0;
  const compare = async (attempt: Attempt, request: ChatRequest, deployment: Deployment, claimed: number) => {
    const counted = await countOf(parts, attempt, request, deployment, closing.signal);
    const { tolerance = TOLERANCE } = parts.config().claims ?? {};
    if (counted === undefined || Math.abs(claimed - counted) <= counted * tolerance + SLACK) return;
    const what = nameOf(attempt.target);
    const now = runtime.clock.monotonic();
    if (now - (toldAt.get(what) ?? Number.NEGATIVE_INFINITY) < TELL_EVERY_MS) return;
    toldAt.set(what, now);
    const message = `${what} bills ${claimed} tokens for a prompt of which its own endpoint counts ${counted}.`;
    parts.events.tell({ type: 'claim-differs', level: 'warn', message, what, call: attempt.id, claimed, counted });
  };
  return {
    ended(attempt, { outcome, finish }) {
      const { claims } = parts.config();
      if (claims === undefined || outcome !== 'ok' || finish === undefined || running >= AT_ONCE) return;
      const { request, target } = attempt;
      const claimed = finish.usage.input;
      if (request.operation !== 'chat' || claimed === 0 || (needsOf(request).mask & MEDIA) !== 0) return;
      const deployment = parts.registry().find(target);
      if (deployment?.provider.countTokens === undefined || runtime.random() >= claims.share) return;
      running += 1;
      void compare(attempt, request, deployment, claimed)
        .catch(ignore)
        .finally(() => {
          running -= 1;
        });
    },
    close: () => closing.abort(new PolyphonyError('cancelled', 'The gateway was closed.')),
  };
}

function ignore(): void {}

/** The request as it was sent. Rejects where the endpoint does not answer in time. */
async function countOf(
  { runtime, transport }: ClaimCheckParts,
  attempt: Attempt,
  request: ChatRequest,
  deployment: Deployment,
  closing: AbortSignal,
): Promise<number | undefined> {
  const { clock } = runtime;
  const limit = new AbortController();
  const late = new PolyphonyError('timeout', `The tokens were not counted within ${LONGEST_MS} ms.`);
  const stop = clock.schedule(LONGEST_MS, () => limit.abort(late), { background: true });
  const { signal, release } = joinedSignal([limit.signal, closing]);
  try {
    const sent = { ...attempt, request: adapted(request, deployment).request, signal };
    const count = await deployment.provider.countTokens?.(sent, { transport, clock, report: ignore });
    return count !== undefined && Number.isFinite(count) && count > 0 ? count : undefined;
  } finally {
    stop();
    release();
  }
}
