/** What a server or model of the Responses wire accepts beyond its capabilities: data, set by its factory or its card. */
import type { WireContext } from '../../../core/model/provider.ts';

export type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high';

export interface ResponsesFacts {
  /** Where leading system messages go: into `instructions`, or among the items. @default true */
  readonly instructions?: boolean;
  /** The role of system messages among the items. @default 'developer' */
  readonly systemRole?: 'developer' | 'system';
  /** Schemas of outputs and of strict tools keep to the strict subset. @default false */
  readonly strictSchemas?: boolean;
  /** The least that `max_output_tokens` may be; less is raised. @default 1 */
  readonly leastOutputTokens?: number;
  /** The efforts that the model knows; another is sent as the nearest. @default all */
  readonly efforts?: readonly Effort[];
  /** How effort is told: `none` where the model refuses the field. @default 'effort' */
  readonly reasoning?: 'effort' | 'none';
  /** Body fields that this server or model refuses: dropped, with a warning. */
  readonly omit?: readonly string[];
  /** Body fields that the model takes at effort `none` alone: dropped at any other, and where none is asked for. */
  readonly omitWhenReasoning?: readonly string[];
}

/** A server's facts and those that the model's card adds under `wire`; words of the chat-completions wire are skipped. */
export function factsOf(facts: ResponsesFacts, { card }: Pick<WireContext, 'card'>): ResponsesFacts {
  // Cards are written by programmers beside the wire that they configure; foreign words in them are never read.
  return { ...facts, ...(card.wire as ResponsesFacts | undefined) };
}
