/** What one hostile case says about itself: one line of JSON on the standard output of its process. */
export interface Report {
  /** How it ended, in a few words: the status of a run, the code of an error, `answer`. */
  readonly outcome: string;
  /** What must not have happened, in sentences; empty where all is well. */
  readonly problems: readonly string[];
  /** Processor time of the process, with its start, in milliseconds. */
  readonly workMs: number;
  /** The longest time for which nothing else got a turn, in milliseconds. */
  readonly blockedMs: number;
  /** Bytes of the files that the case left. */
  readonly writtenBytes: number;
  /** The most memory that the process held, in bytes. */
  readonly residentBytes: number;
}

/** A kind of case by its name: the families hold them by theirs. */
export type Family<Case> = Readonly<Record<string, Case>>;

/** All cases of several families. A name counts once, because a case is run by its name. */
export function together<Case>(families: readonly Family<Case>[]): ReadonlyMap<string, Case> {
  const cases = new Map<string, Case>();
  for (const [name, one] of families.flatMap((family) => Object.entries(family))) {
    if (cases.has(name)) throw new Error(`Two hostile cases are called ${name}.`);
    cases.set(name, one);
  }
  return cases;
}

/** One case for each of these values, named by its key. */
export const each = <Value, Case>(
  prefix: string,
  values: Readonly<Record<string, Value>>,
  make: (value: Value, key: string) => Case,
): Family<Case> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`${prefix}-${key}`, make(value, key)]));
