/** The targets that a call must not use, in every region and with every credential unless an exclusion names one. */
import type { Target } from '../../../core/model/model.ts';
import type { Provider } from '../../../core/model/provider.ts';

type Excluded = readonly Target[] | undefined;

const names = (excluded: Target, { provider, model, region }: Target): boolean =>
  excluded.provider === provider &&
  excluded.model === model &&
  (excluded.region === undefined || excluded.region === region);

/** The credentials with which the target must not be used; undefined for none, which is the common case. */
export function excludedCredentials(exclude: Excluded, target: Target): ReadonlySet<string> | undefined {
  if (exclude === undefined) return undefined;
  const labels = exclude.filter((one) => names(one, target)).flatMap(({ credential }) => credential ?? []);
  return labels.length === 0 ? undefined : new Set(labels);
}

/** Why the target must not be used at all, as a predicate; undefined if it may be used. */
export function exclusion(exclude: Excluded, target: Target, { credentials }: Provider): string | undefined {
  if (exclude === undefined) return undefined;
  if (exclude.some((one) => one.credential === undefined && names(one, target))) return 'is excluded by the call';
  const labels = excludedCredentials(exclude, target);
  if (labels === undefined || credentials === undefined || credentials.length === 0) return undefined;
  return credentials.every((label) => labels.has(label)) ? 'has only credentials that the call excludes' : undefined;
}
