/** Scores that evaluators gave the answers of an escalated call correct what is known of the models that wrote them. */
import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import type { Call, EscalationReport, Handler } from '../../core/model/model.ts';
import { observe } from '../../kit/streams/observe.ts';
import { needsOf } from '../calls/requirements.ts';
import type { Registry } from '../routing/registry.ts';

export interface RatedParts {
  readonly clock: Clock;
  readonly registry: () => Registry;
}

const GENERAL: readonly string[] = ['general'];

export const isEscalated = ({ request, purpose }: Call, config: Config): boolean =>
  (request.escalate ?? config.escalate ?? false) !== false && (purpose === 'answer' || purpose === 'planner');

/** The same events; the scores of the report count for the fields that the request asks for, in general where it asks for none. */
export function rated(call: Call, handler: Handler, parts: RatedParts): ReturnType<Handler> {
  return observe({
    open: () => handler(call),
    event(event) {
      if (event.type === 'finish' && event.escalation !== undefined) takeScores(call, event.escalation, parts);
      return event;
    },
  });
}

function takeScores({ request }: Call, { rungs }: EscalationReport, { registry, clock }: RatedParts): void {
  const asked = needsOf(request).choice.strengths ?? [];
  for (const { target, score } of rungs) {
    if (score === null) continue;
    const statistics = registry().find(target)?.statistics;
    for (const field of asked.length === 0 ? GENERAL : asked) statistics?.rate(field, score, clock.now());
  }
}
