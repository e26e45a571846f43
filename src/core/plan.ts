/**
 * The plan: the one format that the planner emits, the TypeScript builder compiles to and the executor runs. The schema
 * here checks shapes and sizes; meaning (names, references, types, money) is the validator's.
 */
import { z } from 'zod';
import { CAPABILITIES, SENSITIVITIES, TIERS } from './model.ts';
import type { NanoUsd } from './money.ts';

/** What an operator may move, up or down; a plan never can. */
export interface PlanBounds {
  readonly nodes: number;
  readonly bytes: number;
  readonly depth: number;
  readonly items: number;
  readonly rounds: number;
  readonly nesting: number;
}
export const DEFAULT_BOUNDS: PlanBounds = {
  nodes: 256,
  bytes: 1_048_576,
  depth: 32,
  items: 10_000,
  rounds: 20,
  nesting: 4,
};

export const NODE_ID = /^[a-z][a-z0-9_]{0,39}$/;
/** Heads of references that are not nodes. */
export const REFERENCE_HEADS = ['input', 'item', 'index', 'prev', 'self'] as const;

const json: z.ZodType<unknown> = z.unknown();
const positive = z.number().positive();

export const ModelChoiceSchema = z.strictObject({
  id: z.string().min(1).max(200).optional(),
  tier: z.enum(TIERS).optional(),
  can: z.array(z.enum(CAPABILITIES)).max(CAPABILITIES.length).optional(),
  strengths: z.array(z.string().max(40)).max(20).optional(),
  route: z.string().min(1).max(100).optional(),
});

export const EscalateSchema = z.strictObject({
  evaluator: z.string().min(1).max(100),
  below: z.number().min(0).max(1).optional(),
  to: z.array(z.string().min(1).max(200)).min(1).max(8),
  context: z.enum(['fresh', 'with-draft']).optional(),
});

export const NodeLimitsSchema = z.strictObject({
  usd: z.number().nonnegative().optional(),
  seconds: positive.optional(),
  retries: z.int().min(0).max(10).optional(),
  concurrency: z.int().min(1).max(1000).optional(),
  tokens: z.int().min(1).optional(),
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
  onError: z.union([z.enum(['fail', 'skip', 'replan']), z.strictObject({ value: json })]).optional(),
  session: z.string().max(500).optional(),
  sensitivity: z.enum(SENSITIVITIES).optional(),
  cache: z.enum(['use', 'skip', 'refresh']).optional(),
});

export const PlanSchema = z.strictObject({
  version: z.literal(1),
  id: z.string().max(120).optional(),
  goal: z.string().max(10_000).optional(),
  input: z.record(z.string(), json).optional(),
  budget: z.strictObject({ usd: z.number().nonnegative().optional(), seconds: positive.optional() }).optional(),
  nodes: z.array(PlanNodeSchema).min(1),
  output: json.optional(),
});

export type Plan = z.infer<typeof PlanSchema>;
export type PlanNode = z.infer<typeof PlanNodeSchema>;

/** Expected and worst figures of a node, before it runs. `null`: a price that is needed is unknown. */
export interface NodeEstimate {
  readonly lowNanoUsd: NanoUsd | null;
  readonly expectedNanoUsd: NanoUsd | null;
  readonly highNanoUsd: NanoUsd | null;
  readonly expectedMs: number;
}

/** A node with what the validator found out about it. */
export interface ValidNode {
  readonly node: PlanNode;
  readonly index: number;
  /** Ids that its references name, without duplicates. */
  readonly data: readonly string[];
  /** `data` and `needs`, without duplicates: what it waits for. */
  readonly dependencies: readonly string[];
  /** A reference of the node uses `??`, so an all-skipped input does not skip it. */
  readonly hasFallback: boolean;
  readonly estimate: NodeEstimate;
  /** Expected milliseconds from its start to the end of the longest path behind it: what goes first when many are ready. */
  readonly priority: number;
}

declare const valid: unique symbol;

/** A plan that the validator let pass, compiled for engines. Only the validator makes one (`markValid`). */
export interface ValidPlan {
  readonly [valid]: true;
  readonly plan: Plan;
  /** SHA-256 of the canonical JSON, hex. */
  readonly hash: string;
  /** In the plan's order, which is topological. */
  readonly nodes: readonly ValidNode[];
  readonly estimate: NodeEstimate;
  readonly bounds: PlanBounds;
}

/** For the validator alone. */
export function markValid(plan: Omit<ValidPlan, typeof valid>): ValidPlan {
  return plan as ValidPlan;
}
