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
        {
          ...{ purpose: 'moderation', signal: call.signal, scopes: call.scopes, trace: call.trace },
          ...defined({ requestId: call.requestId }),
        },
      );
      if (output?.operation !== 'moderate' || output.results.length === 0) {
        throw new PolyphonyError(
          'invalid-output',
          `The classifier "${name}" got no moderation result: choose a moderation model.`,
        );
      }
      return output.results.flatMap((result) => findingsOf(result, thresholds, name));
    },
  };
}

/** @throws invalid-output when a category with a threshold was not judged */
function findingsOf(
  { flagged, categories, scores }: ModerationResult,
  thresholds: Readonly<Record<string, number>>,
  name: string,
): Finding[] {
  const found: Finding[] = [];
  let named = false;
  for (const category of new Set([...Object.keys(categories), ...Object.keys(scores)])) {
    const hit = categories[category] === true;
    named ||= hit;
    const threshold = Object.hasOwn(thresholds, category) ? thresholds[category] : undefined;
    const score = scores[category];
    const counts = threshold !== undefined && score !== undefined ? score >= threshold : hit;
    if (counts) found.push({ category });
  }
  // A text that is flagged for no category that could be compared with its threshold.
  if (found.length === 0 && flagged && !named) return [{ category: 'flagged' }];
  for (const category of found.length > 0 ? [] : Object.keys(thresholds)) {
    if (!Object.hasOwn(scores, category) && !Object.hasOwn(categories, category)) throw notJudged(name, category);
  }
  return found;
}

const notJudged = (name: string, category: string): PolyphonyError =>
  new PolyphonyError(
    'invalid-output',
    `The classifier "${name}" has a threshold for "${category}", but the model does not judge that category: use its name for it.`,
  );
