/** The words after the name of a script. What cannot be read, and a wish for help, end in sentences and no stack. */
import { readFileSync } from 'node:fs';
import { type ParseArgsConfig, parseArgs } from 'node:util';

/**
 * `--help` prints the comment at the head of the script and ends it; a word that the script does not know ends it with exit code 2.
 *
 * @param file the script: `import.meta.filename`
 */
export function scriptWords<T extends ParseArgsConfig>(file: string, config: T): ReturnType<typeof parseArgs<T>> {
  const given = process.argv.slice(2);
  if (given.includes('--help') || given.includes('-h')) {
    console.log(headOf(readFileSync(file, 'utf8')));
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n--help says which words there are.`);
    process.exit(2);
  }
}

/** The first comment of a file, without its marks. */
export function headOf(text: string): string {
  const [, comment = ''] = /\/\*\*([\s\S]*?)\*\//.exec(text) ?? [];
  return comment
    .split('\n')
    .map((line) => line.replace(/^ *\* ?/, '').trimEnd())
    .join('\n')
    .trim();
}
