/** A child process that lives for a while and is killed without warning. */
import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { COMPILE_CACHE, compiled } from '../compiled.ts';

const root = resolve(import.meta.dirname, '../..');

/** Counted by what the child has done, so that a busy machine kills at the same moments as a fast one. */
export interface Kill {
  /** The number of lines that it has printed. */
  readonly afterLines: number;
  /** Milliseconds after that. */
  readonly afterMs: number;
}

export interface Killable {
  /** Lives until it has ended by itself, or is killed. Resolves with what it has printed. */
  live(args: readonly string[], kill?: Kill): Promise<string>;
  /** Kills what still lives. */
  clean(): void;
}

/** `source` is a file of this folder, without its ending. */
export function killable(source: string): Killable {
  const children = new Set<ChildProcess>();
  return {
    live: (args, kill) =>
      new Promise((settle, reject) => {
        const child = spawn(process.execPath, [compiled(`test/laws/${source}.ts`), ...args], {
          cwd: root,
          env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        children.add(child);
        let errors = '';
        let printed = '';
        let lines = 0;
        let timer: NodeJS.Timeout | undefined;
        child.stdout.on('data', (chunk: Buffer) => {
          printed += chunk.toString();
          lines += chunk.toString().split('\n').length - 1;
          if (kill === undefined || lines < kill.afterLines) return;
          timer ??= setTimeout(() => child.kill('SIGKILL'), kill.afterMs);
        });
        child.stderr.on('data', (chunk: Buffer) => {
          errors += chunk.toString();
        });
        child.on('close', (code, signal) => {
          clearTimeout(timer);
          children.delete(child);
          if (signal === 'SIGKILL' || code === 0) settle(printed);
          else reject(new Error(`the child ended with ${code}: ${errors}`));
        });
      }),
    clean() {
      for (const child of children) child.kill('SIGKILL');
    },
  };
}
