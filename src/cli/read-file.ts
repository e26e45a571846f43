/** Reading what the user names, with sentences when that fails. */
import { readFile, stat } from 'node:fs/promises';
import { UsageError } from './exit-code.ts';

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/** @throws UsageError that names the file and what is wrong with it */
export async function readable(path: string, largest: number, what: string): Promise<string> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new UsageError(`${path} is a folder; name ${what} in it`);
    if (found.size > largest) {
      throw new UsageError(`${path} has ${found.size} bytes, and ${what} may have ${largest}`);
    }
    return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (codeOf(error) === 'ENOENT') throw new UsageError(`There is no file ${path}; name ${what} that exists`);
    if (codeOf(error) === 'EACCES') throw new UsageError(`${path} may not be read; change its permissions`);
    throw error;
  }
}
