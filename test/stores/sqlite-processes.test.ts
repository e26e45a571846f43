import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import Database from 'libsql';
import { expect, test } from 'vitest';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { compiled } from '../compiled.ts';
import { temporaryFolder } from './folder.ts';

const folder = temporaryFolder();

function start(program: 'writer' | 'counter' | 'one-attempt', path: string, name = '', rounds = 0): ChildProcess {
  const command = [compiled(`test/stores/fixtures/${program}.ts`), path, name, String(rounds)];
  return spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Reads the acknowledged rounds until the child ends; `onRound` sees each. */
async function acknowledged(child: ChildProcess, onRound: (round: number) => void = () => {}): Promise<number[]> {
  let text = '';
  let errors = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    const lines = text.split('\n');
    onRound(Number(lines.at(-2) ?? -1));
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  await once(child, 'close');
  expect(errors).toBe('');
  return text.split('\n').slice(0, -1).map(Number);
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

async function roundsOf(path: string, run: string): Promise<number[]> {
  const { journal, close } = sqliteStores({ path });
  const rounds: number[] = [];
  for await (const event of journal.read(run)) {
    rounds.push(event.seq);
    if (event.type !== 'node-finished') throw new Error(`an event of type ${event.type} was never written`);
    expect(event.result.output).toBe(`round ${event.seq} ${'x'.repeat(event.seq % 2000)}`);
  }
  await close();
  return rounds;
}

test('three processes write to one new file at once, and no write is lost or doubled', async () => {
  const path = join(folder, 'shared.db');
  const names = ['one', 'two', 'three'];
  await Promise.all(names.map((name) => acknowledged(start('writer', path, name, 300))));
  for (const name of names) expect(await roundsOf(path, name)).toEqual(upTo(300));
  const { journal, ledger, keyValue, close } = sqliteStores({ path });
  const counters = await Promise.all(['total', 'capped', ...names].map((key) => keyValue.get(key)));
  expect(counters).toEqual([900, 100, 300, 300, 300]);
  // 300 rows of each process, and 300 that all three booked under one key.
  expect(await ledger.totals('provider')).toMatchObject([{ attempts: 1200, costNanoUsd: 1_200_000 }]);
  expect((await journal.list()).map(({ nodes }) => nodes.finished)).toEqual([300, 300, 300]);
  await close();
}, 60_000);

test('three processes count at once, and no change is lost', async () => {
  const path = join(folder, 'counted.db');
  const names = ['one', 'two', 'three'];
  await Promise.all(names.map((name) => acknowledged(start('counter', path, name, 150))));
  const { keyValue, close } = sqliteStores({ path });
  const counters = await Promise.all(['total', 'capped', ...names].map((key) => keyValue.get(key)));
  expect(counters).toEqual([9000, 9000, 3000, 3000, 3000]);
  await close();
}, 60_000);

test('a writer killed in the middle loses nothing that it had acknowledged, and the next one goes on', async () => {
  const path = join(folder, 'killed.db');
  const child = start('writer', path, 'run', 100_000);
  const rounds = await acknowledged(child, (round) => {
    if (round >= 400) child.kill('SIGKILL');
  });
  expect(child.signalCode).toBe('SIGKILL');
  const kept = await roundsOf(path, 'run');
  expect(kept).toEqual(upTo(kept.length));
  expect(kept.length).toBeGreaterThanOrEqual(rounds.length);
  // One round may have been committed and killed before it could say so.
  expect(kept.length).toBeLessThanOrEqual(rounds.length + 1);

  const { journal, ledger, keyValue, close } = sqliteStores({ path });
  expect(await keyValue.get('total')).toBe(kept.length);
  expect((await journal.list())[0]).toMatchObject({ costNanoUsd: kept.length, nodes: { finished: kept.length } });
  const booked: number[] = [];
  for await (const row of ledger.rows({ to: 1_000_000 })) booked.push(row.startedAt);
  // The rows of the last group may be gone; those before it are all there.
  expect(booked.reverse()).toEqual(upTo(booked.length));
  expect(booked.length).toBeGreaterThan(0);
  await close();
  expect(new Database(path).prepare('PRAGMA integrity_check').raw().get()).toEqual(['ok']);
  expect(await acknowledged(start('writer', path, 'next', 20))).toEqual(upTo(20));
}, 60_000);

test('a program that ends without closing its stores keeps what its calls came to', async () => {
  const path = join(folder, 'ended.db');
  await acknowledged(start('one-attempt', path));
  const { ledger, keyValue, close } = sqliteStores({ path });
  expect(await keyValue.get('budget:user:ann')).toBe(7);
  expect(await ledger.totals('provider')).toMatchObject([{ attempts: 1, costNanoUsd: 7 }]);
  expect((await ledger.totals('provider'))[0]?.uncertain).toBeUndefined();
  await close();
});
