/** What `gateway.generate` and `gateway.stream` take and return: a chat request in its short form, and its typed answer. */
import type { JsonValue, Message, Part } from './message.ts';
import type { ModelEvent, ModelResponse } from './model.ts';
import type { ChatRequest, OutputFormat, ProviderTool, ToolDefinition } from './request.ts';
import type { Infer, SchemaLike } from './schema-like.ts';

/** A tool whose schema may be a zod schema, JSON Schema or the shorthand of plans. */
export interface GenerateTool<Name extends string = string, Schema extends SchemaLike = SchemaLike>
  extends Omit<ToolDefinition, 'name' | 'inputSchema'> {
  readonly name: Name;
  readonly inputSchema: Schema;
}

/** Tools of the caller and of the provider stand in one list. */
export type AskedTool = GenerateTool | ProviderTool;

/** An output format whose schema may also be a zod schema or the shorthand of plans. */
export interface GenerateFormat<Schema extends SchemaLike = SchemaLike> extends Omit<OutputFormat, 'schema'> {
  readonly schema?: Schema;
}

/**
 * A schema (zod, JSON Schema, shorthand) for an answer that is checked and typed, or a format: then the answer is only asked
 * for in this form, and is checked if the format's schema is a zod schema.
 */
export type GenerateOutput = GenerateFormat | SchemaLike;

/** At least one of `messages` and `prompt`. The model is given `system`, then `messages`, then `prompt`. */
export interface GenerateRequest<
  Output extends GenerateOutput = GenerateOutput,
  Tools extends readonly AskedTool[] = readonly AskedTool[],
> extends Omit<ChatRequest, 'operation' | 'messages' | 'output' | 'tools' | 'providerTools'> {
  readonly messages?: readonly Message[];
  /** A last message of the user. @default none */
  readonly prompt?: string | readonly Part[];
  /** A first message with the role `system`. @default none */
  readonly system?: string;
  readonly output?: Output;
  readonly tools?: Tools;
}

/** Any schema of zod says its type; that of a plain format is not checked. */
type ObjectOf<Output> = [Output] extends [never]
  ? never
  : Output extends { readonly _zod: unknown } | { readonly _output: unknown; readonly _def: unknown }
    ? Infer<Output>
    : Output extends { readonly type: 'json' }
      ? Output extends { readonly schema: infer Schema }
        ? Schema extends { readonly _zod: unknown } | { readonly _output: unknown; readonly _def: unknown }
          ? Infer<Schema>
          : never
        : never
      : Infer<Output>;

/** A call of one of the request's tools, with arguments that fit the tool's schema. */
export type TypedToolCall<Tool> = Tool extends { readonly name: infer Name; readonly inputSchema: infer Schema }
  ? {
      readonly type: 'tool-call';
      readonly id: string;
      readonly name: Name;
      /** As the schema returns them: with its defaults and conversions. */
      readonly arguments: Infer<Schema>;
    }
  : never;

/** A call that names no tool of the request, or whose arguments do not fit. `content` has it too. */
export interface InvalidToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: JsonValue;
  readonly issues: readonly { readonly path: string; readonly message: string }[];
}

export interface TextResponse extends ModelResponse {
  /** All text of the answer, without its reasoning; empty where the model only called tools. */
  readonly text: string;
}

interface ToolFields<Tools extends readonly unknown[]> {
  /** In the order of the model. @default [] */
  readonly toolCalls: readonly TypedToolCall<Tools[number]>[];
  /** Each has a warning `tool-arguments`. @default [] */
  readonly invalidToolCalls: readonly InvalidToolCall[];
}

/** `object` is there if the request had a schema; undefined if the model called a tool instead of answering. */
export type GenerateResponse<Output = never, Tools extends readonly unknown[] = never> = TextResponse &
  ([Tools] extends [never] ? unknown : ToolFields<Tools>) &
  ([ObjectOf<Output>] extends [never]
    ? unknown
    : { readonly object: [Tools] extends [never] ? ObjectOf<Output> : ObjectOf<Output> | undefined });

/** A value that is still being written: what is not there yet is absent, also in its parts. Nothing of it is checked. */
export type PartialOf<T> = T extends readonly (infer Item)[]
  ? readonly PartialOf<Item>[]
  : T extends object
    ? { readonly [Field in keyof T]?: PartialOf<T[Field]> }
    : T;

/**
 * What `stream` yields for a request with a schema: the events of the answer, `partial-object` as it grows, and `object` with
 * the whole checked value before `finish`.
 */
export type ObjectEvent<T> =
  | { readonly type: 'partial-object'; readonly object: PartialOf<T> }
  | { readonly type: 'object'; readonly object: T };

export type StreamEvent<Output = never> = [ObjectOf<Output>] extends [never]
  ? ModelEvent
  : ModelEvent | ObjectEvent<ObjectOf<Output>>;
