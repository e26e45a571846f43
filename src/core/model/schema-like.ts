/** Types of the schemas that a user may pass: zod 4, zod 3, the plan's shorthand, plain JSON Schema. */

interface Zod4<Output, Input = unknown> {
  readonly _zod: { readonly output: Output; readonly input: Input };
}
interface Zod3<Output, Input = unknown> {
  readonly _output: Output;
  readonly _input: Input;
  readonly _def: unknown;
}
export interface ShorthandMap {
  readonly [field: string]: string | ShorthandMap;
}
/** A plain JSON Schema has no types for the compiler: its values are `unknown`. */
interface PlainSchema {
  readonly [keyword: string]: unknown;
}
export type ZodLike = Zod4<unknown> | Zod3<unknown>;
export type SchemaLike = ZodLike | ShorthandMap | PlainSchema;

/** The values that a schema gives, as a program sees them. */
export type Infer<S> =
  S extends Zod4<infer T>
    ? T
    : S extends Zod3<infer T>
      ? T
      : S extends { readonly type: string; readonly properties: unknown }
        ? Readonly<Record<string, unknown>>
        : S extends ShorthandMap
          ? InferShorthand<S>
          : Readonly<Record<string, unknown>>;

/** The values that a schema takes. Other than `Infer<S>` only where a schema of zod converts values or fills them in. */
export type InferInput<S> = S extends Zod4<unknown, infer T> ? T : S extends Zod3<unknown, infer T> ? T : Infer<S>;

/** A value of type T as JSON holds it, so as a journal keeps it and a reference sees it: a date is a text. */
export type JsonOf<T> = unknown extends T
  ? T
  : T extends { toJSON(...context: never[]): infer J }
    ? JsonOf<J>
    : T extends NotJson
      ? JsonLacks
      : T extends object
        ? { [K in keyof T]: JsonOf<T[K]> }
        : T;

type NotJson =
  | bigint
  | symbol
  | ((...given: never[]) => unknown)
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | WeakKeyed
  | ArrayBuffer
  | ArrayBufferView
  | RegExp
  | PromiseLike<unknown>;
type WeakKeyed = WeakMap<WeakKey, unknown> | WeakSet<WeakKey>;

/** What the compiler shows for a schema that has values which no journal can keep. */
type JsonLacks =
  'JSON has no Map, Set, bigint, function, symbol or bytes: let the schema transform it into texts, numbers, lists or objects';

/** T again if JSON can hold it, else the same with the sentence at the place of what it cannot hold. */
type Held<T> = unknown extends T
  ? T
  : T extends { toJSON(...context: never[]): unknown }
    ? T
    : T extends NotJson
      ? JsonLacks
      : T extends object
        ? { [K in keyof T]: Held<T[K]> }
        : T;

/** Intersected with the type of a schema: nothing, or what does not compile if JSON cannot hold values of type T. */
export type HeldByJson<T> = [T] extends [Held<T>] ? unknown : JsonLacks;

type InferShorthand<S extends ShorthandMap> = {
  readonly [K in keyof S as S[K] extends `${string}?` ? never : K]: InferField<S[K]>;
} & { readonly [K in keyof S as S[K] extends `${string}?` ? K : never]?: InferField<S[K]> };

type InferField<F> = F extends ShorthandMap
  ? InferShorthand<F>
  : F extends `${infer Inner}?`
    ? InferText<Inner>
    : F extends string
      ? InferText<F>
      : unknown;

type InferText<F extends string> = F extends `${infer Item}[]`
  ? readonly InferText<Item>[]
  : F extends 'string'
    ? string
    : F extends 'number' | 'integer'
      ? number
      : F extends 'boolean'
        ? boolean
        : F extends 'any'
          ? unknown
          : F extends `${infer First}|${infer Rest}`
            ? First | InferText<Rest>
            : F;
