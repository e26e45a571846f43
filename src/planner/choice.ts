/**
 * Who plans: the best that can, among the models whose expected cost of one planning is within `planner.maxUsd`.
 *
 * P1. Candidates are those that the router admits for the request: its sensitivity, its exclusions and plugins hold.
 * P2. Within the bound the highest figure for planning comes first; models that are as good by two decimals stand by tier, fast ones
 *     last, then by price.
 * P3. An unknown price is not within the bound. Where none is within it, models of unknown price come first, then the cheapest one,
 *     unless the bound was set: then planning is refused.
 * P4. A window that leaves no room for a plan and its repair is taken only where all are so small.
 * P5. A stronger planner is asked after the rounds only where it may be: a bound that was set holds for it too, and a planner on a
 *     server of the user's own gives way to others of that kind only.
 */
import { PolyphonyError } from '../core/errors.ts';
import type { CallOptions, Candidate, CorrectedFigure, Gateway } from '../core/gateway.ts';
import { type ChatRequest, type Target, TIERS } from '../core/model/model.ts';
import type { NanoUsd } from '../core/money/money.ts';
import { formatUsd, usdToNano } from '../core/money/money.ts';
import { costOf } from '../core/money/price.ts';
import type { Catalogue } from '../core/plan/validation.ts';
import { estimateRequestTokens } from '../kit/models/tokens.ts';
import { formOf, type PlanForm, type PlanForms } from './form/plan-form.ts';
import { LEAST_ROOM, TYPICAL_PLAN_TOKENS } from './repair.ts';

export const DEFAULT_MAX_USD = 0.05;

export interface PlannerRules {
  /** A model's id or alias. @default the best one within `maxUsd` */
  readonly model?: string | undefined;
  /** The most that one planning is expected to cost, in US dollars. @default 0.05, which gives way where no model is within it */
  readonly maxUsd?: number | undefined;
  /**
   * Whether a stronger planner is asked after the rounds. True: even one elsewhere, where the planner is on a server of the
   * user's own. @default one that is where the data may go already
   */
  readonly escalate?: boolean | undefined;
}

export interface PlannerModel {
  readonly target: Target;
  readonly tier: Candidate['card']['tier'];
  /** 0 to 1, on the scale of cards. */
  readonly quality: number;
  readonly figure: CorrectedFigure | undefined;
  readonly contextTokens: number;
  /** Expected of one planning; null: unknown. */
  readonly costNanoUsd: NanoUsd | null;
  /** On a server of the user's own. */
  readonly isOwn: boolean;
  readonly card: Candidate['card'];
  /** How it writes the plan. */
  readonly form: PlanForm;
}

export interface PlannerChoice {
  /** Those that plan, the first choice first; the others answer when it fails. Empty for a pinned model that is not listed. */
  readonly planners: readonly PlannerModel[];
  /** Every model that could plan this request, the strongest first. */
  readonly able: readonly PlannerModel[];
  /** Tokens of the prompt, without a schema beside it. */
  readonly promptTokens: number;
  readonly rules: PlannerRules;
}

type ChoiceParts = {
  readonly gateway: Gateway;
  readonly catalogue: Pick<Catalogue, 'models'>;
  /** Tokens of a schema beside the prompt, by form. */
  readonly formTokens: PlanForms['tokens'];
};

export const nameOf = ({ provider, model }: Target): string => `${provider}/${model}`;

/** @throws budget-exceeded when no model that can plan is within a bound that was set */
export function choosePlanner(
  request: ChatRequest,
  rules: PlannerRules,
  options: Pick<CallOptions, 'exclude'>,
  parts: ChoiceParts,
): PlannerChoice {
  const promptTokens = estimateRequestTokens(request);
  const able = ablePlanners(request, promptTokens, options, parts);
  if (rules.model !== undefined) {
    const pinned = modelsOf(
      { ...request, model: { id: rules.model, strengths: ['planning'] } },
      promptTokens,
      options,
      parts,
    );
    return { planners: pinned, able, promptTokens, rules };
  }
  const roomy = able.filter(({ contextTokens }) => promptTokens + LEAST_ROOM <= contextTokens);
  return { planners: withinBound(roomy.length > 0 ? roomy : able, rules), able, promptTokens, rules };
}

/** What the planner's request asks of a model, where none is pinned. */
export const PLANNING_MODEL = { can: ['planning'], strengths: ['planning'] } as const;

function ablePlanners(
  request: ChatRequest,
  promptTokens: number,
  options: Pick<CallOptions, 'exclude'>,
  parts: ChoiceParts,
): readonly PlannerModel[] {
  const models = modelsOf({ ...request, model: PLANNING_MODEL }, promptTokens, options, parts);
  return [...models].sort((a, b) => b.quality - a.quality);
}

