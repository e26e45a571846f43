/** Days in UTC, by arithmetic only: nothing here reads a clock. */

export const DAY_MS = 86_400_000;

/** Days since the epoch. */
export const dayOf = (ms: number): number => Math.floor(ms / DAY_MS);

/** `2026-03-31`. Counts in eras of 400 years that begin in March: Howard Hinnant, "chrono-compatible low-level date algorithms". */
export function dayName(day: number): string {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const march = Math.floor((5 * ofYear + 2) / 153);
  const month = march < 10 ? march + 3 : march - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return [year, month, ofYear - Math.floor((153 * march + 2) / 5) + 1]
    .map((part) => String(part).padStart(2, '0'))
    .join('-');
}
