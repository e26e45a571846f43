/** The schema of what the config says of caps and commitments. */
import { z } from 'zod';

const name = z.string().min(1).max(120);
const usd = z.number().nonnegative().max(9_000_000);
const share = z.number().positive().max(1);

export const BudgetSchema = z
  .strictObject({
    scope: z.enum(['session', 'user', 'team', 'tenant', 'tag', 'run', 'provider']),
    id: name.optional(),
    usd,
    period: z.enum(['day', 'week', 'month']).optional(),
    startsOn: z.int().min(1).max(28).optional(),
    raises: z
      .array(z.strictObject({ usd, until: z.iso.datetime({ offset: true }) }))
      .max(20)
      .optional(),
    dryRun: z.boolean().optional(),
    alerts: z.array(share).max(10).optional(),
    drift: share.optional(),
    shiftAt: share.optional(),
  })
  .refine(({ startsOn = 1, period }) => startsOn <= (period === 'month' ? 28 : period === 'week' ? 7 : 1), {
    message: 'startsOn is 1 to 7 for a week, 1 to 28 for a month, and belongs to no other budget',
  })
  .refine(({ shiftAt, scope }) => shiftAt === undefined || scope === 'provider', {
    message: 'shiftAt belongs to budgets of a provider only',
  });

const CommitmentSchema = z
  .strictObject({
    provider: name,
    model: name.optional(),
    usd: z.number().positive().max(9_000_000).optional(),
    tokens: z.int().positive().optional(),
    period: z.enum(['minute', 'day', 'week', 'month']),
    startsOn: z.int().min(1).max(28).optional(),
    times: z.number().min(0).max(1).optional(),
  })
  .refine((one) => (one.usd === undefined) !== (one.tokens === undefined), {
    message: 'a commitment is an amount in usd or in tokens: give one of them',
  })
  .refine(({ startsOn = 1, period }) => startsOn <= (period === 'month' ? 28 : period === 'week' ? 7 : 1), {
    message: 'startsOn is 1 to 7 for a week, 1 to 28 for a month, and belongs to no other commitment',
  });

type Commitment = z.infer<typeof CommitmentSchema>;

/** Two that are counted together would both cover the same usage. */
const counterOf = ({ provider, model, usd: amount, period, times = 0 }: Commitment): string =>
  JSON.stringify([provider, model, amount === undefined, period, times]);

export const CommitmentsSchema = z
  .array(CommitmentSchema)
  .max(100)
  .refine((all) => new Set(all.map(counterOf)).size === all.length, {
    message: 'two commitments differ in nothing but their amounts: add them up',
  });

export const ClaimsSchema = z.strictObject({
  share,
  tolerance: share.optional(),
});
