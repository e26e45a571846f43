/** Who goes before whom at an endpoint: see fair-queue.ts. */
import type { Call, Purpose } from '../../../core/model/model.ts';

/** Nested calls come first, because another call waits for them; probes come last, because nobody does. */
const NESTED_RANK = 0;
const RANK_OF_PRIORITY = { critical: 1, normal: 2, background: 3 } as const;

export const isNested = (purpose: Purpose): boolean =>
  purpose === 'judge' || purpose === 'moderation' || purpose === 'embedding';

export const rankOf = ({ purpose, priority }: Call): number => {
  if (isNested(purpose)) return NESTED_RANK;
  return purpose === 'probe' ? RANK_OF_PRIORITY.background : RANK_OF_PRIORITY[priority ?? 'normal'];
};

/** Whose turn it is: the tenant, else the team, else the user. */
export function tenantOf({ scopes }: Call): string {
  for (const kind of ['tenant', 'team', 'user'] as const) {
    const scope = scopes.find((one) => one.kind === kind);
    if (scope !== undefined) return `${kind}\n${scope.id}`;
  }
  return '';
}
