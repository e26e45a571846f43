/**
 * Asks each hosted model whether it answers, by a question of a few tokens.
 *
 * W1. Servers of the user's own are not asked, nor models that answer no chats.
 * W2. All questions together cost no more than they may, in the worst case.
 *     Those that were asked longest ago come first, so that money which does not suffice for all reaches each in its turn.
 * W3. They are attempts as any other, marked `probe`: a model that fails or is not there is treated as one that failed a call.
 */
import { asPolyphonyError, type PolyphonyError } from '../../core/errors.ts';
import type { ModelReport } from '../../core/gateway/model-report.ts';
import type { Handler, Scope } from '../../core/model/model.ts';
import { collect } from '../../core/model/response.ts';
import { formatUsd, usdToNano } from '../../core/money/money.ts';
import { scrubText } from '../../core/scrub.ts';
import { callOf } from '../calls/call.ts';
import type { GatewayParts } from '../parts.ts';
import { keepSwept, longestAgoFirst, type SweptParts } from './swept.ts';

const AT_ONCE = 4;
const LONGEST_MS = 60_000;
const MOST_NAMED = 20;

export interface SweepParts extends SweptParts, Pick<GatewayParts, 'registry' | 'events'> {
  readonly handle: Handler;
}

export interface SweepTerms {
  /** US dollars. */
  readonly usd: number;
  /** Whose money it is: sweeps of one id share it. */
  readonly id: string;
  readonly signal?: AbortSignal;
}

/** By name. Never rejects for what models do. */
export async function sweep(parts: SweepParts, { usd, id, signal }: SweepTerms): Promise<readonly ModelReport[]> {
  const scope: Scope = { kind: 'tag', id, capNanoUsd: usdToNano(usd) };
  const waiting = await longestAgoFirst(parts, hostedModels(parts));
  const reports: ModelReport[] = [];
  const work = async (): Promise<void> => {
    for (let model = waiting.shift(); model !== undefined && signal?.aborted !== true; model = waiting.shift()) {
      reports.push(await askModel(parts, model, scope, signal));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  // A cancelled question says nothing of its model.
  await keepSwept(
    parts,
    reports.flatMap(({ model, ok, error }) => (ok === null || error?.code === 'cancelled' ? [] : [model])),
  );
  const sorted = reports.sort((a, b) => (a.model < b.model ? -1 : 1));
  if (signal?.aborted !== true) tell(parts, sorted);
  return sorted;
}

function hostedModels({ registry }: SweepParts): readonly string[] {
  const hosted = registry().deployments.filter(
    ({ provider, card }) => provider.isOwn !== true && card.operations.includes('chat'),
  );
  return [...new Set(hosted.map(({ provider, card }) => `${provider.id}/${card.id}`))];
}

async function askModel(
  { runtime, handle }: SweepParts,
  model: string,
  scope: Scope,
  signal: AbortSignal | undefined,
): Promise<ModelReport> {
  const { clock } = runtime;
  const begun = clock.monotonic();
  const ms = (): number => Math.round(clock.monotonic() - begun);
  try {
    const call = callOf(
      {
        operation: 'chat',
        messages: [{ role: 'user', content: 'Say yes.' }],
        model,
        maxOutputTokens: 64,
        limits: { retries: 0, ms: LONGEST_MS },
      },
      { purpose: 'probe', priority: 'background', scopes: [scope], ...(signal && { signal }) },
      false,
      runtime,
    );
    await collect(handle(call), call);
    return { model, ok: true, ms: ms() };
  } catch (thrown) {
    const refusal = asPolyphonyError(thrown);
    const { code } = refusal;
    const error = { code, message: scrubText(ownRefusal(refusal, scope) ?? refusal.message) };
    return { model, ok: code === 'budget-exceeded' ? null : false, ms: ms(), error };
  }
}

/** Where the money of the sweep does not suffice: its scope has a made-up name that nobody knows, and a caller cannot ask for less. */
function ownRefusal({ code, details }: PolyphonyError, { id }: Scope): string | undefined {
  const refused = details as Partial<Refused> | undefined;
  if (code !== 'budget-exceeded' || refused?.scope?.id !== id || refused.neededNanoUsd === undefined) return undefined;
  const { capNanoUsd = 0, spentNanoUsd = 0, neededNanoUsd } = refused;
  const isEver = neededNanoUsd <= capNanoUsd;
  const remedy = isEver
    ? 'ask again, as the next one begins with those that were not asked'
    : 'this model is never asked';
  return `The sweep may cost ${formatUsd(capNanoUsd)}, of which ${formatUsd(spentNanoUsd)} is spent or held, and this question may cost ${formatUsd(neededNanoUsd)}: allow the sweep more, or ${remedy}.`;
}

/** What the refusal of a budget tells of itself. */
interface Refused {
  readonly scope: Pick<Scope, 'kind' | 'id'>;
  readonly capNanoUsd: number;
  readonly spentNanoUsd: number;
  readonly neededNanoUsd: number;
}

function tell({ events }: SweepParts, reports: readonly ModelReport[]): void {
  const failed = reports.filter(({ ok }) => ok === false).map(({ model }) => model);
  const answered = reports.filter(({ ok }) => ok === true).length;
  const unasked = reports.length - answered - failed.length;
  const some = failed.length === 0 ? '' : `; ${failed.length} failed, such as ${failed[0]}`;
  const rest = unasked === 0 ? '' : `; ${unasked} were not asked, because the money for it was spent`;
  events.tell({
    type: 'models-swept',
    level: failed.length === 0 && unasked === 0 ? 'info' : 'warn',
    message: `${answered} of ${reports.length} hosted models answered${some}${rest}.`,
    answered,
    unasked,
    failed: failed.slice(0, MOST_NAMED),
  });
}
