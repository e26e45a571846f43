import type { PolyphonyError } from '../errors.ts';

/** What the free endpoint of a provider said. */
export interface ProbeReport {
  /** Its id. */
  readonly provider: string;
  /** null: it has no free endpoint. */
  readonly ok: boolean | null;
  /** Milliseconds until it answered or failed. */
  readonly ms: number;
  readonly error?: { readonly code: PolyphonyError['code']; readonly message: string };
}
