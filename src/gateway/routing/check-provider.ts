/** Providers of programs that no compiler has checked: what would wait for ever or pay money back is refused. */
import { PolyphonyError } from '../../core/errors.ts';
import type { ModelCard, Provider } from '../../core/model/provider.ts';

/** @throws invalid-config, which names the field and the rule */
export function checkProvider({ id, models, concurrency }: Provider): void {
  if (!Array.isArray(models)) throw refusal(id, 'models', models, 'a list of model cards');
  // Without a slot every call would wait for ever; NaN is no number of slots either.
  if (concurrency !== undefined && !(concurrency >= 1)) throw refusal(id, 'concurrency', concurrency, '1 or more');
  for (const card of models) checkPrice(id, card);
}

function checkPrice(provider: string, { id, price }: ModelCard): void {
  for (const [kind, rate] of Object.entries(price ?? {})) {
    if (typeof rate !== 'number' || rate >= 0) continue;
    throw refusal(provider, `price.${kind} of the model "${id}"`, rate, '0 or more, in US dollars');
  }
}

const refusal = (provider: string, field: string, value: unknown, rule: string): PolyphonyError =>
  new PolyphonyError('invalid-config', `The provider "${provider}" has ${String(value)} as ${field}: give ${rule}.`);
