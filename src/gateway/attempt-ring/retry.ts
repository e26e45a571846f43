/**
 * Attempts at one target until one of them sends its first token. An attempt is retried only if it sent nothing (see
 * stream-head.ts).
 *
 * Y1. Waits have full jitter between 0 and base × 2ⁿ, at most the maximum; THIS attempt's retry-after is a floor.
 * Y2. A wait that would end after the deadline, or a retry-after above the maximum, is not begun: the error is thrown at once.
 * Y3. A refused credential is replaced at once, a rate-limited one after a wait if no other is ready. Rotations have their
 *     own budget, one per credential, and do not count as retries.
 * Y4. When every credential of the provider is dead, the error is `invalid-credential` with the reason of each.
 */
import { backOffMs } from '../../core/backoff.ts';
import type { Runtime } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import { abortError, asPolyphonyError, PolyphonyError } from '../../core/errors.ts';
import type { Attempt, Handler, Middleware } from '../../core/model/model.ts';
import type { Provider } from '../../core/model/provider.ts';
import { timeLeftMs } from '../../core/model/time-left.ts';
import { lazily, type ReadHead, type StreamHead } from '../../kit/streams/stream-head.ts';
import { sleep } from '../../system/clock.ts';
import { type AttemptCause, type AttemptState, type CallState, callStateOf } from '../calls/call-state.ts';
import { faultOf } from '../calls/faults.ts';
import { withCredential } from '../calls/target.ts';
import { excludedCredentials } from '../routing/arrangement/exclude.ts';
import type { Registry } from '../routing/registry.ts';
import type { Credentials, CredentialUse, RoomOf } from './credentials.ts';
import type { Pacer } from './limiter/pacer.ts';

export interface RetryParts {
  readonly runtime: Runtime;
  readonly credentials: Credentials;
  readonly pacer: Pacer;
  readonly registry: () => Registry;
  readonly config: () => Config;
}

const DEFAULTS = { retries: 2, baseMs: 500, maxMs: 30_000 };

type Policy = typeof DEFAULTS;

export function retry(parts: RetryParts): Middleware<Attempt> {
  return (attempt, next) => {
    const provider = parts.registry().providers.get(attempt.target.provider);
    // The innermost layer throws the error for an unknown provider.
    return provider === undefined
      ? next(attempt)
      : lazily((open) => openWithRetries(parts, provider, attempt, next, open));
  };
}

async function openWithRetries(
  parts: RetryParts,
  provider: Provider,
  attempt: Attempt,
  next: Handler<Attempt>,
  open: ReadHead,
): Promise<StreamHead> {
  const { clock } = parts.runtime;
  const policy = policyOf(parts.config(), attempt);
  let failures = 0;
  let rotations: number | undefined;
  let asked = attempt.target.credential;
  const call = callStateOf(attempt);
  let cause: AttemptCause | undefined;
  for (let state = firstOf(call, attempt); ; state = nextOf(call, state, cause)) {
    const found = credentialFor(parts, provider, attempt, policy, asked);
    const label = found instanceof Promise ? await found : found;
    try {
      return await open(next(numbered(attempt, state.number, label)));
    } catch (thrown) {
      state.over = true;
      const error = asPolyphonyError(thrown);
      cause = { kind: 'retry', code: error.code, target: withCredential(attempt.target, label) };
      if (attempt.signal.aborted) throw abortError(attempt.signal);
      // Counted before the first credential is refused.
      rotations ??= parts.credentials.alive(useOf(provider, attempt), clock.now()) - 1;
      const rotated = blame(parts, provider, label, attempt, error) && rotations > 0;
      asked = undefined;
      if (rotated) rotations -= 1;
      else if (isFinal(attempt, error) || failures >= policy.retries) throw final(parts, provider, attempt, error);
      else failures += 1;
      if (!(rotated && isReady(parts, provider, attempt))) await backOff(parts, attempt, policy, failures, error);
    }
  }
}

/** Waiting is what the limiter has decided against. */
const isFinal = (attempt: Attempt, error: PolyphonyError): boolean =>
  !error.retryable || faultOf(attempt, error) === 'no-room';

function policyOf({ retry: given }: Config, { request }: Attempt): Policy {
  return {
    retries: request.limits?.retries ?? given?.retries ?? DEFAULTS.retries,
    baseMs: given?.baseMs ?? DEFAULTS.baseMs,
    maxMs: given?.maxMs ?? DEFAULTS.maxMs,
  };
}

/** The attempt's own state, or a new one if an outer layer passes the same attempt on a second time. */
function firstOf(call: CallState, { id, number }: Attempt): AttemptState {
  const given = call.attempt(id, number);
  if (given.taken) return nextOf(call, given, undefined);
  given.taken = true;
  return given;
}

