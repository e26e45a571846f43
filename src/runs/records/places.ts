/** Places of values in the events of a run, as references name them. */
import { jsonTextBytes } from '../../core/json/json-size.ts';
import type { Step } from '../../core/run/full-events.ts';

/** Values whose place takes longer to write are not referred to. */
const PATH_BYTES = 512;

/** A place within an event, from the inside out: a step costs the same however deep it is. */
export interface Place {
  readonly seq: number;
  readonly above: Place | undefined;
  readonly step: Step;
  /** Of the path in JSON. */
  readonly bytes: number;
}

export const mayBeNamed = ({ bytes }: Place): boolean => bytes <= PATH_BYTES;

export const rootPlace = (seq: number, path: readonly string[]): Place => {
  let place: Place | undefined;
  for (const step of path) place = { seq, above: place, step, bytes: (place?.bytes ?? 0) + step.length + 3 };
  return place ?? { seq, above: undefined, step: '', bytes: 0 };
};

export const placeBelow = (above: Place, step: Step): Place => ({
  seq: above.seq,
  // The fields of an event that has several values are at no place but their own.
  above: isEvent(above) ? undefined : above,
  step,
  bytes: above.bytes + 1 + (typeof step === 'number' ? String(step).length : jsonTextBytes(step)),
});

/** The event itself, where its value is several fields. */
export const isEvent = ({ bytes }: Place): boolean => bytes === 0;

export function pathOf(place: Place): readonly Step[] {
  const path: Step[] = [];
  for (let at: Place | undefined = place; at !== undefined; at = at.above) path.push(at.step);
  path.push(place.seq);
  return path.reverse();
}

/** `{"$at":[12,"result","output"]}` */
export const referenceBytes = ({ seq, bytes }: Place): number => 10 + String(seq).length + bytes;

/** The place that a reference of a recorded event names. It was followed before, so it is one. */
export function recordedPlace(at: readonly unknown[]): Place | undefined {
  const [seq, ...path] = at as readonly [number, ...Step[]];
  let place: Place | undefined;
  for (const step of path) place = place === undefined ? rootPlace(seq, [String(step)]) : placeBelow(place, step);
  return place;
}
