/** The committed pages in the write-ahead log beside an SQLite file, up to the first frame that is damaged. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export interface CommittedFrames {
  /** The number of pages of the database after the last commit. */
  readonly pages: number;
  /** Fills `target` with the latest version of the page; false when the log has none. */
  read(target: Buffer, page: number): boolean;
  close(): void;
}

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** The last bit says in which byte order the checksums are computed. */
const MAGIC = 0x377f0682;

type Sums = readonly [number, number];

/** SQLite's own checksum: a running sum over pairs of 32-bit words. */
function checksum(bytes: Buffer, isBigEndian: boolean, [a, b]: Sums): Sums {
  let [first, second] = [a, b];
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    first = (first + (isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + second) >>> 0;
    second = (second + (isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + first) >>> 0;
  }
  return [first, second];
}

/** Undefined when there is no log, or its header is damaged: SQLite ignores such a log too. */
export function committedFrames(path: string, pageBytes: number): CommittedFrames | undefined {
  const descriptor = openExisting(path);
  if (descriptor === undefined) return undefined;
  const found = readFrames(descriptor, pageBytes);
  if (found.frames.size === 0) {
    closeSync(descriptor);
    return undefined;
  }
  return {
    pages: found.pages,
    read(target, page) {
      const position = found.frames.get(page);
      if (position === undefined) return false;
      readSync(descriptor, target, 0, target.length, position);
      return true;
    },
    close: () => closeSync(descriptor),
  };
}

function openExisting(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}

interface Frames {
  readonly pages: number;
  /** Where the latest committed version of each page begins in the log. */
  readonly frames: ReadonlyMap<number, number>;
}

function readFrames(descriptor: number, pageBytes: number): Frames {
  const { size } = fstatSync(descriptor);
  const header = Buffer.alloc(HEADER_BYTES);
  readSync(descriptor, header, 0, HEADER_BYTES, 0);
  const isBigEndian = (header.readUInt32BE(0) & 1) === 1;
  let sums = checksum(header.subarray(0, 24), isBigEndian, [0, 0]);
  const isOurs = (header.readUInt32BE(0) & ~1) === MAGIC && header.readUInt32BE(8) === pageBytes;
  const frames = new Map<number, number>();
  let pages = 0;
  if (!isOurs || !isAt(header, 24, sums)) return { pages, frames };
  const pending = new Map<number, number>();
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + pageBytes);
  for (let at = HEADER_BYTES; at + frame.length <= size; at += frame.length) {
    readSync(descriptor, frame, 0, frame.length, at);
    if (!frame.subarray(8, 16).equals(header.subarray(16, 24))) break;
    sums = checksum(frame.subarray(FRAME_HEADER_BYTES), isBigEndian, checksum(frame.subarray(0, 8), isBigEndian, sums));
    if (!isAt(frame, 16, sums)) break;
    pending.set(frame.readUInt32BE(0), at + FRAME_HEADER_BYTES);
    const committed = frame.readUInt32BE(4);
    if (committed === 0) continue;
    for (const [page, position] of pending) frames.set(page, position);
    pending.clear();
    pages = committed;
  }
  return { pages, frames };
}

const isAt = (bytes: Buffer, at: number, [first, second]: Sums): boolean =>
  bytes.readUInt32BE(at) === first && bytes.readUInt32BE(at + 4) === second;
