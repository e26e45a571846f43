/** Calls the command inside the test's process, and as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll } from 'vitest';
import { commandLine } from '../../src/cli/command-line.ts';
import { createTerminal } from '../../src/cli/screen/terminal.ts';
import { COMPILE_CACHE, compiled } from '../compiled.ts';

const root = resolve(import.meta.dirname, '../..');
const folders: string[] = [];
afterAll(() => {
  process.chdir(root);
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A new working folder with these files. */
export function folderWith(files: Readonly<Record<string, unknown>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'polyphony-cli-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

export interface Called {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command in this process, without a terminal. */
export async function call(...given: readonly string[]): Promise<Called> {
  let out = '';
  let err = '';
  const collect = (add: (text: string) => void) => ({
    write: (text: string | Uint8Array) => {
      add(String(text));
      return true;
    },
    columns: 80,
    rows: 24,
    isTTY: false,
  });
  const terminal = createTerminal({
    stdout: collect((text) => {
      out += text;
    }),
    stderr: collect((text) => {
      err += text;
    }),
    environment: {},
  });
  const code = await commandLine(given, terminal);
  return { code, out, err };
}

export interface Started {
  readonly child: ChildProcess;
  /** What came on standard output and error so far. */
  readonly text: { out: string; err: string };
  readonly ended: Promise<Called>;
}

/** The command as a process. */
export function start(
  given: readonly string[],
  options: {
    readonly folder: string;
    readonly environment?: Readonly<Record<string, string>>;
    /** The number of the user that runs it. @default the user of the test */
    readonly user?: number | undefined;
  },
): Started {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [compiled('src/cli/main.ts'), ...given], {
    cwd: options.folder,
    env: { PATH, NODE_COMPILE_CACHE: COMPILE_CACHE, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.user === undefined ? {} : { uid: options.user, gid: options.user }),
  });
  const text = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    text.out += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    text.err += chunk;
  });
  const ended = new Promise<Called>((resolveEnd) => {
    child.on('close', (code, signal) => resolveEnd({ code: code ?? (signal === 'SIGKILL' ? 137 : -1), ...text }));
  });
  return { child, text, ended };
}
