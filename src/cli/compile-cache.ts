/**
 * Keeps what Node compiled of the command for its next start, where Node can (22.8 and later): a fifth of the time of a run. Old versions
 * of Node read this file too, so it keeps to syntax that they parse.
 */
import { mkdirSync, statSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

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
  const folder = join(caches, 'polyphony');
  if (!isAbsolute(folder)) return undefined;
  for (const path of [caches, folder]) {
    try {
      mkdirSync(path, 0o700);
    } catch (_) {
      // It is there already; what else hinders is noticed below.
    }
  }
  const { uid, mode } = statSync(folder);
  if (process.getuid === undefined) return folder;
  return uid === process.getuid() && (mode & 0o022) === 0 ? folder : undefined;
}
