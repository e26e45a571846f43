/** What callers are told where a budget refuses a call. */
import { PolyphonyError } from '../../core/errors.ts';
import { formatUsd, type NanoUsd } from '../../core/money/money.ts';
import type { Deployment } from '../routing/registry.ts';
import type { CappedScope } from './caps.ts';

/** The scope with too little money left. */
export interface BudgetRefusal {
  readonly scope: Pick<CappedScope, 'id' | 'capNanoUsd' | 'period'> & {
    readonly kind: CappedScope['kind'] | 'request';
  };
  /** Spent and held. */
  readonly takenNanoUsd: NanoUsd;
}

export function exceeded(refusal: BudgetRefusal | undefined, neededNanoUsd: NanoUsd): PolyphonyError {
  if (refusal === undefined)
    return new PolyphonyError('budget-exceeded', 'The budget does not cover this call: raise its cap.');
  const { scope, takenNanoUsd } = refusal;
  const name = `${scope.kind} "${scope.id}"${scope.period === undefined ? '' : ` in ${scope.period}`}`;
  return new PolyphonyError(
    'budget-exceeded',
    `The budget of ${name} is ${formatUsd(scope.capNanoUsd)}, of which ${formatUsd(takenNanoUsd)} is spent or held; ` +
      `this call needs ${formatUsd(neededNanoUsd)}. Nothing was sent: raise the cap, or ask for a cheaper model or a shorter answer.`,
    {
      details: {
        scope: { kind: scope.kind, id: scope.id },
        ...(scope.period === undefined ? {} : { period: scope.period }),
        capNanoUsd: scope.capNanoUsd,
        spentNanoUsd: takenNanoUsd,
        neededNanoUsd,
      },
    },
  );
}

export function unboundedSearches({ target }: Deployment, scope: string): PolyphonyError {
  return new PolyphonyError(
    'budget-exceeded',
    `The searches that ${target.provider}/${target.model} may make have no bound or no known price, so the cap of the ${scope} cannot be checked: bound them in the request, add the price of a search to the config, or set allowUnpriced.`,
    { details: { scope, provider: target.provider, model: target.model, price: null } },
  );
}

export function unpriced({ target }: Deployment, scope: string): PolyphonyError {
  return new PolyphonyError(
    'budget-exceeded',
    `The price of ${target.provider}/${target.model} is unknown, so the cap of the ${scope} cannot be checked: add the price to the config, or set allowUnpriced.`,
    { details: { scope, provider: target.provider, model: target.model, price: null } },
  );
}
