/**
 * Names that are older than the rule for units and are still accepted. Each is converted to the current name at the boundary,
 * so that all other code reads only one name. docs/reference/units.md lists them.
 */

export interface OlderName {
  readonly older: string;
  readonly name: string;
  /** The factor that converts the older unit to the current one. @default 1 */
  readonly times?: number;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Returns the same object if it has no older name, else a copy with the current names. Calls `refuse` if both names of a
 * pair are given.
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
