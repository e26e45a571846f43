/** One figure of a benchmark, with the target that the design names, where it names one. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target?: { readonly below: number } | { readonly atLeast: number };
  readonly details?: Readonly<Record<string, number>>;
}
