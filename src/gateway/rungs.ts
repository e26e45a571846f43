/** The rungs of a rule for escalation: tiers, and models that the registry knows. */
import { shown } from '../core/checked-options.ts';
import { type EscalationRule, TIERS } from '../core/model/model.ts';
import { nearestUnprefixed, slipOf } from '../language/suggest.ts';
import { type RuleSource, refusal } from './calls/checks/check-rule.ts';
import type { Registry } from './routing/registry.ts';

/**
 * Each rung is a tier or a model that is known now. A rung that is neither would be found out after the first answer was paid.
 *
 * @throws the code of the source, naming the rung and the nearest names
 */
export function assertRungs({ to }: EscalationRule, registry: Registry, source: RuleSource): void {
  for (const rung of to) {
    if (isTier(rung) || registry.named(rung).length > 0 || isUnlisted(rung, registry)) continue;
    throw refusal(
      source,
      `to names ${shown(rung)}, which is neither a tier nor a known model: ${remedy(rung, registry)}`,
    );
  }
}

const isTier = (rung: string): boolean => (TIERS as readonly string[]).includes(rung);

/**
 * Whether nobody can tell that the name is wrong: its provider lists nothing, or a server that lists its models is off and may
 * have it. What looks like a misspelt name of those that are known is wrong all the same.
 */
function isUnlisted(rung: string, registry: Registry): boolean {
  const name = registry.meant(rung);
  const provider = registry.providers.get(name.slice(0, Math.max(0, name.indexOf('/'))));
  if (provider !== undefined) return provider.models.length === 0;
  if (!mayListMore(registry)) return false;
  return slipOf(name, [...TIERS, ...registry.names()]) === undefined;
}

function mayListMore({ providers }: Registry): boolean {
  if (providers.size === 0) return true;
  for (const { models, listModels } of providers.values()) {
    if (models.length === 0 && listModels !== undefined) return true;
  }
  return false;
}

function remedy(rung: string, registry: Registry): string {
  const near = nearestUnprefixed(rung, [...TIERS, ...registry.names()]);
  const hint = near.length === 0 ? '' : `did you mean ${near.map((name) => `"${name}"`).join(' or ')}? `;
  const providers = [...registry.providers.keys()].join(', ') || 'none';
  return `${hint}Use ${TIERS.join(', ')}, or a model as "provider/model"; the providers are ${providers}.`;
}
