/** A copy of plain JSON that shares nothing with it. Texts, numbers, booleans and null are returned as they are. */
export function copyJson<T>(value: T): T;
export function copyJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items: unknown[] = new Array(value.length);
    for (let index = 0; index < value.length; index += 1) items[index] = copyJson(value[index]);
    return items;
  }
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    setField(copy, key, copyJson((value as Readonly<Record<string, unknown>>)[key]));
  }
  return copy;
}

/** To assign `__proto__` would set the prototype; defined, it is a field as any other. */
export function setField(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') target[key] = value;
  else Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}
