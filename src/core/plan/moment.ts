/** Moments as plans write them: ISO 8601 with a time zone, so that they mean the same in every process. */

const MOMENT = /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

/** Epoch milliseconds; undefined for what is no such text, and for a day or a time that there is not. */
export function readMoment(text: string): number | undefined {
  const [, day = '', hour = '', minute = '', second = '0'] = MOMENT.exec(text) ?? [];
  if (day === '' || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  // February 30 would be taken for a day of March.
  const midnight = Date.parse(`${day}T00:00:00Z`);
  const [year, month, date] = day.split('-').map(Number);
  if (Number.isNaN(midnight) || year === undefined || month === undefined || date === undefined) return undefined;
  if (date > daysIn(year, month)) return undefined;
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? undefined : moment;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
