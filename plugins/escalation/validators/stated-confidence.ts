/** The confidence that a model states in a typed answer, because its schema asks for one. */
import { asRecord, extractJson } from 'polyphony/kit';
import type { CheckedAnswer } from './checked-answer.ts';

/**
 * The field `confidence` of the answer, from 0 to 1. Undefined where the schema declares no such number, or where the value is on
 * another scale, such as percent: a guess at the scale could hide a doubt.
 */
export function statedConfidence({ request, text }: CheckedAnswer): number | undefined {
  const declared = asRecord(asRecord(request.output?.schema?.properties)?.confidence);
  if (declared?.type !== 'number') return undefined;
  const stated = asRecord(extractJson(text)?.value)?.confidence;
  return typeof stated === 'number' && stated >= 0 && stated <= 1 ? stated : undefined;
}
