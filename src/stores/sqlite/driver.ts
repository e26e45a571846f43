/** The driver of SQLite: a binary of its own for every platform, which an installation may lack. */
import { PolyphonyError } from '../../core/errors.ts';

/** Its class of databases. @throws unsupported where it has no binary that this machine can load */
export async function loadDriver(): Promise<typeof import('libsql')> {
  try {
    return (await import('libsql')).default;
  } catch (cause) {
    // The driver tells the name of the missing package and a stack of its own files.
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    const machine = `${process.platform} ${process.arch} with Node ${process.version}`;
    const message = `The SQLite driver cannot be loaded on ${machine} (${reason}): install again with optional dependencies on one of the platforms in docs/how-to/install.md, or keep runs in memory with memoryStores().`;
    throw new PolyphonyError('unsupported', message, { cause });
  }
}
