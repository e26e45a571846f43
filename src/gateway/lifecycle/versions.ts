/**
 * Which version of a model answers, by the model id and the fingerprint that its endpoint states with each answer.
 *
 * V1. A version that was not stated within the last hour, while another was, is a move: it is told, and only the new version
 *     is current.
 * V2. A version that was stated within the last hour and is stated again is current beside the others: endpoints that answer
 *     from several versions at once move once for each of them, not at every answer.
 * V3. An endpoint that states more than 16 versions within an hour names no versions, so all of them are current.
 * V4. Of a target that stated nothing yet in this process, every version is current, and so is an answer that stated none.
 */
import type { StatedVersion } from '../../core/gateway/lifecycle-events.ts';
import { firstOf } from '../../core/json/cut-text.ts';
import type { Target } from '../../core/model/model.ts';
import { scrubText } from '../../core/scrub.ts';
import { nameOf } from '../calls/target.ts';
import type { GatewayEvents } from '../gateway-events.ts';

const HOUR_MS = 3_600_000;
const MAX_VERSIONS = 16;
const MAX_TARGETS = 4096;
const MAX_CHARACTERS = 200;

/** A version as an answer states it. */
export interface Stated {
  readonly model?: string | undefined;
  readonly fingerprint?: string | undefined;
}

interface Version {
  readonly model: string | undefined;
  readonly fingerprint: string | undefined;
  seenAt: number;
  isCurrent: boolean;
}

interface Known {
  versions: Version[];
  latest: Version | undefined;
}

export interface Versions {
  /** `nowMs`: by the monotonic clock. */
  stated(target: Target, version: Stated, nowMs: number): void;
  /** False: the target has moved to another version since this one answered. */
  isCurrent(target: Target, version: Stated): boolean;
}

export function createVersions(events: GatewayEvents): Versions {
  const targets = new Map<string, Known>();
  return {
    stated(target, version, nowMs) {
      if (version.model === undefined && version.fingerprint === undefined) return;
      const name = nameOf(target);
      const known = knownOf(targets, name);
      const { latest } = known;
      if (latest !== undefined && isSame(latest, version) && latest.isCurrent) {
        latest.seenAt = nowMs;
        return;
      }
      const moved = take(known, version, nowMs);
      if (moved === undefined) return;
      const [from, to] = [moved, version].map(shown) as [StatedVersion, StatedVersion];
      const message = `${name} moved to another version: ${textOf(from)} before, ${textOf(to)} now. Answers of the former one are no longer reused.`;
      events.tell({ type: 'model-moved', level: 'warn', what: name, from, to, message });
    },
    isCurrent(target, version) {
      if (version.model === undefined && version.fingerprint === undefined) return true;
      const known = targets.get(nameOf(target));
      if (known === undefined || known.versions.length >= MAX_VERSIONS) return true;
      return known.versions.some((one) => one.isCurrent && isSame(one, version));
    },
  };
}

const isSame = (a: Stated, b: Stated): boolean => a.model === b.model && a.fingerprint === b.fingerprint;

/** The version that it moved from; undefined where it did not move. */
function take(known: Known, version: Stated, nowMs: number): Version | undefined {
  const before = known.latest;
  known.versions = known.versions.filter(({ seenAt }) => nowMs - seenAt < HOUR_MS);
  const again = known.versions.find((one) => isSame(one, version));
  if (again !== undefined) {
    again.seenAt = nowMs;
    again.isCurrent = true;
    known.latest = again;
    return undefined;
  }
  const made: Version = { model: version.model, fingerprint: version.fingerprint, seenAt: nowMs, isCurrent: true };
  if (known.versions.length < MAX_VERSIONS) known.versions.push(made);
  known.latest = made;
  if (before === undefined || known.versions.length >= MAX_VERSIONS) return undefined;
  for (const one of known.versions) one.isCurrent = one === made;
  return isSame(before, made) ? undefined : before;
}

function knownOf(targets: Map<string, Known>, name: string): Known {
  const known = targets.get(name);
  if (known !== undefined) return known;
  const [oldest] = targets.keys();
  if (targets.size >= MAX_TARGETS && oldest !== undefined) targets.delete(oldest);
  const made: Known = { versions: [], latest: undefined };
  targets.set(name, made);
  return made;
}

/** What an endpoint says is not trusted. */
const clean = (text: string | undefined): string | null =>
  text === undefined ? null : firstOf(scrubText(text), MAX_CHARACTERS);

const shown = ({ model, fingerprint }: Stated): StatedVersion => ({
  model: clean(model),
  fingerprint: clean(fingerprint),
});

const textOf = ({ model, fingerprint }: StatedVersion): string =>
  [model, fingerprint].filter((part) => part !== null).join(' ') || 'none';
