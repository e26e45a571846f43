/** How long a call takes on average, where nothing was observed. */
import type { ModelCard } from '../../core/model/provider.ts';
import { DEFAULT_MS } from './priced-candidates.ts';

export interface ExpectedTime {
  readonly ms: number;
  /** It is a figure of the card. */
  readonly isStated: boolean;
}

export function expectedTime(card: ModelCard | undefined): ExpectedTime {
  const ms = card?.expectedMs;
  return { ms: ms ?? DEFAULT_MS, isStated: ms !== undefined };
}
