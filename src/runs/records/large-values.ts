/**
 * Where the journal of a run holds which large value, so that it stores each of them once.
 *
 * L1. A text, list or object of at least 1 KiB that an earlier event holds is replaced by a reference to it. Events that repeat
 *     nothing are kept as they are.
 * L2. Values are the same when their JSON is: they are compared by a cryptographic hash, never by identity, because a step may
 *     change what it was given.
 * L3. The work is linear in the value: of an object only its own small fields and the places of its large ones are hashed.
 * L4. Hashes and places are remembered, not values.
 */
import { createHash } from 'node:crypto';
import { type JsonSize, jsonSize, jsonTextBytes, type KnownSizes } from '../../core/json/json-size.ts';
import type { RunEvent } from '../../core/run/engine.ts';
import {
  FULL_BYTES,
  onlyAt,
  REFERENCE_DEPTH,
  recordedValue,
  type Step,
  valuePathOf,
  withValue,
} from '../../core/run/full-events.ts';
import { childrenOf, copyOf, scanned, wrapped, wrappedItself } from './lookalikes.ts';
import {
  isEvent,
  mayBeNamed,
  type Place,
  pathOf,
  placeBelow,
  recordedPlace,
  referenceBytes,
  rootPlace,
} from './places.ts';

/** Smaller lists and objects are repeated, and shorter texts. */
const LARGE_BYTES = 1024;
const LARGE_LENGTH = 1024;
export interface KeptEvent {
  readonly event: RunEvent;
  /** Of its value in JSON, an upper figure. */
  readonly bytes: number;
  /** Keys of the values that it holds first. */
  readonly firsts: readonly string[];
}

export interface LargeValues {
  /** The event as the journal keeps it. Later events refer to what it holds. */
  keep(event: RunEvent): KeptEvent;
  /** The event was not recorded after all. */
  forget(kept: KeptEvent): void;
  /** Takes in an event as the journal holds it. Returns the bytes of its value. */
  learn(recorded: RunEvent): number;
}

interface Taking {
  readonly places: Map<string, Place>;
  readonly sizes: KnownSizes;
  readonly seq: number;
  /** What holds references in a recorded event, or is one. Undefined: the event has none. */
  readonly referring: ReadonlySet<object> | undefined;
  /** Objects that look like references are in it, so that only its texts are compared. */
  readonly textsOnly: boolean;
  /** Such objects are wrapped: the event is to be recorded. */
  readonly wraps: boolean;
  readonly firsts: string[];
  /** Lists and objects that were taken: each is looked into once, however often it occurs. */
  readonly taken: Map<object, Kept>;
  refers: boolean;
  /** What the wrapping takes. */
  wrapBytes: number;
}

/** A large value as the journal keeps it. */
interface Kept {
  readonly value: unknown;
  /** Bytes that its references save. */
  readonly saved: number;
  /** Where the journal holds it first; undefined: no reference to it is possible. */
  readonly place: Place | undefined;
}

export function createLargeValues(): LargeValues {
  const places = new Map<string, Place>();
  return {
    keep: (event) => keep(places, event),
    forget({ firsts }) {
      for (const key of firsts) places.delete(key);
    },
    learn: (recorded) => learn(places, recorded),
  };
}

function keep(places: Map<string, Place>, event: RunEvent): KeptEvent {
  const path = valuePathOf(event);
  const value = path === undefined ? undefined : recordedValue(event, path);
  const sizes: KnownSizes = new WeakMap();
  const { bytes, depth, fault } = sizeOf(value, sizes);
  const isSmall = bytes < LARGE_BYTES;
  if (path === undefined || isSmall || depth > REFERENCE_DEPTH || fault !== undefined)
    return { event, bytes, firsts: [] };
  const { ownAt } = scanned(value, false);
  const given = { places, sizes, seq: event.seq, referring: undefined, textsOnly: ownAt, wraps: ownAt };
  const taking = newTaking(given);
  const kept = take(value, rootPlace(event.seq, path), taking);
  const { firsts, refers, wrapBytes } = taking;
  if (!refers) return { event, bytes, firsts };
  const marked = { ...withValue(event, path, kept.value), refers: true } as RunEvent;
  return { event: marked, bytes: bytes - kept.saved + wrapBytes, firsts };
}

function learn(places: Map<string, Place>, recorded: RunEvent): number {
  const path = valuePathOf(recorded);
  const value = path === undefined ? undefined : recordedValue(recorded, path);
  const sizes: KnownSizes = new WeakMap();
  const { bytes, fault } = sizeOf(value, sizes);
  if (path === undefined || fault !== undefined) return bytes;
  const refers = recorded.refers === true;
  if (bytes < LARGE_BYTES && !refers) return bytes;
  const { referring, ownAt } = scanned(value, refers);
  const { seq } = recorded;
  const given = { places, sizes, seq, referring: refers ? referring : undefined, textsOnly: ownAt, wraps: false };
  take(value, rootPlace(seq, path), newTaking(given));
  return bytes;
}

