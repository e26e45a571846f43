/** The differences between servers on the chat-completions wire: data, so that a vendor's file needs no code for them. */
import type { JsonValue } from '../../../core/model/model.ts';
import type { WireContext } from '../../../core/model/provider.ts';
import type { CostStatement } from '../stated-cost.ts';

export interface ChatCompletionsQuirks extends CostStatement {
  /** How the key is sent: `bearer`, or the name of a header that contains only the key. @default 'bearer' */
  readonly authorisation?: string;
  /** Paths after the base URL. `{model}` is replaced. @default the usual ones */
  readonly paths?: {
    readonly chat?: string;
    readonly embed?: string;
    readonly image?: string;
    readonly imageEdit?: string;
    readonly moderate?: string;
  };
  /** @default 'max_tokens' */
  readonly maxTokensField?: string;
  /** @default 'system' */
  readonly systemRole?: 'system' | 'developer';
  /** Asks for usage at the end of streams by `stream_options`. @default true */
  readonly streamUsage?: boolean;
  /** The value of `tool_choice` that requires a tool call. @default 'required' */
  readonly toolChoiceRequired?: string;
  /** How an output schema is sent; `json-object` only asks for JSON. @default 'json-schema' */
  readonly structuredOutput?: 'json-schema' | 'json-object' | 'none';
  /** Schemas of outputs and of strict tools keep to the strict subset. @default false */
  readonly strictSchemas?: boolean;
  /**
   * How effort and budget of reasoning are sent: `effort` (`reasoning_effort`), `object` (`reasoning: { effort, max_tokens }`),
   * `switch` (`enable_thinking`, `thinking_budget`), `thinking` (`thinking: { type }`), `thinking-effort` (that and
   * `reasoning_effort`), or not at all (`none`). @default 'effort'
   */
  readonly reasoning?: 'effort' | 'object' | 'switch' | 'thinking' | 'thinking-effort' | 'none';
  /** The efforts that the model supports; for another, the nearest is sent. @default all */
  readonly efforts?: readonly ('none' | 'minimal' | 'low' | 'medium' | 'high')[];
  /** The server's names of efforts, by the usual names. @default the usual names */
  readonly effortNames?: Readonly<Record<string, string>>;
  /** Reasoning and an output format exclude each other: the format takes precedence. @default false */
  readonly outputEndsReasoning?: boolean;
  /** The only effort at which the model calls tools on this wire. @default any */
  readonly effortWithTools?: 'none';
  /** Body fields that the model accepts only with the effort `none`: dropped otherwise, with a warning. @default none */
  readonly omitWhenReasoning?: readonly string[];
  /** Reasoning is sent back to the provider that made it. @default true */
  readonly returnReasoning?: boolean;
  /** The field that a message with tool calls must have, empty if the model did not reason. @default none */
  readonly reasoningFieldOfCalls?: string;
  /** The flag that marks a final assistant message as a beginning to continue. @default none */
  readonly prefixField?: string;
  /** Messages may have `name`. @default true */
  readonly messageNames?: boolean;
  /** `nine-alphanumerics`: ids of tool calls must be nine letters and digits; others are replaced consistently. @default 'any' */
  readonly toolCallIds?: 'any' | 'nine-alphanumerics';
  /** Media types of inline images that the server reads. Not from a card. @default image/png, image/jpeg, image/webp and image/gif */
  readonly imageTypes?: readonly string[];
  /** How files are sent: as `file`, or by address as `document_url`. @default 'file' */
  readonly files?: 'file' | 'document_url';
  /** The server refuses a request for JSON unless a message contains "JSON": if none does, one is added. @default false */
  readonly jsonInWords?: boolean;
  /** An assistant message takes the images of an answer, as `images`. @default false: they follow in a user message */
  readonly answerImages?: boolean;
  /** Marks `cache` on parts as `cache_control`. @default false */
  readonly cacheControl?: boolean;
  /** This server's names of body fields, by the usual names. @default the usual names */
  readonly rename?: Readonly<Record<string, string>>;
  /** Body fields that this server or model refuses: dropped, with a warning. @default none */
  readonly omit?: readonly string[];
  /** Fields that are added to every chat body. @default none */
  readonly body?: Readonly<Record<string, JsonValue>>;
  /** @default 'float' */
  readonly embeddingEncoding?: 'float' | 'base64';
  /** `response_format` of image requests; `none` if the server refuses the field. @default 'b64_json' */
  readonly imageFormat?: 'b64_json' | 'base64' | 'url' | 'none';
  /** How the size of an image is sent: as `size`, or as `width` and `height`. @default 'size' */
  readonly imageSize?: 'size' | 'width-height';
  /** The field of an image to edit: a list `images`, or one address under this name. @default 'images' */
  readonly imageField?: string;
  /** The completion tokens of usage do not include reasoning. @default false */
  readonly reasoningBesideOutput?: boolean;
  /** Codes and types of errors that mean something else at this server, with the usual name for it. @default none */
  readonly errorNames?: Readonly<Record<string, string>>;
}

/** A server's quirks, with those that the model's card adds under `wire`. */
export function quirksOf(quirks: ChatCompletionsQuirks, context: Pick<WireContext, 'card'>): ChatCompletionsQuirks {
  const { wire } = context.card;
  // Cards are written for the wire that they configure; unknown fields in them are never read.
  return wire === undefined ? quirks : { ...quirks, ...(wire as Partial<ChatCompletionsQuirks>) };
}
