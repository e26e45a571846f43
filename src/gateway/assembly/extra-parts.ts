/** The makers of the parts that only some configs need. */
import type { batchesApi } from '../batches/api.ts';
import type { createBatchQueue } from '../batches/batches.ts';
import type { createCandidates } from '../candidates/candidates.ts';
import type { keepReady } from '../warm/keep-ready.ts';
import type { createWebhooks } from '../webhooks.ts';

export interface Extras {
  readonly batchesApi: typeof batchesApi;
  readonly createBatchQueue: typeof createBatchQueue;
  readonly createCandidates: typeof createCandidates;
  readonly keepReady: typeof keepReady;
  readonly createWebhooks: typeof createWebhooks;
}
