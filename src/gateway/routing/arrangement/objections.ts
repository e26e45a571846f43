/** What puts targets behind the others: the time they take, the language of the text, a provider from which traffic shifts. */
import type { Target } from '../../../core/model/model.ts';
import type { Deployment } from '../registry.ts';

/** What is known of a call that may be against targets. */
export interface Objectionable {
  /** Providers whose targets come after all others where one of those can be the first choice. @default none */
  readonly shifted?: ReadonlySet<string> | undefined;
  /** The language of the text, where the request names none: targets that do not claim it come last. @default unknown */
  readonly language?: string | undefined;
  /** Whether a target is too slow for the route of the call, and so comes last. @default none is */
  readonly isSlow?: ((target: Target) => boolean) | undefined;
}

/**
 * What is against each target, the most in the sum: too slow for the route, not of the language, of a provider from which traffic shifts.
 * A session keeps its target unless it is too slow. Undefined where there is nothing.
 */
export function objections(
  able: readonly Deployment[],
  { shifted, language, isSlow }: Objectionable,
  isPreferred: (deployment: Deployment) => boolean,
): readonly number[] | undefined {
  if (shifted === undefined && language === undefined && isSlow === undefined) return undefined;
  const against = able.map((one) => {
    const slow = isSlow?.(one.target) === true ? 4 : 0;
    if (isPreferred(one)) return slow;
    const foreign = language !== undefined && !speaks(one, language) ? 2 : 0;
    return slow + foreign + (shifted?.has(one.target.provider) === true ? 1 : 0);
  });
  return against.some((weight) => weight > 0) ? against : undefined;
}

/** A card without a claim excludes no language. */
export const speaks = ({ figures: { languages } }: Deployment, language: string): boolean =>
  languages === undefined || languages.includes(language);
