/** Whether the announced windows of a lane have room, and when. */
import type { Lane, ModelLanes, SureRoom } from './lane.ts';
import type { Weight } from './weight.ts';

/** Brings the windows up to now; true if an attempt of this weight may be sent. */
export function hasRoom({ windows, inFlight }: Lane, weight: Weight, now: number): boolean {
  if (windows === undefined) return true;
  for (const window of windows) window.advance(now);
  return windows.every((window) => window.fits(weight, inFlight));
}

/** When an attempt may be sent that comes now, in monotonic milliseconds; `now` where nothing holds it back. */
export function roomAt({ windows }: Lane, weight: Weight, waiting: Weight, now: number): number {
  let latest = now;
  for (const window of windows ?? []) {
    window.advance(now);
    latest = Math.max(latest, window.roomAt(weight, waiting, now));
  }
  return latest;
}

/** Nothing is under way or waits, and no limit has less than all of it left. Brings the windows up to now. */
export function isWhole({ windows, inFlight, queue }: Lane, now: number): boolean {
  if (windows === undefined) return true;
  if (inFlight > 0 || queue.length > 0) return false;
  for (const window of windows) window.advance(now);
  return windows.every((window) => window.isWhole());
}

/**
 * Whether the weight surely may be sent in every lane of the model. False: look at each of them. Who asks for all targets at each call
 * reads the windows only of those where something was sent or stated since, or a window ended.
 */
export function surelyFits(model: ModelLanes, weight: Weight, now: number): boolean {
  const { sure, lanes } = model;
  if (now >= sure.until) {
    reset(sure);
    for (const lane of lanes) {
      if (now >= lane.sure.until) findSure(lane, now);
      narrow(sure, lane.sure.requests, lane.sure.tokens, lane.sure.until);
    }
    if (model.sharesLane) sure.until = Number.NEGATIVE_INFINITY;
  }
  return isWithin(sure, weight, now);
}

/** Whether it surely may be sent in this one. */
export function surelyFitsIn(lane: Lane, weight: Weight, now: number): boolean {
  if (now >= lane.sure.until) findSure(lane, now);
  return isWithin(lane.sure, weight, now);
}

const isWithin = ({ requests, tokens, until }: SureRoom, weight: Weight, now: number): boolean =>
  now < until && weight.requests <= requests && weight.input + weight.output <= tokens;

function findSure({ sure, windows, inFlight, queue }: Lane, now: number): void {
  reset(sure);
  if (windows === undefined) return;
  for (const window of windows) {
    window.advance(now);
    const room = window.leastRoom(inFlight);
    const isOfRequests = window.kind === 'requests';
    narrow(sure, isOfRequests ? room : Infinity, isOfRequests ? Infinity : room, window.changesAt());
  }
  if (queue.length > 0) sure.until = Number.NEGATIVE_INFINITY;
}

function reset(sure: SureRoom): void {
  sure.requests = Number.POSITIVE_INFINITY;
  sure.tokens = Number.POSITIVE_INFINITY;
  sure.until = Number.POSITIVE_INFINITY;
}

function narrow(sure: SureRoom, requests: number, tokens: number, until: number): void {
  if (requests < sure.requests) sure.requests = requests;
  if (tokens < sure.tokens) sure.tokens = tokens;
  if (until < sure.until) sure.until = until;
}

/** The lanes with windows of which something may be used. One is looked at for each call, so that a call costs the same however many there are. */
export class PacedLanes {
  readonly #lanes: Lane[] = [];
  #next = 0;

  get size(): number {
    return this.#lanes.length;
  }

  add(lane: Lane): void {
    if (lane.isPaced) return;
    lane.isPaced = true;
    this.#lanes.push(lane);
  }

  /** Looks at the next of them, and drops it if all of its limits are whole again. */
  dropOne(now: number): void {
    const lanes = this.#lanes;
    if (this.#next >= lanes.length) this.#next = 0;
    const lane = lanes[this.#next];
    if (lane === undefined) return;
    if (!isWhole(lane, now)) {
      this.#next += 1;
      return;
    }
    lane.isPaced = false;
    const last = lanes.pop();
    if (last !== undefined && last !== lane) lanes[this.#next] = last;
  }
}
