/** Names of targets, and targets with a credential. */
import type { Target } from '../../core/model/model.ts';

/** The name of a target in messages and logs. */
export const nameOf = (target: Target): string =>
  `${target.provider}/${target.model}${target.region === undefined ? '' : `@${target.region}`}`;

/** A cache: targets with a credential are created once and kept, because every call needs one. */
const known = new WeakMap<Target, Map<string | undefined, Target>>();

/** The same target with another credential, or with none. Returns the same object for the same arguments. */
export function withCredential(target: Target, credential: string | undefined): Target {
  if (target.credential === credential) return target;
  let made = known.get(target);
  if (made === undefined) {
    made = new Map();
    known.set(target, made);
  }
  const before = made.get(credential);
  if (before !== undefined) return before;
  const { provider, model, region } = target;
  const bare = region === undefined ? { provider, model } : { provider, model, region };
  const changed = credential === undefined ? bare : { credential, ...bare };
  made.set(credential, changed);
  return changed;
}

/** The target with each of these credentials; as it is where there are none. */
export const withEachCredential = (target: Target, labels: readonly string[] | undefined): readonly Target[] =>
  labels === undefined || labels.length === 0 ? [target] : labels.map((label) => withCredential(target, label));
