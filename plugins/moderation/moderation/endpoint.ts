/** Moderation by a model: any model of any provider with the operation `moderate`. */
import { defined, type ModelChoice, type ModerationResult, PolyphonyError } from 'polyphony/kit';
import type { Classifier, Finding } from './classifier.ts';

export interface ModerationEndpointOptions {
  /** @default the moderation model that the gateway chooses */
  readonly model?: string | ModelChoice;
  /** Score from which a category counts, 0 to 1; without a threshold it counts when flagged. @default none */
  readonly thresholds?: Readonly<Record<string, number>>;
  /** @default 'moderation-endpoint' */
  readonly name?: string;
}

/** One call per window, charged to the moderated call. Findings have no offsets: `redact` replaces the window. */
export function moderationEndpoint(options: ModerationEndpointOptions = {}): Classifier {
  const { model, thresholds = {}, name = 'moderation-endpoint' } = options;
  return {
    name,
    async classify(text, { call, gateway }) {
      if (text.trim() === '') return [];
      const { sensitivity } = call.request;
      const { output } = await gateway.moderate(
        {
          input: [{ type: 'text', text }],
          ...defined({ model, sensitivity }),
        },
        { purpose: 'moderation', signal: call.signal, scopes: call.scopes, trace: call.trace },
      );
      if (output?.operation !== 'moderate') {
        throw new PolyphonyError(
          'invalid-output',
          `The classifier "${name}" got no moderation result: choose a moderation model.`,
        );
      }
      return output.results.flatMap((result) => findingsOf(result, thresholds));
    },
  };
}

function findingsOf(result: ModerationResult, thresholds: Readonly<Record<string, number>>): Finding[] {
  const categories = new Set([...Object.keys(result.categories), ...Object.keys(result.scores)]);
  const counting = [...categories].filter((category) => {
    const threshold = Object.hasOwn(thresholds, category) ? thresholds[category] : undefined;
    const score = result.scores[category];
    if (threshold !== undefined && score !== undefined) return score >= threshold;
    return result.categories[category] === true;
  });
  if (counting.length === 0 && result.flagged && Object.keys(thresholds).length === 0) return [{ category: 'flagged' }];
  return counting.map((category) => ({ category }));
}
