/** The schema of the config. ../config.ts documents each field. */
import { z } from 'zod';
import type { Config } from '../config.ts';
import { EscalateSchema } from '../plan/plan-schema.ts';
import { hasNoUser, PriceUpdatesSchema, WebhooksSchema } from './alerts-schema.ts';
import { checkAliases, checkCandidates } from './check-names.ts';
import { CandidatesSchema, HealthSchema, LifecycleSchema } from './lifecycle-schema.ts';
import { BudgetSchema, ClaimsSchema, CommitmentsSchema } from './money-schema.ts';
import { withCurrentNames } from './older-names.ts';
import { ClassifySchema, checkRoutes, RoutesSchema, TasksSchema } from './routes-schema.ts';

const name = z.string().min(1).max(120);
const hosts = z.array(name).min(1).max(100);
const usd = z.number().nonnegative().max(9_000_000);
const milliseconds = z.int().positive();
const days = z.int().min(1).max(36_500);

const batchSize = { flushMs: milliseconds.optional(), size: z.int().min(1).max(50_000).optional() };
const BatchesSchema = z.strictObject({
  ...batchSize,
  pollMs: milliseconds.optional(),
  maxPollMs: milliseconds.optional(),
  liveMs: milliseconds.optional(),
  keepMs: milliseconds.optional(),
  pending: z.int().min(1).max(100_000).optional(),
  providers: z
    .record(name, z.strictObject(batchSize))
    .refine((given) => Object.keys(given).length <= 100, { message: 'at most 100' })
    .optional(),
});

const rate = z.number().nonnegative().max(1_000_000).optional();
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
  search: rate,
};
const times = z.number().nonnegative().max(1000).optional();
const tiers = z
  .array(z.strictObject({ ...rates, aboveInputTokens: z.int().nonnegative() }))
  .max(10)
  .optional();
const hour = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'write a time of day in UTC as HH:MM, such as 01:30');
const change = { ...rates, times, tiers };

/** The complete price of one model, or the factor by which the built-in price is multiplied. */
export const PriceSchema = z
  .strictObject({
    ...change,
    reasoningCoversAnswer: z.boolean().optional(),
    overStated: z.boolean().optional(),
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
    message: 'give both input and output, or only times, which multiplies the built-in price',
  });

const isWhole = ({ input, output }: Readonly<Record<string, unknown>>): boolean =>
  input !== undefined && output !== undefined;
const isFactor = (price: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(price).every((field) => field === 'times' || field === 'source') && price.times !== undefined;

const prices = z.record(name, PriceSchema);

export const PricesSchema = prices as unknown as z.ZodType<NonNullable<Config['prices']>>;

const share = z.number().min(0).max(1);
const stage = z.enum(['preview', 'stable', 'deprecated', 'retired']);
const ModelSchema = z.strictObject({
  strengths: z.record(name, share).optional(),
  tier: z.enum(['fast', 'balanced', 'premium']).optional(),
  expectedMs: z.number().positive().max(86_400_000).optional(),
  firstTokenMs: z.number().positive().max(86_400_000).optional(),
  tokensPerSecond: z.number().positive().max(1_000_000).optional(),
  measuredLanguages: z.array(name).max(200).optional(),
  retention: z.enum(['none', 'provider', 'unknown']).optional(),
  regions: z.array(name).max(100).optional(),
  toolSupport: z
    .strictObject({
      count: z.int().min(0).optional(),
      depth: z.int().min(0).max(64).optional(),
      enums: z.boolean().optional(),
      unions: z.boolean().optional(),
      references: z.boolean().optional(),
      otherwise: z.enum(['warn', 'refuse']).optional(),
    })
    .optional(),
  lifecycle: z.strictObject({ stage, endsOn: z.iso.date().optional(), replacedBy: name.optional() }).optional(),
});
const models = z
  .record(z.string().min(1).max(300), ModelSchema)
  .refine((all) => Object.keys(all).length <= 1000, 'at most 1000 are taken')
  .refine(
    (all) => Object.entries(all).every(([model, { lifecycle }]) => lifecycle?.replacedBy !== model),
    'no model is replaced by itself: "replacedBy" must name another one',
  );

export const ModelsSchema = models as unknown as z.ZodType<NonNullable<Config['models']>>;

const path = z.string().min(1).max(1000);
const whatRuns = {
  run: path,
  input: z.record(z.string(), z.unknown()).optional(),
  budgetUsd: z.number().positive().max(9_000_000).optional(),
};
/** The name is a part of the ids of runs. */
const startName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,39}$/, 'begin with a letter, then a-z, 0-9, _ and -, at most 40');
const mcpSecrets = z.record(name, z.strictObject({ env: name, prefix: z.string().max(100).optional() }));

