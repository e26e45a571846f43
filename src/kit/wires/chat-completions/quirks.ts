/** What differs from server to server on the chat-completions wire: data, so that a vendor's file holds no code for it. */
import type { JsonValue } from '../../../core/model/model.ts';
import type { WireContext } from '../../../core/model/provider.ts';

export interface ChatCompletionsQuirks {
  /** How the key is sent: `bearer`, or the name of the header that takes it bare. @default 'bearer' */
  readonly authorisation?: string;
  /** Paths behind the base URL. `{model}` is replaced. @default the usual ones */
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
  /** What a tool must be called by. @default 'required' */
  readonly toolChoiceRequired?: string;
  /** How an output schema is sent; `json-object` sends only that JSON is wanted. @default 'json-schema' */
  readonly structuredOutput?: 'json-schema' | 'json-object' | 'none';
  /** Schemas of outputs and of strict tools keep to the strict subset. @default false */
  readonly strictSchemas?: boolean;
  /**
   * Where effort and budget of reasoning go: `effort` (`reasoning_effort`), `object` (`reasoning: { effort, max_tokens }`),
   * `switch` (`enable_thinking`, `thinking_budget`), `thinking` (`thinking: { type }`), `thinking-effort` (that and
   * `reasoning_effort`), or nowhere. @default 'effort'
   */
  readonly reasoning?: 'effort' | 'object' | 'switch' | 'thinking' | 'thinking-effort' | 'none';
  /** The efforts that the model knows; another is sent as the nearest. @default all */
  readonly efforts?: readonly ('none' | 'minimal' | 'low' | 'medium' | 'high')[];
  /** Efforts by other names than the usual ones. */
  readonly effortNames?: Readonly<Record<string, string>>;
  /** Reasoning and an output format exclude each other: the format wins. @default false */
  readonly outputEndsReasoning?: boolean;
  /** The only effort at which the model calls tools on this wire. @default any */
  readonly effortWithTools?: 'none';
  /** Body fields that the model takes at effort `none` alone: dropped at any other, and where none is asked for. */
  readonly omitWhenReasoning?: readonly string[];
  /** Reasoning goes back to the provider that made it. @default true */
  readonly returnReasoning?: boolean;
  /** The field that a message with tool calls must have in a conversation, empty where the model did not reason. */
  readonly reasoningFieldOfCalls?: string;
  /** The flag that marks a final message of the assistant as a beginning to be continued. @default none */
  readonly prefixField?: string;
  /** Messages take `name`. @default true */
  readonly messageNames?: boolean;
  /** Ids of tool calls are nine letters and digits; others are replaced, alike wherever they stand. @default 'any' */
  readonly toolCallIds?: 'any' | 'nine-alphanumerics';
  /** How files are sent: as `file`, or by address as `document_url`. @default 'file' */
  readonly files?: 'file' | 'document_url';
  /** A request for bare JSON is refused unless a message says "JSON": where none does, one is added. @default false */
  readonly jsonInWords?: boolean;
  /** Marks `cache` on parts as `cache_control`. @default false */
  readonly cacheControl?: boolean;
  /** Canonical fields by the names that this server gives them. */
  readonly rename?: Readonly<Record<string, string>>;
  /** Body fields that this server or model refuses: dropped, with a warning. */
  readonly omit?: readonly string[];
  /** Put into every chat body. */
  readonly body?: Readonly<Record<string, JsonValue>>;
  /** @default 'float' */
  readonly embeddingEncoding?: 'float' | 'base64';
  /** `response_format` of image requests; `none` where the server refuses the field. @default 'b64_json' */
  readonly imageFormat?: 'b64_json' | 'base64' | 'url' | 'none';
  /** How the size of an image is asked for: as `size`, or as `width` and `height`. @default 'size' */
  readonly imageSize?: 'size' | 'width-height';
  /** The field of an image to edit: a list `images`, or one address under this name. @default 'images' */
  readonly imageField?: string;
  /** Usage leaves reasoning out of the completion tokens. @default false */
  readonly reasoningBesideOutput?: boolean;
}

/** A server's quirks and those that the model's card adds under `wire`, in the same words. */
export function quirksOf(quirks: ChatCompletionsQuirks, context: Pick<WireContext, 'card'>): ChatCompletionsQuirks {
  const { wire } = context.card;
  // Cards are written by programmers beside the wire that they configure; foreign words in them are never read.
  return wire === undefined ? quirks : { ...quirks, ...(wire as Partial<ChatCompletionsQuirks>) };
}
