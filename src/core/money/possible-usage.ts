/**
 * Usage as a provider reports it is a claim about money by the one who is paid. It counts as far as it is possible: whole
 * numbers from 0 to what the request, the answer and the model allow, each part within its whole.
 *
 * U1. What is possible is returned as it is, the same object.
 * U2. A count that is no number or is negative is unknown: `input`, `output`, `images` and `searches` are then the estimate, any
 *     other kind is left out. A fraction is rounded up. A count above its bound counts as `above`.
 *     Where the output is unknown and no pictures are reported, the estimated pictures are counted.
 * U3. The result of U2 is possible, so that whoever checks it again changes nothing.
 */
import type { Usage } from './usage.ts';

/** The counts that no other count bounds. */
export type WholeCounts = Required<Pick<Usage, 'input' | 'output' | 'images' | 'searches'>>;

export interface UsageBounds {
  /** The most that each count can be; whole and finite. */
  readonly most: WholeCounts;
  /** What a count above its bound counts as: at most the bound. @default the bound */
  readonly above?: Partial<WholeCounts>;
  /** What stands in for a count that is unknown; called only where one is, because to count a prompt takes a while. */
  readonly estimate: () => WholeCounts;
}

export interface PossibleUsage {
  readonly usage: Usage;
  /** What was changed, for people: `output -3 to 12`. Empty if nothing was. */
  readonly changes: readonly string[];
}

const NO_CHANGES: readonly string[] = [];

/** A part, and the counts that it is a part of: it may be what the first has and the others of its whole leave over. */
interface Part {
  readonly name: Exclude<keyof Usage, keyof WholeCounts>;
  readonly within: keyof Usage;
  /** The other parts of the same whole that leave less for this one. */
  readonly beside?: keyof Usage;
}

/** In an order in which every whole stands before its parts. */
const PARTS: readonly Part[] = [
  { name: 'cacheRead', within: 'input' },
  { name: 'cacheWrite', within: 'input', beside: 'cacheRead' },
  { name: 'cacheWriteLong', within: 'cacheWrite' },
  { name: 'reasoning', within: 'output' },
  { name: 'audioInput', within: 'input' },
  { name: 'imageInput', within: 'input', beside: 'audioInput' },
  { name: 'audioCacheRead', within: 'cacheRead' },
  { name: 'audioOutput', within: 'output' },
  { name: 'imageOutput', within: 'output', beside: 'audioOutput' },
];

/** `bounds` is called only for what the card alone does not show to be possible. */
export function possibleUsage(reported: Usage, sure: WholeCounts, bounds: () => UsageBounds): PossibleUsage {
  if (isPossible(reported, sure)) return { usage: reported, changes: NO_CHANGES };
  const { most, above, estimate } = bounds();
  return isPossible(reported, most)
    ? { usage: reported, changes: NO_CHANGES }
    : corrected(reported, most, estimate(), above);
}

function isPossible(usage: Usage, most: WholeCounts): boolean {
  if (typeof usage !== 'object' || usage === null) return false;
  if (!isCount(usage.input, most.input) || !isCount(usage.output, most.output)) return false;
  if (usage.images !== undefined && !isCount(usage.images, most.images)) return false;
  if (usage.searches !== undefined && !isCount(usage.searches, most.searches)) return false;
  return !hasParts(usage) || PARTS.every((part) => isPossiblePart(part, usage));
}

/** Most models of most requests report none, and to look for each of them costs more than all the rest. */
function hasParts(usage: Usage): boolean {
  for (const name in usage) if (name !== 'input' && name !== 'output' && name !== 'images') return true;
  return false;
}

function isPossiblePart(part: Part, usage: Usage): boolean {
  const count = usage[part.name];
  return count === undefined || isCount(count, roomFor(part, usage));
}

const isCount = (value: unknown, most: number): boolean => Number.isSafeInteger(value) && inRange(Number(value), most);
const inRange = (count: number, most: number): boolean => count >= 0 && count <= most;

function roomFor({ within, beside }: Part, usage: Partial<Usage>): number {
  const whole = usage[within] ?? 0;
  return beside === undefined ? whole : whole - (usage[beside] ?? 0);
}

type Draft = { -readonly [Kind in keyof Usage]: Usage[Kind] };

/** Only the fields of `Usage` are kept: whatever else an untrusted object holds is not counted. */
function corrected(
  reported: unknown,
  most: WholeCounts,
  estimate: WholeCounts,
  above: Partial<WholeCounts> = {},
): PossibleUsage {
  const given = (typeof reported === 'object' && reported !== null ? reported : {}) as Readonly<
    Record<string, unknown>
  >;
  const changes: string[] = [];
  const keep = (name: keyof Usage, limit: number, otherwise?: number, beyond = limit): number | undefined => {
    const value = given[name];
    const count = countOf(value);
    const kept = count === undefined ? otherwise : count > limit ? beyond : count;
    if (kept !== value) changes.push(`${name} ${shown(value)} to ${kept ?? 'unknown'}`);
    return kept;
  };
  const usage: Draft = {
    input: keep('input', most.input, estimate.input, above.input) ?? 0,
    output: keep('output', most.output, estimate.output, above.output) ?? 0,
  };
  if (given.images !== undefined) usage.images = keep('images', most.images, estimate.images) ?? 0;
  // Pictures are the output of a request for them, and no tokens are estimated for what has no text.
  else if (countOf(given.output) === undefined && estimate.images > 0) {
    usage.images = keep('images', most.images, estimate.images) ?? 0;
  }
  if (given.searches !== undefined)
    usage.searches = keep('searches', most.searches, estimate.searches, above.searches) ?? 0;
  for (const part of PARTS) {
    if (given[part.name] === undefined) continue;
    const count = keep(part.name, roomFor(part, usage));
    if (count !== undefined) usage[part.name] = count;
  }
  return { usage, changes };
}

/** A whole number from 0; undefined for what is no number, or a negative one. Infinity is above every bound. */
function countOf(value: unknown): number | undefined {
  return typeof value !== 'number' || Number.isNaN(value) || value < 0 ? undefined : Math.ceil(value) + 0;
}

const shown = (value: unknown): string => (typeof value === 'number' ? String(value) : typeof value);
