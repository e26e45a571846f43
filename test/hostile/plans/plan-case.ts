/** A hostile plan, and the words in which the families write theirs. */
export interface PlanCase {
  /** What the planner's model writes: text as it is, anything else as JSON. */
  readonly plan: () => unknown;
  /** What a model answers to a node. @default 'ok' */
  readonly answer?: (prompt: string) => string;
  /** What a model that is offered tools calls, by how many answers it has given; from none on it answers. @default it calls none */
  readonly calls?: (answered: number) => readonly ModelCall[];
  /** An event that is sent once the run is suspended. */
  readonly event?: () => { readonly name: string; readonly payload: unknown };
  /** The operator's bound on the run, in seconds. @default none */
  readonly runSeconds?: number;
  /** How it has to end; undefined: any of these. */
  readonly ends?: 'done' | 'failed' | 'refused' | 'suspended';
}

export interface ModelCall {
  readonly name: string;
  readonly arguments: unknown;
}

export interface Node {
  readonly id: string;
  readonly use: string;
  readonly [field: string]: unknown;
}

export const document = (nodes: readonly Node[], rest: Readonly<Record<string, unknown>> = {}): object => ({
  version: 1,
  goal: 'Do harm',
  nodes,
  output: `{{${nodes.at(-1)?.id}}}`,
  ...rest,
});

export const value = (id: string, fields: unknown, rest: object = {}): Node => ({
  id,
  use: 'value',
  in: fields,
  ...rest,
});

export const llm = (id: string, prompt: unknown, rest: object = {}): Node => ({
  id,
  use: 'llm',
  in: { prompt },
  ...rest,
});

/** The tool of the suite that makes material: see `material.ts`. */
export const material = (id: string, kind: string, size: number): Node => ({
  id,
  use: 'tool:material',
  in: { kind, size },
});

export const times = <Made>(count: number, make: (index: number) => Made): Made[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** `open` this many times, the middle, `close` as many times. */
export const nest = (depth: number, open: string, middle: string, close: string): string =>
  open.repeat(depth) + middle + close.repeat(depth);

/** `make` around `inner`, this many times. */
export function wrapped(depth: number, inner: unknown, make: (inside: unknown) => unknown): unknown {
  let result = inner;
  for (let index = 0; index < depth; index += 1) result = make(result);
  return result;
}
