/** How long the last answers of a target took: as many as a ring holds, and no older than is asked. */

/** Answers of a target that are kept. */
const KEPT = 256;
/** With fewer answers, the missing ones count as fast: two slow ones are then needed to say anything. */
const FEWEST = 20;

export interface TimeCount {
  /** Answers of the window, and those that took longer than the limit. */
  readonly answers: number;
  readonly slow: number;
  /** The share of slow ones, where fewer than twenty answers count as twenty. */
  readonly share: number;
}

/** A class because there is one per target, and it is written by every attempt. */
export class AnswerTimes {
  readonly #at = new Float64Array(KEPT);
  readonly #ms = new Float64Array(KEPT);
  /** 1 for what ended without an answer. */
  readonly #failed = new Uint8Array(KEPT);
  #next = 0;
  #size = 0;

  add(ms: number, isAnswer: boolean, nowMs: number): void {
    this.#failed[this.#next] = isAnswer ? 0 : 1;
    this.#at[this.#next] = nowMs;
    this.#ms[this.#next] = ms;
    this.#next = (this.#next + 1) % KEPT;
    this.#size = Math.min(KEPT, this.#size + 1);
  }

  count(limitMs: number, since: number): TimeCount {
    let answers = 0;
    let slow = 0;
    for (let index = 0; index < this.#size; index += 1) {
      if ((this.#at[index] ?? 0) <= since) continue;
      const isSlow = (this.#ms[index] ?? 0) > limitMs;
      if (this.#failed[index] === 1 && !isSlow) continue;
      answers += 1;
      if (isSlow) slow += 1;
    }
    return { answers, slow, share: slow / Math.max(FEWEST, answers) };
  }

  /** By the nearest rank, of what `count` counts, in milliseconds; null where that is nothing. */
  p95(limitMs: number, since: number): number | null {
    const times: number[] = [];
    for (let index = 0; index < this.#size; index += 1) {
      const ms = this.#ms[index] ?? 0;
      if ((this.#at[index] ?? 0) > since && (this.#failed[index] === 0 || ms > limitMs)) times.push(ms);
    }
    times.sort((a, b) => a - b);
    return times[Math.ceil(0.95 * times.length) - 1] ?? null;
  }
}
