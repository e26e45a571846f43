/** One trigger: which files of its folder stand still and have not been taken, and the starts that they ask for. */
import { createHash } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import type { TriggerConfig } from '../core/config.ts';
import { defined } from '../core/defined.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { KeyValueStore } from '../core/stores.ts';
import { dateAt } from '../system/clock.ts';
import type { FolderLook, FoundFile } from './folder.ts';
import { inputTemplate } from './input.ts';
import type { DueStart } from './starts.ts';

export interface Trigger {
  readonly name: string;
  readonly run: string;
  readonly folder: string;
  readonly pattern: string;
  readonly concurrency: number;
  readonly settleMs: number;
  readonly pollMs: number;
  /** An input as a start would have it, to be checked before there is a file. */
  sample(): Readonly<Record<string, unknown>>;
  /** Looks at the folder once. At most `most` starts; a file that is not among them comes again. @throws the error of the folder */
  look(most: number): Promise<readonly DueStart[]>;
}

export interface TriggerParts {
  readonly store: KeyValueStore;
  readonly clock: Clock;
  readonly lookInto: (folder: string, pattern: readonly string[]) => Promise<FolderLook>;
  /** The folder of the config as the file system names it. */
  readonly folderOf: (folder: string) => string;
  /** The path of a file as the tools name it. */
  readonly pathOf: (folder: string, name: string) => string;
}

interface Seen {
  readonly size: number;
  readonly modifiedMs: number;
  /** Since when it has stood still, on the monotonic clock. */
  readonly sinceMs: number;
  taken: boolean;
}

const FIELDS = ['path', 'name', 'size', 'modified'] as const;

/** @throws invalid-config naming the field of the config */
export function createTrigger(name: string, config: TriggerConfig, parts: TriggerParts): Trigger {
  const where = `triggers.${name}`;
  const { run, folder, pattern = '*', budgetUsd, concurrency = 4, settleMs = 2000, pollMs = 2000 } = config;
  const { store, clock } = parts;
  const wanted = patternOf(where, pattern);
  const render = inputTemplate(`${where}.input`, config.input ?? { path: '{{path}}' }, FIELDS);
  const seen = new Map<string, Seen>();
  const prefix = `schedules/taken/${name}/`;
  const fullFolder = parts.folderOf(folder);
  let isFirst = true;

  function inputOf({ name: below, size, modifiedMs }: FoundFile): Readonly<Record<string, unknown>> {
    const modified = dateAt(modifiedMs).toISOString();
    return render({ path: parts.pathOf(fullFolder, below), name: below, size, modified });
  }

  function dueOf(file: FoundFile, mark: string, known: Seen): DueStart {
    const runId = `trigger_${name}_${mark}`;
    return {
      start: { runId, by: where, run, input: inputOf(file), reason: file.name, ...defined({ budgetUsd }) },
      async taken() {
        known.taken = true;
        await store.set(prefix + mark, { name: file.name });
      },
    };
  }

  /** The mark of what a file was before it changed is of no use either. */
  async function followed(file: FoundFile): Promise<Seen> {
    const before = seen.get(file.name);
    const now = stillness(seen, file, clock.monotonic());
    if (before?.taken && before !== now) await store.delete(prefix + markOf({ name: file.name, ...before }));
    return now;
  }

  /** Marks of files that are gone are of no use, and would grow without end. */
  async function forget(files: ReadonlyMap<string, FoundFile>): Promise<void> {
    for (const [gone, { taken, ...facts }] of [...seen].filter(([known]) => !files.has(known))) {
      seen.delete(gone);
      if (taken) await store.delete(prefix + markOf({ name: gone, ...facts }));
    }
    if (!isFirst) return;
    isFirst = false;
    const marks = new Set([...files.values()].map(markOf));
    for (const key of await store.keys(prefix, 100_000)) {
      if (!marks.has(key.slice(prefix.length))) await store.delete(key);
    }
  }

  return {
    ...{ name, run, folder: fullFolder, pattern, concurrency, settleMs, pollMs },
    sample: () => inputOf({ name: 'name', size: 1, modifiedMs: clock.now() }),
    async look(most) {
      const { files: found, truncated } = await parts.lookInto(fullFolder, wanted);
      const files = new Map(found.map((file) => [file.name, file]));
      if (!truncated) await forget(files);
      const due: DueStart[] = [];
      for (const file of found) {
        const known = await followed(file);
        if (known.taken || clock.monotonic() - known.sinceMs < settleMs || due.length >= most) continue;
        const mark = markOf(file);
        if ((await store.get(prefix + mark)) === undefined) due.push(dueOf(file, mark, known));
        else known.taken = true;
      }
      return due;
    },
  };
}

function patternOf(where: string, pattern: string): readonly string[] {
  const names = pattern.split('/').filter((name) => name !== '' && name !== '.');
  if (names.length > 0 && names.length <= 16 && !names.includes('..') && !pattern.startsWith('/')) return names;
  const message = `${where}.pattern "${pattern.slice(0, 100)}" leaves the folder or is too deep: give one such as "*.pdf" or "**/*.pdf".`;
  throw new PolyphonyError('invalid-config', message);
}

/** The same file, changed, is another one. */
const markOf = ({ name, size, modifiedMs }: FoundFile): string =>
  createHash('sha256')
    .update(JSON.stringify([name, size, modifiedMs]))
    .digest('hex')
    .slice(0, 32);

function stillness(seen: Map<string, Seen>, file: FoundFile, nowMs: number): Seen {
  const known = seen.get(file.name);
  if (known !== undefined && known.size === file.size && known.modifiedMs === file.modifiedMs) return known;
  const { size, modifiedMs } = file;
  const fresh: Seen = { size, modifiedMs, sinceMs: nowMs, taken: false };
  seen.set(file.name, fresh);
  return fresh;
}
