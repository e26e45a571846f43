/** Reads a file that a user names, within a bound, with a sentence for each way in which that fails. */
import { readFile, stat } from 'node:fs/promises';

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

const READING: Readonly<Record<string, (path: string, what: string) => string>> = {
  ENOENT: (path, what) => `There is no file ${path}; name ${what} that exists`,
  ENOTDIR: (path, what) => `A part of the path ${path} is not a folder; name ${what} that exists`,
  EACCES: (path) => `There is no permission to read ${path}; change its permissions`,
  EPERM: (path) => `There is no permission to read ${path}; change its permissions`,
  ELOOP: (path, what) => `${path} is a link that leads back to itself; name ${what}`,
  ENAMETOOLONG: (path, what) => `${path.slice(0, 60)}… is too long for a path; name ${what} that exists`,
};

export interface ReadingRules {
  /** Most bytes. */
  readonly largest: number;
  /** For the message, such as `a config file`. */
  readonly what: string;
  /** Makes the error from the sentence. */
  readonly refuse: (message: string) => Error;
}

/** The text without a byte order mark. Throws what `refuse` makes. */
export async function readText(path: string, { largest, what, refuse }: ReadingRules): Promise<string> {
  const size = await attempted(stat(path));
  if (size.isDirectory()) throw refuse(`${path} is a folder; name ${what} in it`);
  if (size.size > largest) throw refuse(`${path} has ${size.size} bytes, but ${what} may have at most ${largest}`);
  return (await attempted(readFile(path, 'utf8'))).replace(/^\uFEFF/, '');

  function attempted<T>(reading: Promise<T>): Promise<T> {
    return reading.catch((error: unknown) => {
      const sentence = READING[String(codeOf(error))];
      throw refuse(
        sentence?.(path, what) ?? `${path} cannot be read (${String(codeOf(error))}); name ${what} that can be read`,
      );
    });
  }
}
