/** The files that the laws govern. */

import { existsSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

export interface Breach {
  readonly law: string;
  readonly file: string;
  readonly message: string;
}

export const folders = ['src', 'plugins', 'workflows', 'examples', 'test', 'scripts'] as const;

/** Every TypeScript file of the project below `root`, with forward slashes, sorted. */
export function sourceFiles(root: string): string[] {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder), { withFileTypes: true, recursive: true }))
    .filter((entry) => entry.isFile() && /\.(?:ts|tsx|mts)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((file) => !file.includes('node_modules/'))
    .sort();
}
