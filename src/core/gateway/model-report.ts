import type { PolyphonyError } from '../errors.ts';

/** What a hosted model said to a question of a few tokens. */
export interface ModelReport {
  /** `provider/model`. */
  readonly model: string;
  /** null: it was not asked, because the money for it was spent. */
  readonly ok: boolean | null;
  /** Milliseconds until it answered or failed. */
  readonly ms: number;
  readonly error?: { readonly code: PolyphonyError['code']; readonly message: string };
}
