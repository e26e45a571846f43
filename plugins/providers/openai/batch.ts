/** The Batch API: a file of requests, a job, files of answers (platform.openai.com/docs/guides/batch). */
import { fileBatches, httpBatches } from 'polyphony/kit';

export const openaiBatches = httpBatches(
  fileBatches({
    // The vendor takes 200 MB; the file is written in memory.
    most: { requests: 50_000, bytes: 64_000_000 },
    operations: ['chat', 'embed', 'moderate'],
    job: (input_file_id, endpoint, _batch, metadata) => ({
      input_file_id,
      endpoint,
      completion_window: '24h',
      metadata,
    }),
    ended: ['completed', 'failed', 'expired', 'cancelled'],
    files: ['output_file_id', 'error_file_id'],
  }),
);
