/** Everything that only some configs need. */
import { batchesApi } from '../batches/api.ts';
import { createBatchQueue } from '../batches/batches.ts';
import { createCandidates } from '../candidates/candidates.ts';
import { keepReady } from '../warm/keep-ready.ts';
import { createWebhooks } from '../webhooks.ts';
import type { Extras } from './extra-parts.ts';

export const ALL_EXTRAS: Extras = { batchesApi, createBatchQueue, createCandidates, keepReady, createWebhooks };
