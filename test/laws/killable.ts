/** A child process that is compiled once, lives for a while and is killed without warning. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** Counted by what the child has done, so that a busy machine kills at the same moments as a fast one. */
export interface Kill {
  /** The number of lines that it has printed. */
  readonly afterLines: number;
  /** Milliseconds after that. */
  readonly afterMs: number;
}

export interface Killable {
  /** Compiles the child with all that it imports. */
  build(): void;
  /** Lives until it has ended by itself, or is killed. Resolves with what it has printed. */
  live(args: readonly string[], kill?: Kill): Promise<string>;
  /** Kills what still lives, and removes what was compiled. */
  clean(): void;
}

/** `source` is a file of this folder, without its ending. */
export function killable(source: string): Killable {
  const built = join(root, `node_modules/.cache/polyphony-${source}-${process.pid}`);
  const children = new Set<ChildProcess>();
  return {
    build() {
      const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
      const flags =
        '--ignoreConfig --noCheck --skipLibCheck --module nodenext --target es2023 --rewriteRelativeImportExtensions';
      const file = join(root, `test/laws/${source}.ts`);
      const where = ['--rootDir', root, '--outDir', built];
      execFileSync(process.execPath, [compiler, ...flags.split(' '), ...where, file], { cwd: root });
    },
    live: (args, kill) =>
      new Promise((settle, reject) => {
        const child = spawn(process.execPath, [join(built, `test/laws/${source}.js`), ...args], {
          cwd: root,
          env: { ...process.env, NODE_COMPILE_CACHE: join(built, 'compiled') },
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
      rmSync(built, { recursive: true, force: true });
    },
  };
}
