/**
 * Finds a plan again for a request of the same shape, so that no model is asked. Off unless the config says otherwise: a plan that
 * does not fit costs more than a planning.
 *
 * C1. A plan is found only for the same shape, the same names of the input, the same catalogue, planner, tenant and user.
 * C2. What is found is validated as a whole, and checked against the input, before it counts.
 * C3. A store that fails or holds something else is a miss, never an error.
 * C4. It holds a bounded number of shapes, and plans of each; values of the variable parts are not kept where they may vary.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import type { PlanCacheConfig } from '../../core/config.ts';
import { errorRecord } from '../../core/errors.ts';
import { canonicalJson } from '../../core/json/canonical-json.ts';
import type { Scope } from '../../core/model/model.ts';
import type { Plan, ValidPlan } from '../../core/plan/plan.ts';
import type { Planner, PlanningOptions, PlanningResult } from '../../core/plan/planner.ts';
import type { Catalogue, Validation } from '../../core/plan/validation.ts';
import type { Logger } from '../../core/plugin.ts';
import type { KeyValueStore } from '../../core/stores.ts';
import { type PlanTemplate, planFrom, templateOf } from '../../planner/plan-template.ts';
import { type RequestShape, shapeOf } from '../../planner/request-shape.ts';

export interface PlanCacheParts {
  readonly planner: Planner;
  readonly store: KeyValueStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly catalogue: () => Catalogue;
  /** Undefined: no plan is kept, and none is found. */
  readonly options: () => PlanCacheConfig | undefined;
  /** The model that plans, where the config names one. */
  readonly model: () => string | undefined;
  readonly validate: (plan: Plan, request: string) => Validation;
  /** Throws invalid-request where the input does not fit the plan. */
  readonly checkInput: (plan: Plan, input: Readonly<Record<string, unknown>>) => void;
}

const PREFIX = 'plan-cache/';
const DAY_MS = 86_400_000;
/** Of one shape: their fixed parts differ. */
const MOST_PLANS = 4;

interface Entry {
  /** Epoch milliseconds. */
  readonly until: number;
  readonly templates: readonly PlanTemplate[];
}

/** The planner with the cache before it. */
export function cachedPlanner(parts: PlanCacheParts): Planner {
  const { planner } = parts;
  return {
    open: (request) => planner.open(request),
    revise: (failure, options) => planner.revise(failure, options),
    async plan(request, options = {}) {
      const settings = parts.options();
      // What is cheaper than another plan fits its own run only.
      const shape = settings === undefined || options.dearer !== undefined ? undefined : shapeOf(request);
      if (settings === undefined || shape === undefined) return planner.plan(request, options);
      const key = keyOf(parts, shape, options);
      const before = await read(parts, key);
      const found = options.fresh === true ? undefined : foundPlan(parts, before, { request, shape, options });
      if (found !== undefined) return found;
      const made = await planner.plan(request, options);
      await keep(parts, { key, before, shape, settings, plan: made.plan });
      return made;
    },
  };
}

interface Asked {
  readonly request: string;
  readonly shape: RequestShape;
  readonly options: PlanningOptions;
}

function foundPlan(parts: PlanCacheParts, entry: Entry | undefined, asked: Asked): PlanningResult | undefined {
  for (const template of entry?.templates ?? []) {
    const plan = planFrom(template, asked.request, asked.shape.parts);
    const valid = plan === undefined ? undefined : usable(parts, plan, asked);
    if (valid !== undefined) return { plan: valid, issues: [], repaired: [], rounds: 0, costNanoUsd: 0, cached: true };
  }
  return undefined;
}

function usable(parts: PlanCacheParts, plan: Plan, { request, options }: Asked): ValidPlan | undefined {
  const { plan: valid } = parts.validate(plan, request);
  if (valid === undefined || options.input === undefined) return valid;
  try {
    parts.checkInput(valid.plan, options.input);
    return valid;
  } catch {
    return undefined;
  }
}

// ---------------------------------------------------------------------------------------------------- keys

