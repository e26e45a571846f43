/**
 * Asks a second target where the first says nothing for unusually long. Whichever speaks first answers, the other one is cancelled.
 *
 * H1. The two targets are never the same, and are of one provider and region only where no other can serve the call.
 * H2. The caller sees the events of one of them only. Speaking is the commit point of failover: a token, a tool delta.
 * H3. Both are attempts of the same call: numbered, charged and listed once each. The loser is charged for what it sent, by an
 *     estimate, and the end of the answer waits until that is settled.
 * H4. The second is sent only if every cap can hold the worst case of both (`Call.isSecond`).
 * H5. At most the configured share of calls has a second target, and none that nothing waits for.
 * H6. A wait that was ended by a second target counts in the statistics of the first as one that would have been longer: otherwise its
 *     slow answers would be unknown, and each second target would make the next one come sooner.
 */
import type { Config } from '../../core/config.ts';
import type { Call, Middleware } from '../../core/model/model.ts';
import { hooksOf, observeBy } from '../../kit/streams/observe.ts';
import { createControllers } from '../attempt-ring/timeouts/abort-controller-pool.ts';
import { createDeadlines } from '../attempt-ring/timeouts/deadline-timer.ts';
import { createAllowance } from './hedge/allowance.ts';
import { HedgedCall, type HedgeParts } from './hedge/hedged-call.ts';
import { hedgeOf } from './hedge/rule.ts';

const HOOKS = hooksOf(HedgedCall.prototype, false);

export function hedge(
  parts: Omit<HedgeParts, 'allowance' | 'deadlines' | 'controllers'> & { readonly config: () => Config },
): Middleware {
  const allowance = createAllowance();
  const { clock } = parts;
  const own: HedgeParts = { ...parts, allowance, deadlines: createDeadlines(clock), controllers: createControllers() };
  return (call, next) => {
    const config = parts.config();
    const rule = isOff(call, config) ? undefined : hedgeOf(call, config);
    if (rule === undefined) return next(call);
    allowance.count(rule.share);
    return observeBy(HOOKS, new HedgedCall(own, rule, call, next));
  };
}

/** The common case, decided by two fields. */
const isOff = ({ request }: Call, config: Config): boolean =>
  config.hedge === undefined && (request.operation !== 'chat' || request.hedge === undefined);