const newTaking = (given: Omit<Taking, 'firsts' | 'taken' | 'refers' | 'wrapBytes'>): Taking => ({
  ...given,
  firsts: [],
  taken: new Map(),
  refers: false,
  wrapBytes: 0,
});

const NOTHING: JsonSize = { bytes: 0, added: 0, depth: 0, fault: undefined };

/** More than any text can hold counts as infinite. */
function sizeOf(value: unknown, sizes: KnownSizes): JsonSize {
  if (value === undefined) return NOTHING;
  const size = jsonSize(value, sizes, FULL_BYTES);
  return size.fault?.type === 'size' ? { ...size, bytes: Number.POSITIVE_INFINITY } : size;
}

// ---------------------------------------------------------------------------------------------------- large values

function take(value: unknown, place: Place, taking: Taking): Kept {
  if (typeof value === 'string') {
    const first = firstPlace(`text ${digestOf(value, 'utf16le')}`, place, taking);
    return refersTo(first, taking) ? reference(first, jsonTextBytes(value), taking) : { value, saved: 0, place: first };
  }
  if (typeof value !== 'object' || value === null) return { value, saved: 0, place: undefined };
  const before = taking.taken.get(value);
  if (before !== undefined) return before;
  const kept = takeContainer(value, place, taking);
  taking.taken.set(value, kept);
  return kept;
}

function takeContainer(value: object, place: Place, taking: Taking): Kept {
  const at = taking.referring === undefined ? undefined : onlyAt(value);
  if (Array.isArray(at)) return { value, saved: 0, place: recordedPlace(at) };
  // Within a wrapping, places and levels are those of the full form, which does not have it.
  const inner = typeof at === 'object' && at !== null ? at : value;
  const { large, copy, saved } = takeChildren(inner, place, taking);
  // Several fields of an event are no value that another event could refer to.
  if (isEvent(place)) return { value: copy ?? inner, saved, place: undefined };
  const text = taking.textsOnly ? undefined : identityText(inner, large);
  const first = text === undefined ? undefined : firstPlace(`value ${digestOf(text, 'utf8')}`, place, taking);
  if (!refersTo(first, taking)) return { value: wrappedItself(inner, copy ?? inner, taking), saved, place: first };
  return reference(first, jsonSize(value, taking.sizes).bytes, taking);
}

function takeChildren(value: object, place: Place, taking: Taking) {
  const large = new Map<Step, Kept>();
  let copy: Record<Step, unknown> | undefined;
  let saved = 0;
  for (const [step, child] of childrenOf(value)) {
    let kept: unknown;
    if (isLarge(child, taking)) {
      const taken = take(child, placeBelow(place, step), taking);
      large.set(step, taken);
      saved += taken.saved;
      kept = taken.value;
    } else kept = wrapped(child, taking);
    if (kept === child) continue;
    copy ??= copyOf(value);
    copy[step] = kept;
  }
  return { large, copy, saved };
}

/** A reference of a recorded event, and what holds one, counts as what it stands for. */
function isLarge(value: unknown, { sizes, referring }: Taking): boolean {
  if (typeof value === 'string') return value.length >= LARGE_LENGTH;
  if (typeof value !== 'object' || value === null) return false;
  return referring?.has(value) === true || jsonSize(value, sizes).bytes >= LARGE_BYTES;
}

const digestOf = (text: string, encoding: 'utf8' | 'utf16le'): string =>
  createHash('sha256').update(text, encoding).digest('base64');

/** The place at which a value is first: this one for a new value. Undefined: it cannot be referred to. */
function firstPlace(key: string, place: Place, { places, firsts }: Taking): Place | undefined {
  const first = places.get(key);
  if (first !== undefined) return first;
  if (!mayBeNamed(place)) return undefined;
  places.set(key, place);
  firsts.push(key);
  return place;
}

const refersTo = (first: Place | undefined, { seq }: Taking): first is Place => first !== undefined && first.seq < seq;

function reference(first: Place, bytes: number, taking: Taking): Kept {
  taking.refers = true;
  return { value: { $at: pathOf(first) }, saved: bytes - referenceBytes(first), place: first };
}

/**
 * Equal for equal values only: JSON with the places of large children, which no JSON can look like. Undefined where a child
 * has no place.
 */
function identityText(value: object, large: ReadonlyMap<Step, Kept>): string | undefined {
  if (large.size === 0) return JSON.stringify(value);
  const parts: string[] = [];
  for (const [step, child] of childrenOf(value)) {
    const kept = large.get(step);
    if (kept !== undefined && kept.place === undefined) return undefined;
    const text = kept?.place === undefined ? JSON.stringify(child) : `@${JSON.stringify(pathOf(kept.place))}`;
    if (typeof step === 'number') parts.push(text ?? 'null');
    else if (text !== undefined) parts.push(`${JSON.stringify(step)}:${text}`);
  }
  return Array.isArray(value) ? `[${parts.join()}]` : `{${parts.join()}}`;
}
