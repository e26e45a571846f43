/**
 * What the rules of a decision have found of its candidates, so that their scores need not find it again. A decision is synchronous, so
 * the columns of the last one are enough. Whoever scores other candidates finds nothing here.
 */
export interface FoundFigures {
  /** Valid where the request limits the quality, as the others where it limits theirs. */
  readonly quality: Float64Array;
  /** NaN where the price is unknown. */
  readonly nanoUsd: Float64Array;
  /** 1 where nobody knows the latency. */
  readonly isUnknown: Uint8Array;
}

/** Fewer candidates are not worth it. */
const FEWEST = 8;

let figures = columnsOf(64);
/** No candidate is kept alive for it. */
let latest: WeakRef<readonly object[]> | undefined;

function columnsOf(size: number): FoundFigures {
  return { quality: new Float64Array(size), nanoUsd: new Float64Array(size), isUnknown: new Uint8Array(size) };
}

/** Columns to be filled, for up to so many candidates. */
export function figuresFor(count: number): FoundFigures {
  latest = undefined;
  if (count > figures.quality.length) figures = columnsOf(2 * count);
  return figures;
}

/** They are those of these candidates. */
export function keepFigures(able: readonly object[]): void {
  if (able.length >= FEWEST) latest = new WeakRef(able);
}

export const figuresOf = (able: readonly object[]): FoundFigures | undefined =>
  latest !== undefined && latest.deref() === able ? figures : undefined;
