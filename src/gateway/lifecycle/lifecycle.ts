/** What the gateway knows of models that end, that are not there, or that became others, and what routing makes of it. */
import type { Config } from '../../core/config.ts';
import type { Warning } from '../../core/model/model.ts';
import type { AttemptWatcher } from '../calls/attempt-watcher.ts';
import { nameOf } from '../calls/target.ts';
import type { Arrangement } from '../routing/arrangement/arrange.ts';
import type { Deployment, Registry } from '../routing/registry.ts';
import { type Ending, endingOf, endingSaid, isEnding } from './ending.ts';
import { createRetired } from './retired.ts';
import { createShifts, endsSoon, type ShiftParts, type Shifts } from './shifts.ts';
import { createVersions, type Versions } from './versions.ts';

const NOTICE_DAYS = 30;

export interface Lifecycle extends AttemptWatcher {
  readonly versions: Versions;
  /** For calls. `isUnwell`: targets of a provider that fails. */
  readonly arrangement: Arrangement;
  /** The same for whoever only asks: it tells nothing. */
  readonly explained: Arrangement;
  /** Writes what is still to be written, within five seconds. Never rejects. */
  close(): Promise<void>;
}

interface LifecycleParts extends ShiftParts {
  readonly config: () => Config;
  readonly registry: () => Registry;
}

/** @param isUnwell a target that is asked last because its provider fails */
export function createLifecycle(parts: LifecycleParts, isUnwell: (deployment: Deployment) => boolean): Lifecycle {
  const { clock, config, events, registry } = parts;
  const versions = createVersions(events);
  const retired = createRetired(config, events, clock);
  const shifts = createShifts(parts);
  const ends = (ending: Ending | undefined, nowMs: number): boolean =>
    ending !== undefined && isEnding(ending, nowMs, config().lifecycle?.noticeDays ?? NOTICE_DAYS);
  const arrangementFor = (told: Shifts | undefined): Arrangement => ({
    isEnding: (deployment, nowMs) => ends(endingOf(deployment), nowMs),
    replacementOf: ({ card }) => card.lifecycle?.replacedBy,
    isLast: (deployment) => isUnwell(deployment) || (!retired.isEmpty && retired.isOut(deployment.target)),
    shifted: (from, to, asked) => told?.shifted(nameOf(from.target), nameOf(to.target), asked),
    warning(first, nowMs) {
      const ending = endingSaid(first);
      if (ending === undefined || !ends(ending, nowMs)) return undefined;
      const what = nameOf(first.target);
      told?.used(what, ending.endsOn);
      return deprecated(what, ending);
    },
    notes(deployment, nowMs) {
      const ending = endingOf(deployment);
      return [
        ...(ending !== undefined && ends(ending, nowMs) ? [leftBy(ending)] : []),
        ...(retired.isOut(deployment.target) ? ['is not known to its provider, so it is asked last for a while'] : []),
        ...(isUnwell(deployment) ? ['belongs to a provider that fails now, so it is asked last'] : []),
      ];
    },
  });
  return {
    versions,
    arrangement: arrangementFor(shifts),
    explained: arrangementFor(undefined),
    close: shifts.close,
    ended({ target }, { outcome, error, finish }) {
      if (outcome === 'ok') {
        if (finish !== undefined) versions.stated(target, finish, clock.monotonic());
        if (!retired.isEmpty) retired.answered(target);
      } else if (error?.code === 'model-not-found') {
        const deployment = registry().find(target);
        if (deployment !== undefined) retired.notFound(deployment, target.credential);
      }
    },
  };
}

const leftBy = ({ endsOn }: Ending): string =>
  `${endsOn === null ? 'is deprecated' : `ends on ${endsOn}`}, so new sessions go elsewhere where they can`;

const deprecated = (what: string, { endsOn }: Ending): Warning => ({
  code: 'model-deprecated',
  message: endsSoon(what, endsOn),
});
