/** Encodes reasoning settings: a budget in tokens, an effort, or both, depending on the model. */
import type { ChatRequest, WireContext } from 'polyphony/kit';
import { type Effort, factsOf, type MessagesFacts } from './facts.ts';

export interface Thinking {
  /** `thinking` and `output_config.effort`; undefined where nothing is sent. */
  readonly thinking: Readonly<Record<string, unknown>> | undefined;
  readonly effort: Effort | undefined;
  /** Thinking was switched on by this request. */
  readonly on: boolean;
}

const NOTHING: Thinking = { thinking: undefined, effort: undefined, on: false };
const BUDGETS: Readonly<Record<Effort, number>> = { low: 2048, medium: 8192, high: 24_576 };
const LEAST_BUDGET = 1024;

export interface ThinkingLimits {
  readonly maxTokens: number;
  /** True when a call is forced, which excludes thinking. */
  readonly forced: boolean;
  /** True when the current turn began without thinking of this provider: thinking with a budget must then stay off. */
  readonly begunWithout: boolean;
}

export function thinkingOf(request: ChatRequest, limits: ThinkingLimits, context: WireContext): Thinking {
  const facts = factsOf(context.card);
  const { effort, budgetTokens } = request.reasoning ?? {};
  const wanted = budgetTokens === 0 ? 'none' : effort;
  if (wanted === undefined && budgetTokens === undefined) return limits.forced ? withoutThinking(facts) : NOTHING;
  if (wanted === 'none') return switchedOff(facts, context);
  if (limits.forced) {
    dropped(context, 'a tool call is forced');
    return withoutThinking(facts);
  }
  const asked: Effort | undefined = wanted === 'minimal' ? 'low' : wanted;
  if (facts.thinking === 'none') return effortAlone(facts, asked, context);
  const byBudget = facts.thinking === 'budget' || (facts.thinking === 'either' && budgetTokens !== undefined);
  if (byBudget) return budgeted(asked, budgetTokens, limits, facts, context);
  return {
    // Without this, newer models return no thinking text.
    thinking: { type: 'adaptive', display: 'summarized' },
    effort: facts.effort ? (asked ?? effortFor(budgetTokens ?? 0, context)) : undefined,
    on: true,
  };
}

function budgeted(
  asked: Effort | undefined,
  budgetTokens: number | undefined,
  { maxTokens, begunWithout }: ThinkingLimits,
  facts: MessagesFacts,
  context: WireContext,
): Thinking {
  if (begunWithout) {
    dropped(context, 'the current turn began without reasoning by this provider');
    return NOTHING;
  }
  const wanted = Math.max(LEAST_BUDGET, budgetTokens ?? BUDGETS[asked ?? 'medium']);
  // Thinking counts towards the output limit: at least a quarter of the limit is left for the answer itself.
  const budget = Math.min(wanted, Math.floor(maxTokens * 0.75));
  if (budget < LEAST_BUDGET) {
    dropped(context, `${maxTokens} output tokens leave no room for the ${LEAST_BUDGET} that it needs at least`);
    return NOTHING;
  }
  if (budget < wanted && budgetTokens !== undefined) {
    const message = `A reasoning budget of ${wanted} tokens does not fit into ${maxTokens} output tokens, so ${budget} was sent.`;
    context.warn({ code: 'reasoning-budget-changed', message });
  }
  const effort = facts.effort ? asked : undefined;
  return { thinking: { type: 'enabled', budget_tokens: budget }, effort, on: true };
}

function effortAlone(facts: MessagesFacts, effort: Effort | undefined, context: WireContext): Thinking {
  if (!facts.effort) dropped(context, `${context.card.id} does not reason`);
  return { ...NOTHING, effort: facts.effort ? effort : undefined };
}

function switchedOff(facts: MessagesFacts, context: WireContext): Thinking {
  if (facts.thinkingOff !== 'never') return withoutThinking(facts);
  const message = `${context.card.id} always reasons, so the lowest effort was sent.`;
  context.warn({ code: 'effort-changed', message });
  return { ...NOTHING, effort: 'low' };
}

function withoutThinking(facts: MessagesFacts): Thinking {
  const { thinkingOff, thinksByDefault } = facts;
  const named = thinksByDefault && (thinkingOff === 'disabled' || thinkingOff === 'between_tools');
  return named ? { ...NOTHING, thinking: { type: thinkingOff } } : NOTHING;
}

/** Models without a reasoning budget get the effort that uses about as many tokens. */
function effortFor(budgetTokens: number, context: WireContext): Effort {
  const effort = budgetTokens <= BUDGETS.low ? 'low' : budgetTokens <= BUDGETS.medium ? 'medium' : 'high';
  const message = `${context.card.id} does not support a reasoning budget, so the effort "${effort}" was sent.`;
  context.warn({ code: 'reasoning-budget-changed', message });
  return effort;
}

function dropped(context: WireContext, why: string): void {
  context.warn({ code: 'reasoning-dropped', message: `Reasoning was dropped, because ${why}.` });
}
