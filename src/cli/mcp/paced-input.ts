/**
 * What a client writes, read no faster than it reads what it is answered. Without this, one that asks for ever and reads nothing would
 * have all its answers kept in memory.
 */
import { PassThrough, type Readable, Transform, type Writable } from 'node:stream';
import { nextMacrotask } from '../../system/clock.ts';

/** After so many bytes of whole messages it is looked again whether the answers are read: some eighty short requests. */
const PIECE_BYTES = 4096;
/** The answers to one piece, and those of all calls, are far smaller together. */
const MOST_WAITING_BYTES = 67_108_864;
const LINE_END = 10;

/** @param output where the answers go; once it has ended or failed, nobody waits for it */
export function pacedInput(input: Readable, output: Writable): Readable {
  const pace = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const next = (from: number): void => {
        // A message is not cut further: whoever puts it together copies what is there for each piece.
        const lineEnd = chunk.indexOf(LINE_END, from + PIECE_BYTES);
        const to = lineEnd === -1 ? chunk.length : lineEnd + 1;
        pace.push(chunk.subarray(from, to));
        // The requests of a piece are answered by then, or are calls, whose number is bounded.
        nextMacrotask(() => whenRead(output, () => (to === chunk.length ? done() : next(to))));
      };
      next(0);
    },
  });
  return input.pipe(pace);
}

/**
 * Takes answers at once, because each that had to wait would listen for the end of the wait by itself. How many there are is bounded by
 * `pacedInput`.
 */
export function waitingOutput(output: Writable): Writable {
  const waiting = new PassThrough({ writableHighWaterMark: MOST_WAITING_BYTES });
  output.once('error', (error) => waiting.destroy(error));
  waiting.pipe(output);
  return waiting;
}

const ENDS = ['drain', 'close', 'error'] as const;

function whenRead(output: Writable, go: () => void): void {
  if (!output.writableNeedDrain || output.destroyed) {
    go();
    return;
  }
  const once = (): void => {
    for (const event of ENDS) output.off(event, once);
    go();
  };
  for (const event of ENDS) output.once(event, once);
}
