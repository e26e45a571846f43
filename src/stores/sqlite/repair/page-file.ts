/**
 * The pages of an SQLite file, read without SQLite: a damaged file must not be opened by code that trusts it.
 * The format is the one of https://www.sqlite.org/fileformat2.html.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { committedFrames } from './write-ahead-log.ts';

export interface PageFile {
  readonly pageBytes: number;
  /** The number of pages; the first is 1. */
  readonly pages: number;
  /** A page, filled up with zeros where the file is cut; undefined when there is no such page. */
  page(number: number): Buffer | undefined;
  close(): void;
}

/** The size that SQLite uses unless it is told otherwise. */
const USUAL_PAGE_BYTES = 4096;
const SMALLEST_PAGE_BYTES = 512;
const LARGEST_PAGE_BYTES = 65_536;
/** The first byte of a page of a table or an index. */
const TREE_PAGES: ReadonlySet<number> = new Set([2, 5, 10, 13]);
const SAMPLED_PAGES = 256;

interface Source {
  readonly bytes: number;
  /** Fills `target` from `position` on; what is behind the end of the file stays zero. */
  read(target: Buffer, position: number): void;
  close(): void;
}

function openSource(path: string): Source {
  const descriptor = openSync(path, 'r');
  const { size } = fstatSync(descriptor);
  return {
    bytes: size,
    read: (target, position) => void readSync(descriptor, target, 0, target.length, position),
    close: () => closeSync(descriptor),
  };
}

export function openPages(path: string): PageFile {
  const file = openSource(path);
  const pageBytes = pageBytesOf(file);
  const log = committedFrames(`${path}-wal`, pageBytes);
  const pages = Math.max(Math.ceil(file.bytes / pageBytes), log?.pages ?? 0);
  return {
    pageBytes,
    pages,
    page(number) {
      if (!Number.isInteger(number) || number < 1 || number > pages) return undefined;
      const page = Buffer.alloc(pageBytes);
      if (log === undefined || !log.read(page, number)) file.read(page, (number - 1) * pageBytes);
      return page;
    },
    close() {
      file.close();
      log?.close();
    },
  };
}

/** What the header says, unless the pages look more like pages at the usual size. */
function pageBytesOf(file: Source): number {
  const header = Buffer.alloc(2);
  file.read(header, 16);
  const stated = header.readUInt16BE() === 1 ? LARGEST_PAGE_BYTES : header.readUInt16BE();
  const isPossible = stated >= SMALLEST_PAGE_BYTES && (stated & (stated - 1)) === 0;
  if (!isPossible || stated === USUAL_PAGE_BYTES) return USUAL_PAGE_BYTES;
  return treePages(file, stated) >= treePages(file, USUAL_PAGE_BYTES) ? stated : USUAL_PAGE_BYTES;
}

/** The share of the first pages that begin as one of a table or an index. */
function treePages(file: Source, pageBytes: number): number {
  const pages = Math.min(SAMPLED_PAGES, Math.floor(file.bytes / pageBytes));
  const first = Buffer.alloc(1);
  let found = 0;
  for (let number = 1; number < pages; number += 1) {
    file.read(first, number * pageBytes);
    if (TREE_PAGES.has(first[0] ?? 0)) found += 1;
  }
  return pages === 0 ? 0 : found / pages;
}
