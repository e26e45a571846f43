/** What a step or a plan does outside its run, in words. */
import type { Effects, PlanEffects } from '../../core/plan/effects.ts';
import { oneLine } from '../../drawing/plain-text.ts';

const MOST_SHOWN = 12;

const ANY = { reads: 'anything', writes: 'anything', reaches: 'any host' } as const;
const LISTS = ['reads', 'writes', 'reaches'] as const;

function namesText(field: keyof typeof ANY, names: readonly string[]): string {
  const shown = names.map((name) => (name === '*' ? ANY[field] : oneLine(name)));
  const more = shown.length - MOST_SHOWN;
  return more > 0 ? `${shown.slice(0, MOST_SHOWN).join(', ')} and ${more} more` : shown.join(', ');
}

/** `reads files · reaches models · costs models`; `nothing` where it does nothing outside the run. */
export function effectsText(effects: Effects): string {
  const parts = LISTS.flatMap((field) => {
    const names = effects[field] ?? [];
    return names.length === 0 ? [] : [`${field} ${namesText(field, names)}`];
  });
  if (effects.costs !== undefined && effects.costs !== 'none') parts.push(`costs ${effects.costs}`);
  return parts.length === 0 ? 'nothing' : parts.join(' · ');
}

/** The effects of a plan, with what declares none. */
export function planEffectsText(effects: PlanEffects): string {
  const { undeclared, openModels } = effects;
  const lines = [`effects: ${effectsText(effects)}`];
  if (undeclared.length > 0) lines.push(`declare no effects: ${namesText('writes', undeclared)}`);
  if (openModels.length > 0) lines.push(`models that only the run knows: ${namesText('writes', openModels)}`);
  return lines.join('\n');
}
