/** Compiles the process of the cases once, and runs cases in it: one process a case, so that none can hide in another. */
import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { COMPILE_CACHE, compiled } from '../../compiled.ts';
import { SECRET } from '../plans/material.ts';
import { USED_UP } from './processor-time.ts';
import type { Report } from './report.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const CASE_PROCESS = 'test/hostile/harness/case-process.ts';
const HEAP_MEBIBYTES = 512;
/** Of the processor time that a case may take. */
const MOST_BLOCKED_SHARE = 0.1;
/** Of the processor time: a case that hangs uses none, and one on a busy machine waits for it. */
const WALL_TIMES = 6;
const MOST_WRITTEN_BYTES = 128 * 2 ** 20;
/** The heap, and what lies beside it: code, buffers of sockets and of the store. */
const MOST_RESIDENT_BYTES = 1024 * 2 ** 20;

export interface Program {
  /** @param seconds of processor time that the case may use; it is ended after six times as long by the clock, too */
  readonly play: (kind: string, name: string, seconds: number) => Promise<Verdict>;
  /** Ends the processes of the cases that still run. */
  readonly remove: () => void;
}

export interface Verdict {
  /** How it ended, and what it took. */
  readonly outcome: string;
  /** Empty: it passed. */
  readonly problems: readonly string[];
  /** Processor time where it is known, else by the clock. */
  readonly ms: number;
}

/** @throws when the compiler cannot write the program */
export function compileProgram(): Program {
  const file = compiled(CASE_PROCESS);
  const children = new Set<ChildProcess>();
  return {
    play: (kind, name, seconds) => played(children, [file, kind, name], seconds),
    remove() {
      for (const child of children) child.kill('SIGKILL');
    },
  };
}

function played(children: Set<ChildProcess>, given: readonly string[], seconds: number): Promise<Verdict> {
  const { PATH = '' } = process.env;
  const start = performance.now();
  return new Promise((settle) => {
    const child = spawn(process.execPath, [`--max-old-space-size=${HEAP_MEBIBYTES}`, ...given, String(seconds)], {
      cwd: ROOT,
      env: { PATH, NODE_COMPILE_CACHE: COMPILE_CACHE, PLANTED: SECRET },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(child);
    let [out, errors] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors = `${errors}${chunk}`.slice(0, 20_000);
    });
    let late: string | undefined;
    const timer = setTimeout(
      () => {
        late = `was still there after ${seconds * WALL_TIMES} s`;
        child.kill('SIGKILL');
      },
      seconds * WALL_TIMES * 1000,
    );
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      children.delete(child);
      if (errors.includes(USED_UP)) late = `used more than ${seconds} s of processor time`;
      const exit = late ?? (code === 0 ? undefined : exitOf(code, signal, errors));
      settle({ ms: performance.now() - start, ...judged(out, seconds, exit) });
    });
  });
}

function exitOf(code: number | null, signal: NodeJS.Signals | null, errors: string): string {
  if (errors.includes('heap out of memory')) return `needed more than ${HEAP_MEBIBYTES} MiB of heap`;
  const fatal = errors.split('\n').find((line) => line.includes('FATAL')) ?? errors.trim().slice(-400);
  return `the process ended with ${code ?? signal}: ${fatal}`;
}

function judged(
  out: string,
  seconds: number,
  exit: string | undefined,
): Pick<Verdict, 'outcome' | 'problems'> & Partial<Pick<Verdict, 'ms'>> {
  const line = out.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) return { outcome: 'no report', problems: [exit ?? 'ended without a report'] };
  const { outcome, problems, workMs, blockedMs, writtenBytes, residentBytes } = JSON.parse(line) as Report;
  const left = exit?.startsWith('was still') ? `${exit} though its work was over: something is left` : exit;
  const found = [
    left,
    ...problems,
    blockedMs > seconds * 1000 * MOST_BLOCKED_SHARE ? `let nothing else get a turn for ${blockedMs} ms` : undefined,
    writtenBytes > MOST_WRITTEN_BYTES ? `wrote ${mebibytes(writtenBytes)}` : undefined,
    residentBytes > MOST_RESIDENT_BYTES ? `held ${mebibytes(residentBytes)} of memory` : undefined,
  ].filter((problem) => problem !== undefined);
  return { outcome, problems: found, ms: workMs };
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
