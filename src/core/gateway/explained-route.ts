/** What an explanation says of the route of a request. */
import type { Target } from '../model/event.ts';

export interface ExplainedRoute {
  /** null: the router chooses among all models. */
  readonly route: string | null;
  /** The task that the request is taken for; null: none. */
  readonly task: string | null;
  /**
   * `request`: it names the route or the task. `rule`, `examples`, `model`: how its text was classified. `nothing`: it was not, or
   * that told nothing, so `classify.otherwise` counts.
   */
  readonly by: 'request' | 'rule' | 'examples' | 'model' | 'nothing';
  /** How alike its examples are, 0 to 1, also where that was not enough. @default there was nothing to compare */
  readonly certainty?: number;
  /** The model that would be asked for its class, which may change the route. @default none */
  readonly wouldAsk?: string;
  /** The language that its text seems to be in, as a BCP 47 tag. @default stated by the request, unknown, or not looked for */
  readonly language?: string;
  /** What was observed of the models of a route with `p95Ms`, and of those that may be asked in their place. @default the route has none */
  readonly times?: readonly ExplainedTime[];
}

export interface ExplainedTime {
  readonly target: Target;
  /** The 95th percentile of its answers within the window, in milliseconds; null: there was none. */
  readonly p95Ms: number | null;
  readonly answers: number;
  /** It is too slow, and comes after the others. */
  readonly isLeft: boolean;
  /** The model in whose place it may be asked. @default it is one of the candidates itself */
  readonly inPlaceOf?: Target;
}