function nextOf(call: CallState, before: AttemptState, cause: AttemptCause | undefined): AttemptState {
  const { callId, lastResort, decision } = before;
  const made = call.begin(callId, call.nextNumber(callId), lastResort);
  made.decision = decision;
  made.cause = cause ?? before.cause;
  made.taken = true;
  return made;
}

function numbered(attempt: Attempt, number: number, credential: string | undefined): Attempt {
  return { ...attempt, number, target: withCredential(attempt.target, credential) };
}

/** Returns a ready credential synchronously, else waits for the first that becomes ready. */
function credentialFor(
  { credentials, pacer, runtime: { clock } }: RetryParts,
  provider: Provider,
  attempt: Attempt,
  policy: Policy,
  asked: string | undefined,
): string | undefined | Promise<string | undefined> {
  const now = clock.now();
  const pick = credentials.pick(useOf(provider, attempt), asked, now, roomOf(pacer, provider, attempt));
  if (!pick.alive) throw allDead(provider, pick.reasons);
  const waitMs = pick.readyAt - now;
  if (waitMs > 0) {
    const message = `${provider.id} accepts no request for another ${waitMs} ms, because its rate limit was reached. Wait, or try another provider.`;
    const error = new PolyphonyError('rate-limited', message, {
      retryAfterMs: waitMs,
      details: { provider: provider.id },
    });
    if (waitMs > policy.maxMs || waitMs >= timeLeftMs(attempt, clock)) throw error;
    return sleep(clock, waitMs, attempt.signal).then(() => pick.label);
  }
  return pick.label;
}

/** When each credential has room; undefined where nothing is announced or nothing can be chosen. */
function roomOf(pacer: Pacer, { credentials }: Provider, attempt: Attempt): RoomOf | undefined {
  if (!pacer.announces() || credentials === undefined || credentials.length < 2) return undefined;
  return (label) => pacer.roomAt(attempt, withCredential(attempt.target, label));
}

/** Records what the error says about the credential. Returns true when another credential may succeed. */
function blame(
  { credentials, runtime: { clock } }: RetryParts,
  provider: Provider,
  label: string | undefined,
  attempt: Attempt,
  error: PolyphonyError,
): boolean {
  const fault = faultOf(attempt, error);
  if (fault === 'credential') credentials.refuse(useOf(provider, attempt), label, error, clock.now());
  else if (fault === 'rate-limit' && error.retryAfterMs !== undefined) {
    credentials.rest(provider, label, clock.now(), error.retryAfterMs);
  }
  // A limit below this one request may be a higher one of another account.
  return fault === 'credential' || fault === 'rate-limit' || error.code === 'rate-limited';
}

const useOf = (provider: Provider, { exclude, target }: Attempt): CredentialUse => ({
  provider,
  model: target.model,
  excluded: excludedCredentials(exclude, target),
});

function isReady({ credentials, runtime: { clock } }: RetryParts, provider: Provider, attempt: Attempt): boolean {
  return credentials.ready(useOf(provider, attempt), clock.now());
}

async function backOff(
  { runtime: { clock, random } }: RetryParts,
  attempt: Attempt,
  policy: Policy,
  failures: number,
  error: PolyphonyError,
): Promise<void> {
  const { baseMs, maxMs } = policy;
  const retryAfterMs = error.retryAfterMs ?? 0;
  const waitMs = backOffMs({ failures, baseMs, maxMs, random, atLeastMs: retryAfterMs });
  if (retryAfterMs > maxMs || waitMs >= timeLeftMs(attempt, clock)) throw error;
  if (waitMs > 0) await sleep(clock, waitMs, attempt.signal);
}

function final(
  { credentials, runtime: { clock } }: RetryParts,
  provider: Provider,
  attempt: Attempt,
  error: PolyphonyError,
): PolyphonyError {
  if (faultOf(attempt, error) !== 'credential') return error;
  const reasons = credentials.deadReasons(useOf(provider, attempt), clock.now());
  return reasons === undefined ? error : allDead(provider, reasons);
}

function allDead(provider: Provider, reasons: readonly string[]): PolyphonyError {
  const one = reasons.length === 1;
  const refused = one
    ? `The only credential of "${provider.id}" was refused.`
    : `All ${reasons.length} credentials of "${provider.id}" were refused.`;
  return new PolyphonyError(
    'invalid-credential',
    `${refused} ${reasons.join(' ')} ${one ? 'It is' : 'They are'} tried again in 15 minutes.`,
    { details: { provider: provider.id, allDead: true, reasons } },
  );
}