function modelsOf(
  request: ChatRequest,
  promptTokens: number,
  { exclude }: Pick<CallOptions, 'exclude'>,
  { gateway, catalogue, formTokens }: ChoiceParts,
): readonly PlannerModel[] {
  const own = new Set(catalogue.models.flatMap(({ provider, isOwn }) => (isOwn === true ? [provider] : [])));
  const seen = new Set<string>();
  const { candidates } = gateway.explain(request, {
    purpose: 'planner',
    ...(exclude === undefined ? {} : { exclude }),
  });
  return candidates.flatMap(({ target: { provider, model }, card, figures, parts }) => {
    const target: Target = { provider, model };
    if (seen.has(nameOf(target))) return [];
    seen.add(nameOf(target));
    const isOwn = own.has(provider);
    const form = formWithin(card, promptTokens, isOwn, formTokens);
    return {
      target,
      tier: card.tier,
      quality: parts.quality ?? 0,
      figure: figures?.find(({ of }) => of === 'planning'),
      contextTokens: card.contextTokens,
      costNanoUsd: costOf(
        card,
        { input: promptTokens + formTokens[form], output: TYPICAL_PLAN_TOKENS },
        { at: 'usual' },
      ),
      isOwn,
      card,
      form,
    };
  });
}

/** A server of the user's own makes a grammar of a schema, which takes nothing of the window; others put it into the prompt. */
function formWithin(
  card: Candidate['card'],
  promptTokens: number,
  isOwn: boolean,
  formTokens: PlanForms['tokens'],
): PlanForm {
  const form = formOf(card);
  const schemaTokens = isOwn && form === 'schema' ? 0 : formTokens[form];
  return promptTokens + schemaTokens + LEAST_ROOM > card.contextTokens ? 'json' : form;
}

const boundOf = ({ maxUsd = DEFAULT_MAX_USD }: PlannerRules): NanoUsd => usdToNano(maxUsd);

export const isWithin = ({ costNanoUsd }: PlannerModel, rules: PlannerRules): boolean =>
  costNanoUsd !== null && costNanoUsd <= boundOf(rules);

function withinBound(able: readonly PlannerModel[], rules: PlannerRules): readonly PlannerModel[] {
  const within = able.filter((model) => isWithin(model, rules)).sort(bestFirst);
  const isSet = rules.maxUsd !== undefined;
  if (able.length > 0 && within.length === 0 && isSet) throw tooDear(able, rules);
  if (isSet) return within;
  const unknown = able.filter(({ costNanoUsd }) => costNanoUsd === null).sort(bestFirst);
  const dearer = able
    .filter((model) => model.costNanoUsd !== null && !isWithin(model, rules))
    .sort((a, b) => (a.costNanoUsd ?? 0) - (b.costNanoUsd ?? 0));
  return [...within, ...unknown, ...dearer];
}

const hundredths = ({ quality }: PlannerModel): number => Math.round(quality * 100);
const isFast = ({ tier }: PlannerModel): number => (tier === 'fast' ? 1 : 0);

function bestFirst(a: PlannerModel, b: PlannerModel): number {
  return (
    hundredths(b) - hundredths(a) ||
    isFast(a) - isFast(b) ||
    (a.costNanoUsd ?? 0) - (b.costNanoUsd ?? 0) ||
    nameOf(a.target).localeCompare(nameOf(b.target), 'en')
  );
}

function tooDear(able: readonly PlannerModel[], { maxUsd = DEFAULT_MAX_USD }: PlannerRules): PolyphonyError {
  const priced = able.filter(({ costNanoUsd }) => costNanoUsd !== null);
  const cheapest = [...priced].sort((a, b) => (a.costNanoUsd ?? 0) - (b.costNanoUsd ?? 0))[0];
  const least =
    cheapest === undefined
      ? 'the prices of all of them are unknown'
      : `the cheapest, ${nameOf(cheapest.target)}, costs about ${formatUsd(cheapest.costNanoUsd ?? 0)}`;
  return new PolyphonyError(
    'budget-exceeded',
    `No model that can plan is known to cost at most $${maxUsd} for one planning (planner.maxUsd): ${least}. Raise planner.maxUsd, or name the planner in planner.model.`,
  );
}

/** Another one that plans better, or as well and is of no lower tier: what one model fails at, another may not. */
function isStronger(model: PlannerModel, last: PlannerModel): boolean {
  if (nameOf(model.target) === nameOf(last.target)) return false;
  const more = hundredths(model) - hundredths(last);
  return more > 0 || (more === 0 && TIERS.indexOf(model.tier) >= TIERS.indexOf(last.tier));
}

/** Those that are asked after the rounds of `last`, best first; empty where there is none, or none that may be asked. */
export function strongerPlanners(
  { able, rules }: PlannerChoice,
  last: PlannerModel | undefined,
): readonly PlannerModel[] {
  if (rules.escalate === false) return [];
  const mayLeave = rules.escalate === true || last?.isOwn !== true;
  const stronger = able.filter((model) => (last === undefined || isStronger(model, last)) && (mayLeave || model.isOwn));
  const within = stronger.filter((model) => isWithin(model, rules)).sort(bestFirst);
  if (within.length > 0 || rules.maxUsd !== undefined) return within;
  return [...stronger].sort((a, b) => (a.costNanoUsd ?? Infinity) - (b.costNanoUsd ?? Infinity));
}
