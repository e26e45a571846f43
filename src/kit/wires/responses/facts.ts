/** What a server or model of the Responses wire accepts beyond its capabilities: data, set by its factory or its card. */
import type { WireContext } from '../../../core/model/provider.ts';
import type { CostStatement } from '../stated-cost.ts';

export type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high';

export interface ResponsesFacts extends CostStatement {
  /** True: leading system messages are sent as `instructions`; false: among the items. @default true */
  readonly instructions?: boolean;
  /** The role of system messages among the items. @default 'developer' */
  readonly systemRole?: 'developer' | 'system';
  /** Schemas of outputs and of strict tools keep to the strict subset. @default false */
  readonly strictSchemas?: boolean;
  /** The smallest `max_output_tokens` that is accepted; a smaller one is raised. @default 1 */
  readonly leastOutputTokens?: number;
  /** The efforts that the model supports; for another, the nearest is sent. @default all */
  readonly efforts?: readonly Effort[];
  /** How effort is sent: `none` if the model refuses the field. @default 'effort' */
  readonly reasoning?: 'effort' | 'none';
  /** Body fields that this server or model refuses: dropped, with a warning. @default none */
  readonly omit?: readonly string[];
  /** Body fields that the model accepts only with the effort `none`: dropped otherwise, with a warning. @default none */
  readonly omitWhenReasoning?: readonly string[];
}

/** A server's facts, with those that the model's card adds under `wire`; fields of the chat-completions wire are ignored. */
export function factsOf(facts: ResponsesFacts, { card }: Pick<WireContext, 'card'>): ResponsesFacts {
  // Cards are written for the wire that they configure; unknown fields in them are never read.
  return { ...facts, ...(card.wire as ResponsesFacts | undefined) };
}
