/** The store of a command that only works on what is there: a path that was mistyped must not become an empty store. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { UsageError } from './exit-code.ts';

/** @returns its path. @throws UsageError when there is no such file */
export function existingStore(store: string): string {
  if (store.trim() === '') throw new UsageError('--store is empty: name the file that keeps runs and costs');
  const path = resolve(store);
  if (existsSync(path)) return path;
  throw new UsageError(`there is no store at ${path}: name its file with --store`);
}
