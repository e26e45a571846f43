/** The schema of what the config says of health, of models that end, and of candidates. */
import { z } from 'zod';

const name = z.string().min(1).max(120);
const share = z.number().min(0).max(1);

export const LifecycleSchema = z.strictObject({
  noticeDays: z.int().min(0).max(3650).optional(),
  retireMs: z.int().min(0).max(604_800_000).optional(),
});

const CandidateSchema = z
  .strictObject({
    of: name,
    model: name,
    share: share.optional(),
    mirror: share.optional(),
    mirrorUsd: z.number().nonnegative().max(9_000_000).optional(),
    samples: z.int().min(50).max(1_000_000).optional(),
    confidence: z.number().min(0.5).max(0.9999).optional(),
    margin: z.number().min(0).max(0.5).optional(),
    promote: z.enum(['better', 'not-worse', 'never']).optional(),
  })
  .refine(({ of, model }) => of !== model, 'a model cannot be tried in its own place: "of" and "model" must differ');

export const CandidatesSchema = z
  .record(
    z.string().regex(/^[a-z][a-z0-9_-]{0,39}$/, 'begin with a letter, then a-z, 0-9, _ and -, at most 40'),
    CandidateSchema,
  )
  .refine((all) => Object.keys(all).length <= 20, 'at most 20 are taken');

export const HealthSchema = z.strictObject({
  probe: z.boolean().optional(),
  probeMs: z.int().min(1000).max(86_400_000).optional(),
  paidUsd: z.number().nonnegative().max(9_000_000).optional(),
  sweep: z
    .strictObject({
      everyMs: z.int().min(3_600_000).max(31_536_000_000).optional(),
      usd: z.number().positive().max(9_000_000),
    })
    .optional(),
  alerts: z.boolean().optional(),
  alertTag: name.optional(),
});
