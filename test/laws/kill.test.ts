/**
 * The law of `kill -9`: a real process is killed at random moments and the run is gone on with, again and again.
 *
 * 1. What the journal held as finished when a life began is never run in that life or a later one.
 * 2. Its output stands unchanged in the result.
 * 3. The run ends done, every step paid once.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { RunResult } from '../../src/core/run/engine.ts';
import { seededRandom } from '../../src/testing/fakes.ts';
import { COMPILE_CACHE, compiled } from '../compiled.ts';
import { KILL_CALLS, KILL_COST } from './kill-plan.ts';

/** The hostile suite asks for more. */
const KILLS = Number(process.env.POLYPHONY_KILLS ?? (process.env.POLYPHONY_STEP === '1' ? 60 : 30));
const SEED = Number(process.env.POLYPHONY_SEED ?? 20_261_120);
/** Far more than they take: nothing is judged by time. */
const LONGEST_MS = KILLS * 10_000;
/** Then the process may live to its end: on a busy machine a short life may get nowhere. */
const KILLS_A_STORY = 20;
const root = resolve(import.meta.dirname, '../..');
const folders: string[] = [];
const children = new Set<ChildProcess>();
/** One story failed: no further process is started. */
let over = false;

interface Line {
  readonly life: number;
  readonly ran?: string;
  readonly finished?: Readonly<Record<string, unknown>>;
}

/** Lives until it has ended by itself or was killed `killAfterMs` after it began to work; undefined: never. */
function live(args: readonly string[], killAfterMs: number | undefined): Promise<RunResult | undefined> {
  return new Promise((settle, reject) => {
    const environment = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };
    const process_ = spawn(process.execPath, [compiled('test/laws/kill-child.ts'), ...args], {
      cwd: root,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(process_);
    let out = '';
    let errors = '';
    let timer: NodeJS.Timeout | undefined;
    process_.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (out.startsWith('go\n') && killAfterMs !== undefined)
        timer ??= setTimeout(() => process_.kill('SIGKILL'), killAfterMs);
    });
    process_.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    process_.on('close', (code, signal) => {
      clearTimeout(timer);
      children.delete(process_);
      const done = /^done (.*)$/m.exec(out)?.[1];
      if (done !== undefined) settle(JSON.parse(done) as RunResult);
      else if (signal === 'SIGKILL') settle(undefined);
      else reject(new Error(`the child ended with ${code}: ${errors}`));
    });
  });
}

interface Story {
  readonly kills: number;
  readonly result: RunResult;
  readonly lines: readonly Line[];
}

async function killUntilDone(random: () => number, longestMs: number, mode: string[]): Promise<Story> {
  const folder = mkdtempSync(join(tmpdir(), 'polyphony-kill-'));
  folders.push(folder);
  const [database, log] = [join(folder, 'runs.db'), join(folder, 'log')];
  for (let life = 0; ; life += 1) {
    const result = await live(
      [database, log, 'run_killed', String(life), ...mode],
      life < KILLS_A_STORY ? random() * longestMs : undefined,
    );
    if (result === undefined && over) throw new Error('another story failed');
    if (result === undefined) continue;
    const text = readFileSync(log, 'utf8').trim();
    return { kills: life, result, lines: text.split('\n').map((line) => JSON.parse(line) as Line) };
  }
}

function expectIntact({ result, lines }: Story): void {
  expect(result).toMatchObject({ status: 'done', costNanoUsd: KILL_CALLS * KILL_COST });
  const outputs = JSON.stringify(result.output);
  for (const { life, finished = {} } of lines) {
    for (const [key, output] of Object.entries(finished)) {
      expect(lines.filter((line) => line.ran === key && line.life >= life)).toEqual([]);
      // Of a loop only the last round's output is left in the result.
      if (!/\/r[12]$/.test(key)) expect(outputs).toContain(JSON.stringify(output));
    }
  }
  const keys = new Set(lines.flatMap(({ ran }) => (ran === undefined ? [] : [ran])));
  expect(keys.size).toBe(KILL_CALLS);
}

describe('kill -9', () => {
  afterAll(() => {
    for (const process_ of children) process_.kill('SIGKILL');
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  it(`loses nothing and pays nothing again in ${KILLS} kills`, { timeout: LONGEST_MS }, async () => {
    const random = seededRandom(SEED);
    let kills = 0;
    // The plan of one lane is given, that of the other written: some lives end before it is whole, some after.
    const lane = async (longestMs: number, ...mode: string[]): Promise<void> => {
      while (kills < KILLS && !over) {
        const story = await killUntilDone(random, longestMs, mode);
        kills += story.kills;
        expectIntact(story);
      }
    };
    const stopped = (error: unknown): never => {
      over = true;
      throw error;
    };
    await Promise.all([lane(60).catch(stopped), lane(130, 'written').catch(stopped)]);
    expect(kills).toBeGreaterThanOrEqual(KILLS);
  });
});
