/**
 * The records of a damaged file, table by table.
 *
 * 1. Every page is visited at most once, so that pages which point to each other in a circle end the walk.
 * 2. Records come from the trees of their tables first. Only when a part of a tree is lost are pages that no tree leads to
 *    looked at, because they may hold older versions of records too.
 * 3. Nothing is believed: a length beyond the file, a cell beyond its page or an unknown type counts as damage.
 */
import { openPages, type PageFile } from './page-file.ts';
import { decodeRecord, type RecordValue, readVarint } from './record.ts';

export interface FoundRecord {
  /** The table; undefined for a record on a page that no tree leads to. */
  readonly table: string | undefined;
  readonly rowId: number;
  readonly values: readonly RecordValue[];
}

export interface DamageCount {
  /** Pages that hold no readable part of a table. */
  pages: number;
  /** Records that could not be decoded. */
  records: number;
}

const TABLE_BRANCH = 5;
const TABLE_LEAF = 13;
/** Pages of a table WITHOUT ROWID, which is kept as an index is: its branches hold records too. */
const INDEX_BRANCH = 2;
const INDEX_LEAF = 10;
const SCHEMA_PAGE = 1;
const FILE_HEADER_BYTES = 100;

interface Walk {
  readonly file: PageFile;
  readonly visited: Set<number>;
  /** Pages that continue a record; each continues one. */
  readonly overflow: Set<number>;
  readonly damage: DamageCount;
}

/** Every record that can be read, except of the tables in `skipped`, with what could not be counted in `damage`. */
export function* recordsOf(path: string, skipped: ReadonlySet<string>, damage: DamageCount): Generator<FoundRecord> {
  const file = openPages(path);
  try {
    const walk: Walk = { file, visited: new Set(), overflow: new Set(), damage };
    const tables = tablesOf(walk);
    for (const [table, root] of tables) if (!skipped.has(table)) yield* treeRecords(walk, root, table);
    if (damage.pages > 0 || tables.size === 0) yield* strayRecords(walk);
  } finally {
    file.close();
  }
}

/** The root page of each table, by the schema of the file; empty when that is lost. */
function tablesOf(walk: Walk): ReadonlyMap<string, number> {
  const tables = new Map<string, number>();
  for (const { values } of treeRecords(walk, SCHEMA_PAGE, undefined)) {
    const [type, name, , root] = values;
    if (type === 'table' && typeof name === 'string' && typeof root === 'number') tables.set(name, root);
  }
  return tables;
}

function* treeRecords(walk: Walk, root: number, table: string | undefined): Generator<FoundRecord> {
  // The next page is the last of the list, so that records come in ascending order.
  const next = [root];
  for (let number = next.pop(); number !== undefined; number = next.pop()) {
    if (walk.visited.has(number)) {
      walk.damage.pages += 1;
      continue;
    }
    walk.visited.add(number);
    const page = walk.file.page(number);
    const start = number === SCHEMA_PAGE ? FILE_HEADER_BYTES : 0;
    const type = page?.[start];
    const isBranch = type === TABLE_BRANCH || type === INDEX_BRANCH;
    if (page === undefined || (!isBranch && type !== TABLE_LEAF && type !== INDEX_LEAF)) {
      walk.damage.pages += 1;
      continue;
    }
    if (isBranch) next.push(...childrenOf(walk, page, start).reverse());
    if (type !== TABLE_BRANCH) yield* pageRecords(walk, page, start, table);
  }
}

function childrenOf({ damage }: Walk, page: Buffer, start: number): number[] {
  const children: number[] = [];
  for (const at of cellsOf(page, start)) {
    if (at + 4 <= page.length) children.push(page.readUInt32BE(at));
    else damage.pages += 1;
  }
  return [...children, page.readUInt32BE(start + 8)];
}

/** Where the cells of a page begin. Positions outside the page are among them when the page is damaged. */
function cellsOf(page: Buffer, start: number): readonly number[] {
  const isBranch = page[start] === TABLE_BRANCH || page[start] === INDEX_BRANCH;
  const pointers = start + (isBranch ? 12 : 8);
  const count = Math.min(page.readUInt16BE(start + 3), Math.floor((page.length - pointers) / 2));
  return Array.from({ length: count }, (_, index) => page.readUInt16BE(pointers + index * 2));
}

function* pageRecords(walk: Walk, page: Buffer, start: number, table: string | undefined): Generator<FoundRecord> {
  const type = page[start];
  for (const at of cellsOf(page, start)) {
    // A cell of a branch begins with the page below it.
    const size = readVarint(page, type === INDEX_BRANCH ? at + 4 : at);
    const number = size && (type === TABLE_LEAF ? readVarint(page, size[1]) : ([0, size[1]] as const));
    const payload = number && payloadOf(walk, page, number[1], size[0], type === TABLE_LEAF);
    const values = payload && decodeRecord(payload);
    if (values === undefined || number === undefined) walk.damage.records += 1;
    else yield { table, rowId: number[0], values };
  }
}

/** The bytes of a record; those that do not fit into its page follow on pages of their own, each naming the next. */
function payloadOf(
  { file, overflow }: Walk,
  page: Buffer,
  at: number,
  bytes: number,
  isTable: boolean,
): Buffer | undefined {
  const { pageBytes, pages } = file;
  if (bytes > pages * pageBytes) return undefined;
  const most = isTable ? pageBytes - 35 : Math.floor(((pageBytes - 12) * 64) / 255) - 23;
  if (bytes <= most) return at + bytes <= page.length ? page.subarray(at, at + bytes) : undefined;
  const least = Math.floor(((pageBytes - 12) * 32) / 255) - 23;
  const rest = least + ((bytes - least) % (pageBytes - 4));
  const local = rest <= most ? rest : least;
  if (at + local + 4 > page.length) return undefined;
  const parts = [page.subarray(at, at + local)];
  let next = page.readUInt32BE(at + local);
  for (let left = bytes - local; left > 0; left -= pageBytes - 4) {
    const continued = overflow.has(next) ? undefined : file.page(next);
    if (continued === undefined) return undefined;
    overflow.add(next);
    parts.push(continued.subarray(4, 4 + Math.min(left, pageBytes - 4)));
    next = continued.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}

function* strayRecords(walk: Walk): Generator<FoundRecord> {
  const free = freePages(walk.file);
  for (let number = 2; number <= walk.file.pages; number += 1) {
    if (walk.visited.has(number) || walk.overflow.has(number) || free.has(number)) continue;
    const page = walk.file.page(number);
    if (page?.[0] === TABLE_LEAF) yield* pageRecords(walk, page, 0, undefined);
  }
}

/** The pages that the file lists as free: they may hold records that were deleted. */
function freePages(file: PageFile): ReadonlySet<number> {
  const free = new Set<number>();
  let trunk = file.page(SCHEMA_PAGE)?.readUInt32BE(32) ?? 0;
  while (trunk !== 0 && !free.has(trunk)) {
    const page = file.page(trunk);
    if (page === undefined) break;
    free.add(trunk);
    const count = Math.min(page.readUInt32BE(4), file.pageBytes / 4 - 2);
    for (let index = 0; index < count; index += 1) free.add(page.readUInt32BE(8 + index * 4));
    trunk = page.readUInt32BE(0);
  }
  return free;
}
