/** Encodes reasoning settings: a level for newer models, a budget in tokens for older ones. */
import type { ChatRequest, WireContext } from 'polyphony/kit';
import type { GeminiFacts, Level } from './facts.ts';

type Config = Readonly<Record<string, unknown>>;

const LEVELS: readonly Level[] = ['minimal', 'low', 'medium', 'high'];
const BUDGETS: Readonly<Record<Level, number>> = { minimal: 512, low: 2048, medium: 8192, high: 24_576 };

export function thinkingConfig(request: ChatRequest, facts: GeminiFacts, context: WireContext): Config | undefined {
  const { effort, budgetTokens } = request.reasoning ?? {};
  if (effort === undefined && budgetTokens === undefined) return undefined;
  const off = effort === 'none' || budgetTokens === 0;
  if (facts.thinking === 'none') {
    if (!off)
      context.warn({
        code: 'reasoning-dropped',
        message: `Reasoning was dropped, because ${context.card.id} does not reason.`,
      });
    return undefined;
  }
  if (facts.thinking === 'budget')
    return byBudget(off ? 0 : (budgetTokens ?? BUDGETS[levelOf(effort)]), facts, context);
  const asked = off ? 'minimal' : effort === undefined ? levelFor(budgetTokens ?? 0, context) : levelOf(effort);
  const thinkingLevel = nearest(asked, off, facts, context).toUpperCase();
  return off ? { thinkingLevel } : { thinkingLevel, includeThoughts: true };
}

const levelOf = (effort: NonNullable<ChatRequest['reasoning']>['effort']): Level =>
  effort === undefined || effort === 'none' ? 'minimal' : effort;

function byBudget(wanted: number, { leastBudget, mostBudget }: GeminiFacts, { card, warn }: WireContext): Config {
  const thinkingBudget = Math.min(Math.max(wanted, leastBudget), mostBudget);
  if (thinkingBudget !== wanted) {
    const message = `${card.id} reasons with ${leastBudget} to ${mostBudget} tokens, so ${thinkingBudget} was sent instead of ${wanted}.`;
    warn({ code: 'reasoning-budget-changed', message });
  }
  return wanted === 0 ? { thinkingBudget } : { thinkingBudget, includeThoughts: true };
}

/** Models without a reasoning budget get the level that uses about as many tokens. */
function levelFor(budgetTokens: number, { card, warn }: WireContext): Level {
  const level = LEVELS.find((name) => budgetTokens <= BUDGETS[name]) ?? 'high';
  const message = `${card.id} does not support a reasoning budget, so the level "${level}" was sent.`;
  warn({ code: 'reasoning-budget-changed', message });
  return level;
}

function nearest(asked: Level, off: boolean, { levels }: GeminiFacts, { card, warn }: WireContext): Level {
  const distance = (level: Level): number => Math.abs(LEVELS.indexOf(level) - LEVELS.indexOf(asked));
  const found = levels.reduce((best, level) => (distance(level) < distance(best) ? level : best), levels[0] ?? asked);
  if (off) {
    warn({ code: 'effort-changed', message: `${card.id} always reasons, so the level "${found}" was sent.` });
  } else if (found !== asked) {
    warn({
      code: 'effort-changed',
      message: `${card.id} does not support the level "${asked}", so "${found}" was sent.`,
    });
  }
  return found;
}
