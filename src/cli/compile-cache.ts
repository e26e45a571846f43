/**
 * Keeps what Node compiled of the command for its next start, where Node can (22.8 and later): a fifth of the time of a run. Old versions
 * of Node read this file too, so it keeps to syntax that they parse.
 */
import { mkdirSync, realpathSync, statSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

interface CompilingNode {
  readonly enableCompileCache?: (folder: string) => unknown;
}

/** Does nothing where Node's own variables rule the cache, and where no folder is the user's alone. */
export function keepCompiled(environment: NodeJS.ProcessEnv, node: object = module): void {
  const { enableCompileCache } = node as CompilingNode;
  if (enableCompileCache === undefined) return;
  if (environment.NODE_COMPILE_CACHE || environment.NODE_DISABLE_COMPILE_CACHE) return;
  try {
    const folder = ownFolder(cachesOf(environment));
    if (folder !== undefined) enableCompileCache(folder);
  } catch (_) {
    // A machine without a home, or where nothing can be written, compiles at each start.
  }
}

function cachesOf(environment: NodeJS.ProcessEnv): string {
  const named = [environment.XDG_CACHE_HOME, environment.LOCALAPPDATA].find((path) => path && isAbsolute(path));
  return named || join(homedir(), '.cache');
}

/** Compiled code is run, so it is kept where nobody else can write: neither with files of the project nor among temporary ones. */
function ownFolder(caches: string): string | undefined {
  const named = join(caches, 'polyphony');
  if (!isAbsolute(named)) return undefined;
  for (const path of [caches, named]) {
    try {
      mkdirSync(path, 0o700);
    } catch (_) {
      // It is there already; what else hinders is noticed below.
    }
  }
  // Where a link leads now: it may lead elsewhere once it was looked at.
  const folder = realpathSync(named);
  if (process.getuid === undefined) return folder;
  const own = process.getuid();
  const isGuarded = (path: string, owners: readonly number[]): boolean => {
    const { uid, mode } = statSync(path);
    return owners.includes(uid) && (mode & 0o022) === 0;
  };
  // Who may write beside it could put another folder in its place.
  return isGuarded(folder, [own]) && isGuarded(dirname(folder), [own, 0]) ? folder : undefined;
}
