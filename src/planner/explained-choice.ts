/** Why this model plans, in sentences with the figures that were used. */
import { formatUsd } from '../core/money/money.ts';
import {
  DEFAULT_MAX_USD,
  isWithin,
  nameOf,
  type PlannerChoice,
  type PlannerModel,
  strongerPlanners,
} from './choice.ts';
import { TYPICAL_PLAN_TOKENS } from './repair.ts';

const MOST_NAMED = 3;

export function explainedChoice(choice: PlannerChoice): readonly string[] {
  const { planners, rules } = choice;
  const [first] = planners;
  return [
    ...(rules.model === undefined ? chosen(choice) : pinned(first, rules.model, choice)),
    ...(first === undefined ? [] : [after(choice, first)]),
  ];
}

function pinned(first: PlannerModel | undefined, model: string, choice: PlannerChoice): readonly string[] {
  if (first === undefined) return [`${model} plans, because planner.model names it.`];
  return [`${nameOf(first.target)} plans, because planner.model names it: ${figures(first, choice)}.`];
}

function chosen({ planners, able, rules, promptTokens }: PlannerChoice): readonly string[] {
  const [first, second] = planners;
  if (first === undefined) return [];
  const bound = `$${rules.maxUsd ?? DEFAULT_MAX_USD}`;
  const within = able.filter((model) => isWithin(model, rules));
  const name = nameOf(first.target);
  const about = figures(first, { promptTokens });
  if (within.length === 0) {
    const why = first.costNanoUsd === null ? 'no price within it is known' : 'all cost more, and it is the cheapest';
    return [
      `${name} plans, though no model that can plan is within ${bound} for one planning (planner.maxUsd): ${why}. ${sentence(about)}.`,
    ];
  }
  const lines = [
    `${name} plans: of ${able.length} that can plan this, ${within.length} cost at most ${bound} for one planning (planner.maxUsd), and it is the best of them: ${about}.`,
  ];
  if (second !== undefined && isWithin(second, rules))
    lines.push(`Next comes ${nameOf(second.target)}: ${figures(second, { promptTokens })}.`);
  const better = able.filter((model) => model.quality > first.quality && !isWithin(model, rules)).slice(0, MOST_NAMED);
  if (better.length > 0) {
    const named = better.map((model) => `${nameOf(model.target)} (${model.quality.toFixed(2)}, ${costText(model)})`);
    lines.push(`Better, but not within ${bound}: ${named.join(', ')}; raise planner.maxUsd to have it plan.`);
  }
  return lines;
}

/** Such as `planning 0.91 (derived from …), tier premium, about $0.02 for 2,300 tokens of prompt and 400 of plan`. */
function figures(model: PlannerModel, { promptTokens }: Pick<PlannerChoice, 'promptTokens'>): string {
  const { figure, quality, tier } = model;
  const observed = figure?.observed == null ? '' : `, corrected by ${figure.observations.toFixed(1)} observations`;
  const sources =
    figure === undefined || figure.sources.length === 0
      ? ''
      : ` from ${figure.sources.slice(0, MOST_NAMED).join(', ')}`;
  const basis = `${figure?.basis ?? 'unknown'}${sources}${observed}`;
  return `planning ${quality.toFixed(2)} (${basis}), tier ${tier}, ${costText(model)} for ${promptTokens} tokens of prompt and ${TYPICAL_PLAN_TOKENS} of plan`;
}

const costText = ({ costNanoUsd }: PlannerModel): string =>
  costNanoUsd === null ? 'at an unknown price' : costNanoUsd === 0 ? 'free' : `about ${formatUsd(costNanoUsd)}`;

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

function after(choice: PlannerChoice, first: PlannerModel): string {
  const name = nameOf(first.target);
  if (choice.rules.escalate === false) return `No other model is asked after its rounds (planner.escalate is false).`;
  const [next] = strongerPlanners(choice, first);
  if (next !== undefined)
    return `After its rounds ${nameOf(next.target)} is asked (planning ${next.quality.toFixed(2)}, ${costText(next)}).`;
  if (first.isOwn && choice.able.some((model) => !model.isOwn && model.quality > first.quality))
    return `${name} is on a server of your own, so nothing is sent elsewhere after its rounds unless planner.escalate is true.`;
  return `No stronger model may be asked after its rounds.`;
}
