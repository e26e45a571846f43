/** Tells whether answers have the form that was asked for, which corrects what is known of the models that wrote them. */
import type { ModelResponse, Target } from '../../core/model/model.ts';

export type Rate = (target: Target, field: string, score: number) => void;

/** Only a whole answer from a model says how well it keeps a form: a refusal, a cut and a cached answer do not. */
const says = ({ finishReason, refusal, cached }: ModelResponse): boolean =>
  (finishReason === 'stop' || finishReason === 'other') && refusal === undefined && cached !== true;

/** What `read` returns or throws; an answer that fits counts as 1, one that does not as 0. */
export async function ratedForm<T>(response: ModelResponse, rate: Rate, read: () => Promise<T>): Promise<T> {
  const { target } = response;
  try {
    const value = await read();
    if (says(response)) rate(target, 'structured', 1);
    return value;
  } catch (error) {
    if (says(response)) rate(target, 'structured', 0);
    throw error;
  }
}
