/**
 * The schema of the plan: shapes and sizes. plan-document.ts documents each field; the validator checks names, references,
 * types and money.
 */
import { z } from 'zod';
import { CAPABILITIES, SENSITIVITIES, TIERS } from '../model/model.ts';
import { MOST_USD } from '../money/money.ts';
import { NODE_ID, WORKFLOW_NAME } from './node-id.ts';
import { MOST_WAIT_SECONDS } from './steps.ts';

const json: z.ZodType<unknown> = z.unknown();
const positive = z.number().positive();
const usd = z.number().nonnegative().max(MOST_USD);
const seconds = positive.max(MOST_WAIT_SECONDS);

/** What is decided by data: a reference or an expression as a whole. */
const byData = z.templateLiteral(['{{', z.string().max(1996), '}}']);

export const ModelChoiceSchema = z.strictObject({
  id: z.union([z.string().min(1).max(200), byData]).optional(),
  tier: z.union([z.enum(TIERS), byData]).optional(),
  strict: z.boolean().optional(),
  can: z.array(z.enum(CAPABILITIES)).max(CAPABILITIES.length).optional(),
  strengths: z.array(z.string().max(40)).max(20).optional(),
  route: z.union([z.string().min(1).max(100), byData]).optional(),
  task: z.string().min(1).max(40).optional(),
  intent: z
    .union([
      z.string().min(1).max(200),
      z.strictObject({
        usd: usd.optional(),
        ms: positive.optional(),
        accuracy: z.number().min(0).max(1).optional(),
      }),
    ])
    .optional(),
});

export const EscalateSchema = z.strictObject({
  evaluator: z.string().min(1).max(100),
  below: z.number().min(0).max(1).optional(),
  to: z.array(z.string().min(1).max(200)).min(1).max(8),
  context: z.enum(['fresh', 'with-draft']).optional(),
});

export const NodeLimitsSchema = z.strictObject({
  usd: usd.optional(),
  seconds: seconds.optional(),
  attemptSeconds: seconds.optional(),
  retries: z.int().min(0).max(10).optional(),
  concurrency: z.int().min(1).max(1000).optional(),
  tokens: z.int().min(1).optional(),
});

const ThreadSchema = z.strictObject({
  key: z.string().min(1).max(500),
  last: z.int().min(2).max(200).optional(),
  tokens: z.int().min(1).max(1_000_000).optional(),
  summarise: z.boolean().optional(),
});

export const PlanNodeSchema = z.strictObject({
  id: z.string().regex(NODE_ID),
  use: z.string().min(1).max(120),
  in: z.record(z.string(), json).optional(),
  needs: z.array(z.string()).max(256).optional(),
  when: z.string().max(2000).optional(),
  each: z.string().max(2000).optional(),
  repeat: z.strictObject({ until: z.string().max(2000), max: z.int().min(1) }).optional(),
  wait: z.union([z.enum(['all', 'any']), z.strictObject({ atLeast: z.int().min(1) })]).optional(),
  out: z.record(z.string(), json).optional(),
  model: ModelChoiceSchema.optional(),
  escalate: EscalateSchema.optional(),
  limits: NodeLimitsSchema.optional(),
  onError: z
    .union([
      z.enum(['fail', 'skip', 'replan']),
      z.strictObject({ value: json }),
      z.strictObject({ keep: z.literal(true) }),
    ])
    .optional(),
  finish: z.boolean().optional(),
  undo: z
    .union([
      z.string().min(1).max(120),
      z.strictObject({ use: z.string().min(1).max(120), in: z.record(z.string(), json).optional() }),
    ])
    .optional(),
  session: z.string().max(500).optional(),
  thread: z.union([z.string().min(1).max(500), ThreadSchema]).optional(),
  sensitivity: z.enum(SENSITIVITIES).optional(),
  cache: z.enum(['use', 'skip', 'refresh']).optional(),
  urgency: z.enum(['batch']).optional(),
});

export const PlanWorkflowSchema = z.strictObject({
  goal: z.string().max(10_000).optional(),
  input: z.record(z.string(), json).optional(),
  budget: z.strictObject({ usd: usd.optional(), seconds: seconds.optional() }).optional(),
  nodes: z.array(PlanNodeSchema).min(1),
  output: json.optional(),
});

export const PlanSchema = z.strictObject({
  version: z.literal(1),
  id: z.string().max(120).optional(),
  ...PlanWorkflowSchema.shape,
  failFast: z.boolean().optional(),
  workflows: z.record(z.string().regex(WORKFLOW_NAME), PlanWorkflowSchema).optional(),
});
