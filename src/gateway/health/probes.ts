/**
 * Asks free endpoints of providers whether they are there.
 *
 * P1. A provider is asked every 30 seconds while it is unwell (it fails, its breaker is open, a key of it was refused) or idle (no
 *     attempt for as long), if this process has called it within ten minutes, or where `health.probe` is set.
 * P2. No timer runs in a process that makes no call, none keeps a process alive, and none is left at `close`.
 * P3. A probe with a refused key that succeeds makes the key usable again, unless that was in vain the last time: then twice as
 *     long after, up to the 15 minutes after which it is used anyway. Free endpoints may take keys that models refuse.
 * P4. A free endpoint that cannot be reached, is overloaded or late counts as a failure wherever the provider runs; one that is not there,
 *     or limits or refuses the question, says nothing of its models. Nor does one that has not answered yet in this process, or that failed while a call
 *     was answered, until it answers: such a failure only prolongs an outage that calls have found.
 * P5. A provider without a free endpoint is asked with a question of a few tokens only while it fails, only where `health.paidUsd` allows it,
 *     and from a cap of its own for each day.
 */
import { asPolyphonyError, errorRecord, PolyphonyError } from '../../core/errors.ts';
import type { ProbeReport } from '../../core/gateway/probe-report.ts';
import type { Call, Handler, Target } from '../../core/model/model.ts';
import type { Provider } from '../../core/model/provider.ts';
import { collect } from '../../core/model/response.ts';
import { dayName, dayOf } from '../../core/money/calendar.ts';
import { usdToNano } from '../../core/money/money.ts';
import { onAbort } from '../../core/on-abort.ts';
import { scrubText } from '../../core/scrub.ts';
import type { AttemptWatcher } from '../calls/attempt-watcher.ts';
import { type Fault, newTrace } from '../calls/call-state.ts';
import { faultOfError } from '../calls/faults.ts';
import type { GatewayParts } from '../parts.ts';
import type { Outages } from './outages.ts';
import { createRevivals } from './revivals.ts';

const PAUSE_MS = 30_000;
const USED_MS = 600_000;
const LONGEST_MS = 10_000;

export type ProbeParts = Pick<
  GatewayParts,
  'runtime' | 'clock' | 'config' | 'registry' | 'transport' | 'credentials' | 'circuits' | 'logger'
>;

export interface Probes extends AttemptWatcher {
  /** Begins, where the config wants probes from the start; called again when the config has changed. */
  begin(): void;
  /** Asks each provider now, whatever its state. */
  all(): Promise<readonly ProbeReport[]>;
  close(): Promise<unknown>;
}

/** @param router sends a question that costs */
export function createProbes(parts: ProbeParts, outages: Outages, router: () => Handler): Probes {
  const { clock, config, registry } = parts;
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();
  /** When the last attempt ended by the monotonic clock, by provider. */
  const used = new Map<string, number>();
  const revivals = createRevivals(parts);
  /** Providers whose free endpoint has answered, and was not contradicted by an answer since. */
  const trusted = new Set<string>();
  /** Those whose free endpoint failed when it was asked last. */
  const silent = new Set<string>();
  let cancel: (() => void) | undefined;
  const pauseMs = (): number => config().health?.probeMs ?? PAUSE_MS;
  const keep = <T>(work: Promise<T>): Promise<T> => {
    running.add(work);
    void work.finally(() => running.delete(work));
    return work;
  };
  const canAsk = ({ probe }: Provider): boolean => probe !== undefined || (config().health?.paidUsd ?? 0) > 0;
  const isUsed = (provider: Provider): boolean =>
    config().health?.probe === true ||
    clock.monotonic() - (used.get(provider.id) ?? Number.NEGATIVE_INFINITY) < USED_MS;
  const watched = (): readonly Provider[] =>
    config().health?.probe === false
      ? []
      : [...registry().providers.values()].filter((provider) => canAsk(provider) && isUsed(provider));
  const schedule = (): void => {
    if (cancel !== undefined || closing.signal.aborted || watched().length === 0) return;
    cancel = clock.schedule(pauseMs(), tick, { background: true });
  };
  const tick = (): void => {
    cancel = undefined;
    for (const provider of watched()) {
      const isIdle = clock.monotonic() - (used.get(provider.id) ?? Number.NEGATIVE_INFINITY) >= pauseMs();
      if (provider.probe !== undefined && (isIdle || isUnwell(parts, outages, provider))) void keep(ask(provider));
      else if (provider.probe === undefined) for (const target of outages.out(provider.id)) void keep(pay(target));
    }
    schedule();
  };
  const ask = async (provider: Provider): Promise<ProbeReport> => {
    const { report, fault } = await probeOnce(parts, provider, undefined, closing.signal);
    const isThere = report.ok === true || fault === 'credential';
    if (isThere || fault === 'target') judge(provider, isThere);
    for (const label of parts.credentials.refused(provider, clock.now())) {
      if (!revivals.isDue(provider.id, label)) continue;
      const { report: again } = await probeOnce(parts, provider, label, closing.signal);
      if (again.ok === true) revivals.revive(provider, label);
    }
    return report;
  };
  const judge = (provider: Provider, isThere: boolean): void => {
    const { id } = provider;
    if (isThere) {
      trusted.add(id);
      silent.delete(id);
    } else silent.add(id);
    const said = isThere ? 'answered' : trusted.has(id) ? 'failed' : 'doubtful';
    outages.probed(id, targetsOf(parts, provider), said);
  };
  const pay = async (target: Target): Promise<void> => {
    const call = question(parts, target, closing.signal);
    await collect(router()(call), call).catch((error: unknown) =>
      parts.logger?.debug({ target, error: errorRecord(error) }, 'A question that asks for health was not answered.'),
    );
  };
  return {
    begin: schedule,
    ended({ target, purpose }, { outcome }) {
      if (purpose === 'probe') return;
      used.set(target.provider, clock.monotonic());
      if (outcome === 'ok') {
        revivals.answered(target);
        if (silent.has(target.provider)) trusted.delete(target.provider);
      }
      const provider = cancel === undefined ? registry().providers.get(target.provider) : undefined;
      if (provider !== undefined && canAsk(provider)) schedule();
    },
    all: () => Promise.all([...registry().providers.values()].map((provider) => keep(ask(provider)))),
    close() {
      closing.abort(new PolyphonyError('cancelled', 'The gateway was closed.'));
      cancel?.();
      cancel = undefined;
      return Promise.all(running);
    },
  };
}

