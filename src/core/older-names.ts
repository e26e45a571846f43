/**
 * Names from before the rule of units that are still accepted. Each is turned into the name of today where it comes in,
 * so that the inside reads only one. docs/reference/units.md lists them.
 */

export interface OlderName {
  readonly older: string;
  readonly name: string;
  /** What the older figure is multiplied by to have the unit of the name. @default 1 */
  readonly times?: number;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * The same object where it has no older name, else a copy with the names of today. `refuse` hears of a pair of which both
 * are given.
 */
export function withCurrentFields<T extends object>(
  given: T,
  names: readonly OlderName[],
  refuse: (older: string, name: string) => void,
): T {
  const fields = given as Fields;
  if (!names.some(({ older }) => older in fields)) return given;
  const current: Record<string, unknown> = { ...fields };
  for (const { older, name, times = 1 } of names) {
    const value = fields[older];
    delete current[older];
    if (value === undefined) continue;
    if (fields[name] !== undefined) refuse(older, name);
    current[name] = typeof value === 'number' ? value * times : value;
  }
  return current as T;
}

export const bothGiven = (older: string, name: string): string =>
  `"${older}" is the older name of "${name}", and both are given: leave out "${older}".`;
