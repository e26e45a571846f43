/**
 * The size of a converted schema. A dialect without references has a copy of the target at each of them, so a short schema can
 * become a long one; what is above the bound allows any value.
 */

/** In characters of JSON, roughly. */
const MOST_SIZE = 1_048_576;

export interface ConversionSize {
  size: number;
}

export function charge(conversion: ConversionSize, size: number): void {
  conversion.size += 1 + size;
}

export const isTooLarge = ({ size }: ConversionSize): boolean => size > MOST_SIZE;

/** The characters of a value as JSON, roughly; no more than the bound is counted. */
export function sizeOf(value: unknown): number {
  const open: unknown[] = [value];
  let size = 0;
  for (let part = open.pop(); part !== undefined && size <= MOST_SIZE; part = open.pop()) {
    if (typeof part === 'string') size += part.length + 2;
    else if (typeof part !== 'object' || part === null) size += 4;
    else {
      size += 2;
      for (const [key, inner] of Object.entries(part)) {
        if (size > MOST_SIZE) break;
        size += key.length + 4;
        open.push(inner);
      }
    }
  }
  return size;
}
