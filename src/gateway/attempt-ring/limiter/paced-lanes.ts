/** The lanes with windows of which something may be used. One is looked at for each call, so that a call costs the same however many there are. */
import type { Lane } from './lane.ts';
import { isWhole } from './room.ts';

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
