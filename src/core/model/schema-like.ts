/** Types of the schemas that a user may pass: zod 4, zod 3, the plan's shorthand, plain JSON Schema. */

interface Zod4<T> {
  readonly _zod: { readonly output: T };
}
interface Zod3<T> {
  readonly _output: T;
  readonly _def: unknown;
}
export interface ShorthandMap {
  readonly [field: string]: string | ShorthandMap;
}
/** A plain JSON Schema has no types for the compiler: its values are `unknown`. */
interface PlainSchema {
  readonly [keyword: string]: unknown;
}
export type SchemaLike = Zod4<unknown> | Zod3<unknown> | ShorthandMap | PlainSchema;

/** The type that a schema stands for. */
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
