/** Messages and their parts, the same for every provider. */

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
/** A JSON Schema (2020-12 or draft-07). Key order matters to models and is preserved. */
export type JsonSchema = { readonly [keyword: string]: unknown };

export type Role = 'system' | 'user' | 'assistant' | 'tool';

/** Where a part's bytes are. `url` may be https:, data:, or a provider's own scheme (gs:, a file id). */
export type MediaSource =
  | { readonly type: 'base64'; readonly data: string; readonly mediaType: string }
  | { readonly type: 'url'; readonly url: string; readonly mediaType?: string };

export interface TextPart {
  readonly type: 'text';
  readonly text: string;
  /** Asks the provider to cache the prompt up to here. */
  readonly cache?: 'short' | 'long';
  readonly citations?: readonly Citation[];
}
/**
 * What the provider that made the part as a piece of its answer (`family`) wants back with it. It must be returned unchanged;
 * every other target is sent the part without it.
 */
interface Made {
  readonly family?: string;
  /** Opaque, such as a thought signature. */
  readonly signature?: string;
  /** The provider's own fields beside the bytes. */
  readonly raw?: JsonValue;
}
export interface ImagePart extends Made {
  readonly type: 'image';
  readonly source: MediaSource;
  readonly detail?: 'low' | 'high' | 'auto';
}
export interface AudioPart extends Made {
  readonly type: 'audio';
  readonly source: MediaSource;
  /** What is said in it, if the provider states it; an answer has the same words as text. */
  readonly transcript?: string;
}
export interface VideoPart extends Made {
  readonly type: 'video';
  readonly source: MediaSource;
}
export interface FilePart extends Made {
  readonly type: 'file';
  readonly source: MediaSource;
  readonly name?: string;
}
export type MediaPart = ImagePart | AudioPart | VideoPart | FilePart;
/**
 * The model's reasoning. `signature` and `redacted` are opaque and must be returned unchanged to the provider that made them
 * (`family`); every other target drops the part.
 */
export interface ReasoningPart {
  readonly type: 'reasoning';
  readonly text: string;
  readonly signature?: string;
  readonly redacted?: string;
  readonly family?: string;
  /** The provider's own block, sent back unchanged. */
  readonly raw?: JsonValue;
}
export interface ToolCallPart {
  readonly type: 'tool-call';
  readonly id: string;
  readonly name: string;
  /** The parsed arguments; `{}` if the provider's JSON was invalid, with `raw` and a warning. */
  readonly arguments: JsonValue;
  /** The arguments as sent, if they could not be parsed. */
  readonly raw?: string;
  /** Opaque to everyone but the provider that made it (thought signatures). */
  readonly signature?: string;
  /** The provider whose own form of call `item` is. */
  readonly family?: string;
  /** A call that is no function call, as its provider wrote it (a custom tool, a shell): returned unchanged, with a result of its form. */
  readonly item?: JsonValue;
}
export interface ToolResultPart {
  readonly type: 'tool-result';
  readonly id: string;
  readonly name?: string;
  readonly content: string | readonly (TextPart | ImagePart | FilePart)[];
  readonly isError?: boolean;
  /** True: the model is told that it is data of somebody else, in a form that is the same for every provider. @default false */
  readonly untrusted?: boolean;
}
export type Part =
  | TextPart
  | ImagePart
  | AudioPart
  | VideoPart
  | FilePart
  | ReasoningPart
  | ToolCallPart
  | ToolResultPart;

export interface Message {
  readonly role: Role;
  /** A string is short for one text part. */
  readonly content: string | readonly Part[];
  readonly name?: string;
}

export interface Citation {
  readonly url?: string;
  readonly title?: string;
  readonly text?: string;
  readonly start?: number;
  readonly end?: number;
  /** The provider's id of the file or document. */
  readonly fileId?: string;
  /** The container of the provider that holds the file. */
  readonly containerId?: string;
  /** Which document of the request it is, from 0. */
  readonly document?: number;
  /** From 1; `endPage` as the provider counts it. */
  readonly startPage?: number;
  readonly endPage?: number;
}
