/** Files of the package itself, found the same way from the sources, from the build and from an installed copy. */
import { readFileSync } from 'node:fs';

export const packageFile = (path: string): URL => new URL(path, import.meta.resolve('polyphony/package.json'));

export function packageVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(packageFile('package.json'), 'utf8'));
  return typeof parsed === 'object' && parsed !== null && 'version' in parsed ? String(parsed.version) : 'unknown';
}