const startedBy = <T extends z.ZodType>(of: T) =>
  z
    .record(startName, of)
    .refine((all) => Object.keys(all).length <= 100, 'at most 100 are taken')
    .optional();

/** Current names only, which is what all other code reads. */
export const CurrentConfigSchema = z.strictObject({
  aliases: z.record(name, name).optional(),
  routes: RoutesSchema.optional(),
  tasks: TasksSchema.optional(),
  classify: ClassifySchema.optional(),
  detectLanguage: z.boolean().optional(),
  fallbacks: z
    .strictObject({
      contextWindow: z.array(name).max(20).optional(),
      contentPolicy: z.array(name).max(20).optional(),
      prompts: z
        .array(
          z
            .strictObject({ from: name, to: name, text: z.string().min(1).max(10_000) })
            .refine(
              ({ from, to }) => from !== to || from === '*',
              'no model falls back to itself: "from" and "to" must differ',
            ),
        )
        .max(100)
        .optional(),
    })
    .optional(),
  adapt: z.strictObject({ toolsInPrompt: z.boolean().optional(), fit: z.literal('middle-out').optional() }).optional(),
  optimise: z.enum(['cost', 'latency', 'quality', 'balanced']).optional(),
  budgets: z.array(BudgetSchema).max(1000).optional(),
  commitments: CommitmentsSchema.optional(),
  claims: ClaimsSchema.optional(),
  prices: prices.optional(),
  pricesFile: name.optional(),
  priceUpdates: PriceUpdatesSchema.optional(),
  webhooks: WebhooksSchema.optional(),
  models: models.optional(),
  modelsFile: name.optional(),
  lifecycle: LifecycleSchema.optional(),
  candidates: CandidatesSchema.optional(),
  health: HealthSchema.optional(),
  allowUnpriced: z.boolean().optional(),
  retry: z
    .strictObject({
      retries: z.int().min(0).max(10).optional(),
      baseMs: milliseconds.optional(),
      maxMs: milliseconds.optional(),
    })
    .optional(),
  breaker: z
    .strictObject({
      rateLimits: z.int().min(1).optional(),
      failureRatio: z.number().min(0.01).max(1).optional(),
      minimumAttempts: z.int().min(1).optional(),
      cooldownMs: z.int().min(0).optional(),
    })
    .optional(),
  hedge: z.strictObject({ afterMs: milliseconds.optional(), share: share.optional() }).optional(),
  timeouts: z
    .strictObject({
      connectMs: milliseconds.optional(),
      adaptive: z.boolean().optional(),
      firstTokenMs: milliseconds.optional(),
      answerMs: milliseconds.optional(),
      idleMs: milliseconds.optional(),
      totalMs: milliseconds.optional(),
    })
    .optional(),
  proxy: z
    .strictObject({
      http: z.string().max(2000).optional(),
      https: z.string().max(2000).optional(),
      except: z.array(z.string().max(300)).max(1000).optional(),
    })
    .optional(),
  concurrency: z.record(name, z.int().min(1).max(10_000)).optional(),
  connect: z.array(name).max(20).optional(),
  warm: z
    .record(name, z.strictObject({ everyMs: z.int().min(5000).max(3_600_000), usdPerDay: usd.positive() }))
    .refine((all) => Object.keys(all).length <= 20, 'at most 20 are taken')
    .optional(),
  throttle: z
    .strictObject({ announced: z.boolean().optional(), leastConcurrency: z.int().min(1).max(10_000).optional() })
    .optional(),
  log: z.strictObject({ attempts: z.enum(['debug', 'info', 'off']).optional() }).optional(),
  escalate: EscalateSchema.optional(),
  affinity: z.strictObject({ ttlMs: milliseconds.optional() }).optional(),
  batches: BatchesSchema.optional(),
  retention: z
    .strictObject({
      runsDays: days.optional(),
      ledgerDays: days.optional(),
      valuesDays: days.optional(),
      threadsDays: days.optional(),
      indexesDays: days.optional(),
    })
    .optional(),
  bounds: z
    .strictObject({
      nodes: z.int().positive().optional(),
      bytes: z.int().positive().optional(),
      depth: z.int().positive().optional(),
      items: z.int().positive().optional(),
      rounds: z.int().positive().optional(),
      toolRounds: z.int().positive().optional(),
      nesting: z.int().positive().optional(),
    })
    .optional(),
  limits: z
    .strictObject({
      values: z
        .strictObject({
          valueBytes: z.int().positive().optional(),
          renderedBytes: z.int().positive().optional(),
          runBytes: z.int().positive().optional(),
          writtenBytes: z.int().positive().optional(),
        })
        .optional(),
      answers: z
        .strictObject({
          bytes: z.int().positive().max(67_108_864).optional(),
          toolCalls: z.int().positive().optional(),
          nodeTokens: z.int().positive().optional(),
          repeatedCharacters: z.union([z.literal(0), z.int().min(256).max(65_536)]).optional(),
        })
        .optional(),
      run: z
        .strictObject({
          calls: z.int().nonnegative().optional(),
          seconds: z.number().positive().optional(),
          plannerCalls: z.int().nonnegative().optional(),
          undoMs: z.int().positive().optional(),
        })
        .optional(),
    })
    .optional(),
  plugins: z.array(name).max(100).optional(),
  workflows: z.array(name).max(100).optional(),
  prompts: z.strictObject({ folder: z.string().min(1).max(4096), planner: z.boolean().optional() }).optional(),
  planner: z
    .strictObject({
      model: name.optional(),
      rounds: z.int().min(1).max(10).optional(),
      cache: z
        .strictObject({ days: z.int().min(1).max(365).optional(), shapes: z.int().min(1).max(10_000).optional() })
        .optional(),
      maxUsd: usd.optional(),
      escalate: z.boolean().optional(),
    })
    .optional(),
  approval: z
    .strictObject({ aboveUsd: usd.optional(), sideEffects: z.enum(['ask', 'allow', 'deny']).optional() })
    .optional(),
  tools: z
    .strictObject({
      http: z.boolean().optional(),
      folder: z.string().optional(),
      write: z
        .strictObject({
          folder: z.string().min(1).max(4096),
          maxBytes: z.int().positive().max(67_108_864).optional(),
          escapeFormulas: z.boolean().optional(),
        })
        .optional(),
      request: z
        .strictObject({
          hosts,
          secrets: z
            .record(
              name,
              z.strictObject({
                env: name,
                hosts,
                header: z
                  .string()
                  .regex(/^[A-Za-z0-9-]{1,64}$/, 'write letters, digits and -, at most 64')
                  .optional(),
                prefix: z.string().max(100).optional(),
              }),
            )
            .optional(),
        })
        .optional(),
    })
    .optional(),
  mcp: z
    .record(
      z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'begin with a letter, then a-z, 0-9 and -, at most 31'),
      z
        .strictObject({
          command: path.optional(),
          args: z.array(z.string().max(4096)).max(100).optional(),
          cwd: path.optional(),
          env: mcpSecrets.optional(),
          url: z
            .string()
            .min(1)
            .max(2048)
            .refine(hasNoUser, 'leave the user and the password out: name a variable in "headers" instead')
            .optional(),
          headers: mcpSecrets.optional(),
          tools: z.array(name).max(200).optional(),
          approve: z.enum(['writes', 'all', 'none']).optional(),
          trusted: z.boolean().optional(),
          timeoutMs: z.int().min(1).max(3_600_000).optional(),
          startMs: z.int().min(1).max(3_600_000).optional(),
        })
        .refine(({ command, url }) => (command === undefined) !== (url === undefined), {
          message: 'give either "command" or "url"',
        }),
    )
    .refine((servers) => Object.keys(servers).length <= 20, 'at most 20 are taken')
    .optional(),
  schedules: startedBy(
    z.strictObject({
      cron: z.string().min(1).max(100),
      timeZone: name.optional(),
      missed: z.enum(['skip', 'once']).optional(),
      ...whatRuns,
    }),
  ),
  triggers: startedBy(
    z.strictObject({
      folder: path,
      pattern: path.optional(),
      concurrency: z.int().min(1).max(64).optional(),
      settleMs: z.int().min(0).max(3_600_000).optional(),
      pollMs: z.int().min(100).max(3_600_000).optional(),
      ...whatRuns,
    }),
  ),
});

const currentNames = z.preprocess(
  (given, context) => withCurrentNames(given, (path, message) => context.addIssue({ code: 'custom', path, message })),
  CurrentConfigSchema.superRefine((config, context) => {
    for (const check of [checkAliases, checkCandidates, checkRoutes])
      check(config as Config, (path, message) => context.addIssue({ code: 'custom', path, message }));
  }),
);

/**
 * What a user may write, including older names and a `$schema` for an editor. Its output has the current names only. A field
 * that is present but undefined counts as absent, here and wherever a config is read, so the type leaves it out.
 */
export const ConfigSchema = currentNames as unknown as z.ZodType<Config>;