function isUnwell(
  { credentials, circuits, registry, clock }: ProbeParts,
  outages: Outages,
  provider: Provider,
): boolean {
  const nowMs = clock.now();
  if (outages.out(provider.id).length > 0 || credentials.refused(provider, nowMs).length > 0) return true;
  return registry().deployments.some(
    ({ target }) => target.provider === provider.id && circuits.health(target, nowMs).state !== 'closed',
  );
}

const targetsOf = ({ registry }: ProbeParts, { id }: Provider): readonly Target[] =>
  registry().deployments.flatMap(({ target }) => (target.provider === id ? [target] : []));

/** A probe that was made, and whose fault it is that it failed. */
interface Probed {
  readonly report: ProbeReport;
  readonly fault: Fault | undefined;
}

/** Never throws. */
async function probeOnce(
  { transport, clock }: ProbeParts,
  provider: Provider,
  credential: string | undefined,
  closing: AbortSignal,
): Promise<Probed> {
  if (provider.probe === undefined) return { report: { provider: provider.id, ok: null, ms: 0 }, fault: undefined };
  const controller = new AbortController();
  const late = new PolyphonyError('timeout', `Its free endpoint did not answer within ${LONGEST_MS} ms.`);
  const begun = clock.monotonic();
  let giveUp: (error: unknown) => void = () => undefined;
  const overdue = new Promise<never>((_resolve, reject) => {
    giveUp = reject;
  });
  const end = (error: unknown): void => {
    controller.abort(error);
    giveUp(error);
  };
  const cancel = clock.schedule(LONGEST_MS, () => end(late), { background: true });
  const leave = onAbort(closing, () => end(closing.reason));
  try {
    const context = { transport, clock, report: () => undefined };
    await Promise.race([provider.probe(context, controller.signal, credential), overdue]);
    return { report: { provider: provider.id, ok: true, ms: clock.monotonic() - begun }, fault: undefined };
  } catch (thrown) {
    const refused = asPolyphonyError(thrown);
    const error = { code: refused.code, message: scrubText(refused.message) };
    const report = { provider: provider.id, ok: false, ms: clock.monotonic() - begun, error };
    // A provider of the user's own may throw whatever its network throws.
    return { report, fault: refused.code === 'plugin-failed' ? 'target' : faultOfError(refused) };
  } finally {
    cancel();
    leave();
  }
}

function question({ runtime, config, clock }: ProbeParts, target: Target, signal: AbortSignal): Call {
  const id = `health-probes:${dayName(dayOf(clock.now()))}`;
  return {
    id: runtime.ids('probe'),
    request: {
      operation: 'chat',
      messages: [{ role: 'user', content: 'Say yes.' }],
      maxOutputTokens: 16,
      limits: { retries: 0 },
    },
    signal,
    purpose: 'probe',
    scopes: [{ kind: 'tag', id, capNanoUsd: usdToNano(config().health?.paidUsd ?? 0) }],
    trace: newTrace(),
    streaming: false,
    order: [target],
  };
}
