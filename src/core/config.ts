/** The configuration: YAML or JSON in the user's version control. The schema is the reference; every field is optional. */
import { z } from 'zod';
import { EscalateSchema } from './plan/plan-schema.ts';

const name = z.string().min(1).max(120);
const usd = z.number().nonnegative();
const milliseconds = z.int().positive();

export const BudgetSchema = z.strictObject({
  scope: z.enum(['session', 'user', 'team', 'tenant', 'tag', 'run']),
  /** Absent: every id of that kind by itself. */
  id: name.optional(),
  usd,
  /** Counted anew each day or month, in UTC. Absent: without end. */
  period: z.enum(['day', 'month']).optional(),
});

const rate = z.number().nonnegative().max(1_000_000).optional();
/** USD per million tokens of a kind, per image, per request: see token-price.ts. */
const rates = {
  input: rate,
  output: rate,
  cacheRead: rate,
  cacheWrite: rate,
  cacheWriteLong: rate,
  reasoning: rate,
  audioInput: rate,
  audioCacheRead: rate,
  audioOutput: rate,
  imageInput: rate,
  imageOutput: rate,
  image: rate,
  request: rate,
};
const times = z.number().nonnegative().max(1000).optional();
const tiers = z
  .array(z.strictObject({ ...rates, aboveInputTokens: z.int().nonnegative() }))
  .max(10)
  .optional();
const hour = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day in UTC is written as 01:30');
const change = { ...rates, times, tiers };

/** The price of one model, whole, or what the built-in one is multiplied by. */
export const PriceSchema = z
  .strictObject({
    ...change,
    reasoningCoversAnswer: z.boolean().optional(),
    changes: z
      .array(z.strictObject({ ...change, from: z.iso.date() }))
      .max(10)
      .optional(),
    windows: z
      .array(
        z.strictObject({ ...change, start: hour, end: hour, days: z.array(z.int().min(0).max(6)).max(7).optional() }),
      )
      .max(10)
      .optional(),
    serviceTiers: z.record(name, z.strictObject(change)).optional(),
    source: z.string().max(500).optional(),
  })
  .refine((price) => isWhole(price) || isFactor(price), {
    message: 'give input and output, or nothing but times, which multiplies the built-in price',
  });

const isWhole = ({ input, output }: Readonly<Record<string, unknown>>): boolean =>
  input !== undefined && output !== undefined;
const isFactor = (price: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(price).every((field) => field === 'times' || field === 'source') && price.times !== undefined;

export const PricesSchema = z.record(name, PriceSchema);

export const ConfigSchema = z.strictObject({
  /** Short names: `{ cheap: 'provider/model' }`. */
  aliases: z.record(name, name).optional(),
  /** Explicit chains: `model: { route: 'support' }` tries them in this order. */
  routes: z.record(name, z.strictObject({ chain: z.array(name).min(1).max(20) })).optional(),
  /** Chains for two faults that another target can mend. */
  fallbacks: z
    .strictObject({ contextWindow: z.array(name).max(20).optional(), contentPolicy: z.array(name).max(20).optional() })
    .optional(),
  optimise: z.enum(['cost', 'latency', 'quality', 'balanced']).optional(),
  budgets: z.array(BudgetSchema).max(1000).optional(),
  /** Over the built-in prices, by `provider/model` or, for all others of a provider, `provider/*`. */
  prices: PricesSchema.optional(),
  /** A file with more `prices`, YAML or JSON, relative to the config: read by the command. */
  pricesFile: name.optional(),
  /** Let calls under a cap go to models of unknown price. */
  allowUnpriced: z.boolean().optional(),
  retry: z
    .strictObject({
      /** After the first attempt, at one target. */
      retries: z.int().min(0).max(10).optional(),
      baseMilliseconds: milliseconds.optional(),
      maxMilliseconds: milliseconds.optional(),
    })
    .optional(),
  breaker: z
    .strictObject({
      /** 429s within a minute that open it. */
      rateLimits: z.int().min(1).optional(),
      failureRatio: z.number().min(0.01).max(1).optional(),
      minimumAttempts: z.int().min(1).optional(),
      cooldownMilliseconds: z.int().min(0).optional(),
    })
    .optional(),
  timeouts: z
    .strictObject({
      connect: milliseconds.optional(),
      /** Of a stream. */
      firstToken: milliseconds.optional(),
      /** Of an answer that is not streamed, until it is there. */
      answer: milliseconds.optional(),
      idle: milliseconds.optional(),
      total: milliseconds.optional(),
    })
    .optional(),
  /** Requests at once a provider, over the provider's own figure. */
  concurrency: z.record(name, z.int().min(1).max(10_000)).optional(),
  /** Applied to every answer whose request says nothing itself. */
  escalate: EscalateSchema.optional(),
  affinity: z.strictObject({ ttlSeconds: z.int().positive().optional() }).optional(),
  /** Plan bounds: the operator's, upwards or downwards. */
  bounds: z
    .strictObject({
      nodes: z.int().positive().optional(),
      bytes: z.int().positive().optional(),
      depth: z.int().positive().optional(),
      items: z.int().positive().optional(),
      rounds: z.int().positive().optional(),
      nesting: z.int().positive().optional(),
    })
    .optional(),
  /** Modules that the command loads: npm packages or files relative to the config. */
  plugins: z.array(name).max(100).optional(),
  planner: z.strictObject({ model: name.optional(), rounds: z.int().min(1).max(10).optional() }).optional(),
  tools: z.strictObject({ http: z.boolean().optional(), folder: z.string().optional() }).optional(),
});

export type Config = z.infer<typeof ConfigSchema>;
