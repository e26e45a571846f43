/** A part of the chaos report, in a process of its own; and its judges, which have to notice what is wrong. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ModelEvent } from '../../src/core/model/model.ts';
import { judgeCall } from './judge.ts';
import type { Scenario, Seen } from './scenario.ts';
import { SCENARIOS } from './scenarios/index.ts';
import { judge, type Sample } from './soak/samples.ts';
import { TEXT } from './wires.ts';

const root = resolve(import.meta.dirname, '../..');

function command(...given: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  const flags = ['--conditions=polyphony-source', '--import', 'tsx', 'test/chaos/run.ts'];
  return new Promise((settle) => {
    execFile(process.execPath, [...flags, ...given], { cwd: root }, (error, out) =>
      settle({ code: error === null ? 0 : Number(error.code), out }),
    );
  });
}

/** One of each kind of fault, over different wires. */
const SAMPLE = [
  'chat-reset-in-stream',
  'messages-cut-in-stream',
  'gemini-stall-in-stream',
  'responses-restart',
  'messages-error-in-200',
  'gemini-wrong-types',
  'chat-drip',
  '429-with-delay',
  '429-by-the-plugin',
  '401-other-key',
  'gzip',
  'split-letters',
  'slow-first-word',
  'beats-only',
  'plugin-stall-at-150',
  'cancel-in-pause',
  'reader-leaves',
  'hedge',
  'close-while-calling',
  'outage-with-one-fallback',
  'kept-connection-closed',
  'cap-in-a-storm',
  'run-with-one-bad-node',
  'resume-after-an-outage',
];

describe('the report', () => {
  test('a sample of it: every law holds', async () => {
    const { code, out } = await command(...SAMPLE);
    expect(out.split('\n').filter((line) => line.startsWith('FAIL') || line.startsWith('  '.repeat(3)))).toEqual([]);
    expect(out).toContain(`\n${SAMPLE.length} passed, 0 failed\n`);
    expect(code).toBe(0);
  });

  test('has over fifty scenarios, on each wire at least ten', () => {
    const names = [...SCENARIOS.keys()];
    expect(names.length).toBeGreaterThan(100);
    for (const wire of ['chat', 'messages', 'gemini', 'responses']) {
      expect(names.filter((name) => name.startsWith(`${wire}-`)).length).toBeGreaterThanOrEqual(10);
    }
  });

  test('knows no other names', async () => {
    expect((await command('no-such-scenario')).code).toBe(2);
  });
});

const seen = (fields: Partial<Seen>): Seen => ({
  ending: 'answer',
  text: TEXT,
  ms: 10,
  rows: [],
  warnings: [],
  events: [],
  ...fields,
});
const scenario = (expected: Scenario['expect']): Scenario => ({ name: 'one', shows: 'a judge', expect: expected });

describe('the judge of a call', () => {
  const text: ModelEvent = { type: 'text-delta', text: 'Good ' };
  const route: ModelEvent = { type: 'route', target: { provider: 'second', model: 'm' } };

  test.each<[string, Partial<Seen>, Scenario['expect'], string | undefined]>([
    ['a good answer', {}, { ending: 'answer' }, undefined],
    ['another ending', {}, { ending: 'failover' }, 'it ended with answer'],
    ['a call that is too long', { ms: 501 }, { withinMs: 500 }, 'it took 501 ms, more than 500'],
    ['a call that is too short', { ms: 99 }, { afterMs: 100 }, 'it took 99 ms, less than 100'],
    ['too many attempts', {}, { attempts: 1 }, 'it made 0 attempts, not 1'],
    ['an answer with a hole', { text: 'Good to you.' }, {}, 'the text is "Good to you."'],
    ['an answer with a hole that is told', { text: 'Good to you.', warnings: ['malformed-chunk'] }, {}, undefined],
    ['an answer that says something twice', { text: `Good ${TEXT}`, warnings: ['malformed-chunk'] }, {}, 'the text is'],
    ['a part of a broken stream', { ending: 'left', text: 'Good ' }, {}, undefined],
    ['something else of a broken stream', { ending: 'left', text: 'Good Good ' }, {}, 'the text is "Good Good "'],
    ['a stream that went elsewhere in silence', { events: [text, route] }, {}, 'another target in silence'],
    ['one that said so', { events: [text, { type: 'restart', notice: '' }, route] }, {}, undefined],
    ['a foreign error', { ending: 'foreign', text: '' }, {}, 'a foreign error'],
  ])('%s', (_, fields, expected, problem) => {
    const problems: string[] = [];
    judgeCall(seen(fields), scenario(expected), problems);
    if (problem === undefined) expect(problems).toEqual([]);
    else expect(problems.join('\n')).toContain(problem);
  });
});

describe('the judge of a soak', () => {
  const flat = {
    calls: 0,
    heapMiB: 40,
    externalMiB: 4,
    files: 60,
    sockets: 0,
    timers: 0,
    listeners: 0,
    heldNanoUsd: 0,
  };
  const samples = (rising: (minute: number) => Partial<Sample>): readonly Sample[] =>
    Array.from({ length: 40 }, (_, at) => ({ ...flat, minute: at / 4, ...rising(at / 4) }));
  /** Up and down, as collections are. */
  const noise = (minute: number): number => Math.sin(minute * 40);

  test('lets noise pass, and what rises before it is warm', () => {
    expect(judge(samples((minute) => ({ heapMiB: 40 + noise(minute) }))).holds).toBe(true);
    expect(judge(samples((minute) => ({ heapMiB: Math.min(40, 20 + 10 * minute) }))).holds).toBe(true);
  });

  test.each<[string, (minute: number) => Partial<Sample>]>([
    ['heapMiB', (minute) => ({ heapMiB: 40 + 0.4 * minute + noise(minute) })],
    ['externalMiB', (minute) => ({ externalMiB: 4 + 0.05 * minute })],
    ['files', (minute) => ({ files: 60 + 3 * minute })],
    ['sockets', (minute) => ({ sockets: Math.floor(minute) })],
    ['timers', (minute) => ({ timers: Math.floor(minute) })],
    ['listeners', (minute) => ({ listeners: minute === 5 ? 1 : 0 })],
    ['heldNanoUsd', (minute) => ({ heldNanoUsd: minute === 5 ? -1 : 0 })],
  ])('sees %s that grow', (name, rising) => {
    const { rows, holds } = judge(samples(rising));
    expect(holds).toBe(false);
    expect(rows.filter(([, , , isFlat]) => !isFlat).map(([one]) => one)).toEqual([name]);
  });
});