function keyOf(parts: PlanCacheParts, { shape }: RequestShape, { input, scopes = [] }: PlanningOptions): string {
  const whose = scopes.filter(isWhose).map(({ kind, id }) => [kind, id]);
  const about = [shape, Object.keys(input ?? {}).sort(), whose, parts.model() ?? null];
  return `${PREFIX}${catalogueDigest(parts.catalogue())}/${digest(about)}`;
}

/** What one tenant or user asked is not shown to another one. */
const isWhose = ({ kind }: Scope): boolean => kind === 'tenant' || kind === 'team' || kind === 'user';

const digest = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value)).digest('base64url').slice(0, 32);

const digests = new WeakMap<Catalogue, string>();

/** Of all that a planner is told of, and that a plan may name. A catalogue is made anew when what is registered changes. */
function catalogueDigest(catalogue: Catalogue): string {
  const known = digests.get(catalogue);
  if (known !== undefined) return known;
  const { steps, models, aliases, routes, tasks, evaluators, escalates, toolsInPrompt, workflows, bounds } = catalogue;
  const pool = models.map(({ provider, card: { id, tier, capabilities, strengths } }) => ({
    provider,
    id,
    tier,
    capabilities,
    strengths,
  }));
  const all = {
    steps: [...steps.values()],
    pool,
    aliases,
    routes,
    tasks,
    evaluators,
    escalates,
    toolsInPrompt,
    plans: [...workflows],
    bounds,
  };
  const made = digest(JSON.parse(JSON.stringify(all)));
  digests.set(catalogue, made);
  return made;
}

// ---------------------------------------------------------------------------------------------------- store

async function read({ store, clock, logger }: PlanCacheParts, key: string): Promise<Entry | undefined> {
  try {
    const value = await store.get(key);
    return isEntry(value) && value.until > clock.now() ? value : undefined;
  } catch (error) {
    logger.warn({ error: errorRecord(error) }, 'the plan cache could not be read');
    return undefined;
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTemplate = (value: unknown): boolean =>
  isRecord(value) && isRecord(value.plan) && Array.isArray(value.fixed) && Array.isArray(value.plan.nodes);

function isEntry(value: unknown): value is Entry {
  return (
    isRecord(value) &&
    typeof value.until === 'number' &&
    Array.isArray(value.templates) &&
    value.templates.every(isTemplate)
  );
}

interface Kept {
  readonly key: string;
  readonly before: Entry | undefined;
  readonly shape: RequestShape;
  readonly settings: PlanCacheConfig;
  readonly plan: ValidPlan;
}

async function keep(parts: PlanCacheParts, { key, before, shape, settings, plan }: Kept): Promise<void> {
  const template = templateOf(plan.plan, shape.parts);
  if (template === undefined) return;
  const fixed = canonicalJson(template.fixed);
  const others = (before?.templates ?? []).filter((one) => canonicalJson(one.fixed) !== fixed);
  const ttlMs = (settings.days ?? 7) * DAY_MS;
  const entry: Entry = { until: parts.clock.now() + ttlMs, templates: [template, ...others].slice(0, MOST_PLANS) };
  try {
    await parts.store.set(key, entry, { ttlMs });
    if (before === undefined) await makeRoom(parts, key, settings.shapes ?? 1000);
  } catch (error) {
    parts.logger.warn({ error: errorRecord(error) }, 'a plan was not kept in the plan cache');
  }
}

/** Shapes of other catalogues go first: nothing finds them any more unless that catalogue comes back. */
async function makeRoom({ store }: PlanCacheParts, key: string, shapes: number): Promise<void> {
  const keys = await store.keys(PREFIX, shapes + MOST_REMOVED);
  if (keys.length <= shapes) return;
  const own = key.slice(0, key.lastIndexOf('/') + 1);
  const others = keys.filter((one) => one !== key);
  const first = [...others.filter((one) => !one.startsWith(own)), ...others.filter((one) => one.startsWith(own))];
  for (const one of first.slice(0, keys.length - shapes)) await store.delete(one);
}

/** At once: more are left only where the config lowered the limit. */
const MOST_REMOVED = 100;
