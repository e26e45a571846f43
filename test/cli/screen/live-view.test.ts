import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createLiveView, viewLines } from '../../../src/cli/screen/live-view.ts';
import { costText, durationText, newProgress, takeEvent } from '../../../src/cli/screen/progress.ts';
import { createTerminal, paintFor } from '../../../src/cli/screen/terminal.ts';
import type { Plan } from '../../../src/core/plan/plan.ts';
import type { RunEvent } from '../../../src/core/run/engine.ts';
import { displayWidth } from '../../../src/drawing/plain-text.ts';
import { STEERING, spelt } from '../../drawing/steering.ts';

const HOSTILE = 'evil \u001b]8;;http://x\u0007 \u009b2J \u202E 日本語の長い文章です。';
const plan: Plan = {
  version: 1,
  goal: HOSTILE,
  nodes: [
    { id: 'pages', use: 'llm', in: {}, each: '{{input.names}}' },
    { id: 'kind', use: 'llm', in: {}, model: { tier: 'fast' } },
    { id: 'bad', use: 'tool:x', in: {} },
    { id: 'ask', use: 'human', in: {} },
    { id: 'after', use: 'llm', in: {} },
  ],
};
const meta = { costUsd: 0.002, ms: 1500, warnings: [], model: HOSTILE, provider: 'p', rung: 1 };
const result = { output: 'x', meta, costNanoUsd: 2_000_000 };
const error = { code: 'tool-failed', message: HOSTILE, retryable: false } as const;
const target = { provider: 'p', model: 'm' };
const escalation = {
  rung: 1,
  evaluator: 'validators',
  score: 0.9,
  reason: HOSTILE,
  rungs: [{ target, score: 0.2, reasons: [], costNanoUsd: 1 }],
};

type Draft<E> = E extends unknown ? Omit<E, 'seq' | 'at' | 'runId'> : never;
const drafts: readonly Draft<RunEvent>[] = [
  {
    type: 'run-started',
    plan,
    planHash: 'h',
    input: { names: ['a', 'b', 'c'] },
    capNanoUsd: 500_000_000,
    paid: { costNanoUsd: 1_000_000 },
  },
  { type: 'node-started', nodeId: 'pages', idempotencyKey: 'k' },
  { type: 'node-started', nodeId: 'kind', idempotencyKey: 'k' },
  { type: 'node-delta', nodeId: 'pages', text: HOSTILE },
  { type: 'item-finished', nodeId: 'pages', item: 0, result },
  { type: 'node-escalated', nodeId: 'kind', escalation },
  { type: 'node-finished', nodeId: 'kind', result },
  { type: 'node-failed', nodeId: 'bad', error, costNanoUsd: 0 },
  { type: 'node-suspended', nodeId: 'ask', question: { question: HOSTILE } },
];
const events = drafts.map((draft, seq) => ({ ...draft, seq, at: 1000 + seq, runId: 'run_x' }) as RunEvent);

function progressAfter(count = events.length) {
  const progress = newProgress();
  for (const event of events.slice(0, count)) takeEvent(progress, event);
  return progress;
}

const options = { columns: 100, rows: 30, now: 3000, frame: 0, paint: paintFor(false) };

describe('the live view', () => {
  it('shows the calls of tools in short and without secrets', () => {
    const progress = progressAfter(3);
    const place = { nodeId: 'kind', round: 1, index: 0, callId: 'c', name: 'look', costNanoUsd: 0 };
    const given = { key: `sk-${'a1B2'.repeat(12)}`, text: 'tide '.repeat(500) };
    const call = { type: 'tool-call', ...place, arguments: given, error } as const;
    takeEvent(progress, { ...call, seq: 9, at: 1009, runId: 'run_x' } as RunEvent);
    const note = progress.rows.get('kind')?.note ?? '';
    expect(note).toMatch(/^look \{"key":"\[scrubbed\]/);
    expect(note).toContain(' failed: ');
    expect(note.length).toBeLessThan(500);
  });

  it('keeps what a revised plan keeps, under its new name', () => {
    const progress = progressAfter(7);
    const nodes = plan.nodes.map((node) => (node.id === 'kind' ? { ...node, id: 'sort' } : node));
    const revised: Draft<RunEvent> = {
      type: 'plan-revised',
      plan: { ...plan, nodes },
      planHash: 'h2',
      reason: 'x',
      kept: { sort: 'kind' },
    };
    takeEvent(progress, { ...revised, seq: 9, at: 1009, runId: 'run_x' } as RunEvent);
    expect(progress.rows.get('sort')).toMatchObject({ state: 'done', node: { id: 'sort' } });
    expect(progress.rows.has('kind')).toBe(false);
  });

  it('shows nodes as they are written, and those anew that the whole plan changes', () => {
    const progress = newProgress();
    const [one, two] = plan.nodes.slice(1, 3);
    if (one === undefined || two === undefined) throw new Error('no nodes');
    const whole = { ...plan, nodes: [{ ...one, in: { x: 1 } }, two] };
    const written: readonly Draft<RunEvent>[] = [
      { type: 'run-started', plan: { version: 1, nodes: [] }, planHash: 'h', input: {}, request: 'do it' },
      { type: 'plan-delta', nodes: [one] },
      { type: 'plan-delta', nodes: [two] },
      { type: 'node-finished', nodeId: 'kind', result },
      { type: 'plan-answered', round: 1, costNanoUsd: 1_000_000, usage: { input: 2000, output: 300 } },
      { type: 'plan-revised', plan: whole, planHash: 'i', reason: 'the plan is whole', capNanoUsd: 500_000_000 },
    ];
    const lines = written.map((draft, seq) => {
      takeEvent(progress, { ...draft, seq, at: 1000, runId: 'run_x' } as RunEvent);
      return viewLines(progress, options);
    });
    expect(lines[0]).toEqual(['   planning, 0 of 0 nodes so far · 2.0 s · $0']);
    expect(lines[2]?.map((line) => line.trim().split(' ')[1])).toEqual(['kind', 'bad', '0']);
    expect(lines[4]?.at(-1)).toBe('   planning (1 round, 2300 tokens), 1 of 2 nodes so far · 2.0 s · $0.003');
    expect(lines[5]?.at(-1)).toBe('   0 of 2 nodes · 2.0 s · $0.003 of $0.50');
  });

  it('shows state, time, cost, items, rung and note of each node, and the totals', () => {
    const [pages, kind, bad, ask, after, totals] = viewLines(progressAfter(), options);
    expect(pages).toMatch(/◐ pages {2}llm {8}2\.0 s {2}1 of 3 {2}\$0\.002$/);
    expect(kind).toMatch(/✓ kind .* 1\.5 s {2}↑1 {2}\$0\.002 {2}evil/);
    expect(bad).toMatch(/✗ bad .*evil/);
    expect(ask).toMatch(/\? ask .*evil/);
    expect(after).toMatch(/^ · after {2}llm$/);
    expect(totals).toBe('   2 of 5 nodes · 2.0 s · $0.005 of $0.50');
  });

  it.each([20, 40, 59, 60, 100, 300])('fits into %i columns, whatever models say', (columns) => {
    for (const colour of [true, false]) {
      for (const line of viewLines(progressAfter(), { ...options, columns, paint: paintFor(colour) })) {
        const text = stripVTControlCharacters(line);
        expect(displayWidth(text)).toBeLessThan(columns);
        expect(text).not.toMatch(STEERING);
      }
    }
  });

  it('shows what matters most where not all fits: failures, questions, then what runs', () => {
    const lines = viewLines(progressAfter(), { ...options, rows: 5 });
    expect(lines).toHaveLength(5);
    expect(lines.join('\n')).toMatch(/pages[\s\S]*bad[\s\S]*ask[\s\S]*and 2 more nodes[\s\S]*2 of 5/);
  });

  it('counts from anew after a resume, and keeps what had ended', () => {
    const progress = progressAfter();
    takeEvent(progress, { type: 'run-resumed', seq: 20, at: 9000, runId: 'run_x' });
    expect(progress.rows.get('pages')?.state).toBe('waiting');
    expect(progress.rows.get('kind')?.state).toBe('done');
    expect(progress.startedAt).toBe(9000);
  });

  it('shows the words of one item at a time', () => {
    const progress = progressAfter(2);
    const say = (item: number, text: string): void =>
      takeEvent(progress, { type: 'node-delta', nodeId: 'pages', item, text, seq: 9, at: 1, runId: 'run_x' });
    say(0, 'one ');
    say(1, 'other ');
    say(0, 'two');
    expect(progress.rows.get('pages')?.note).toBe('one two');
    takeEvent(progress, { type: 'item-finished', nodeId: 'pages', item: 0, result, seq: 9, at: 1, runId: 'run_x' });
    say(1, 'words');
    expect(progress.rows.get('pages')?.note).toBe('words');
  });

  it('leaves out no cost: an unknown one makes the sum unknown', () => {
    const progress = progressAfter();
    takeEvent(progress, {
      type: 'node-finished',
      nodeId: 'after',
      result: { ...result, costNanoUsd: null },
      seq: 21,
      at: 1,
      runId: 'run_x',
    });
    expect(viewLines(progress, options).at(-1)).toContain('$? of');
  });

  it('draws over itself, says what is said above it, and stays at the end', () => {
    const written: string[] = [];
    const stderr = {
      columns: 40,
      rows: 20,
      isTTY: true,
      write: (text: string | Uint8Array) => written.push(spelt(String(text))) > 0,
    };
    const terminal = createTerminal({ stdout: stderr, stderr, environment: { TERM: 'xterm' } });
    let tick = (): void => {};
    const view = createLiveView(terminal, {
      now: () => 3000,
      every: (_milliseconds, given) => {
        tick = given;
        return () => {};
      },
    });
    for (const event of events) view.onEvent(event);
    tick();
    tick();
    terminal.say('a note');
    view.stop();
    terminal.say('the end');
    const [first, second, note, last, end] = written;
    expect(first).not.toMatch(/ESC\[\d+A/);
    expect(second).toContain('ESC[6A');
    expect(note).toContain('ESC[6A\ra noteESC[K\n');
    expect(last).toContain('ESC[6A');
    expect(end).toBe('the end\n');
  });

  it('leaves every node on the screen at its end, also those that did not fit while it ran', () => {
    const written: string[] = [];
    const stderr = {
      columns: 40,
      rows: 5,
      isTTY: true,
      write: (text: string | Uint8Array) => written.push(String(text)) > 0,
    };
    const terminal = createTerminal({ stdout: stderr, stderr, environment: { TERM: 'xterm' } });
    let tick = (): void => {};
    const view = createLiveView(terminal, {
      now: () => 3000,
      every: (_milliseconds, given) => {
        tick = given;
        return () => {};
      },
    });
    for (const event of events) view.onEvent(event);
    tick();
    view.stop();
    const [running, last] = written;
    expect(running).toContain('more nodes');
    expect(last).not.toContain('more nodes');
    for (const id of progressAfter().rows.keys()) expect(last).toContain(id);
  });

  it('counts the rows anew when the window was made narrower', () => {
    const written: string[] = [];
    const stderr = {
      columns: 40,
      rows: 20,
      isTTY: true,
      write: (text: string | Uint8Array) => written.push(spelt(String(text))) > 0,
    };
    const terminal = createTerminal({ stdout: stderr, stderr, environment: {} });
    terminal.status(['x'.repeat(30), 'short']);
    stderr.columns = 10;
    terminal.status(['y']);
    expect(written.at(-1)).toContain('ESC[4A');
  });
});

describe('figures', () => {
  it.each([
    [null, '$?'],
    [0, '$0'],
    [1, '$0.000000001'],
    [123_456_789, '$0.123'],
    [1_234_567, '$0.00123'],
    [12_345_678_901, '$12.35'],
  ])('%s nano-dollars are %s', (nano, text) => expect(costText(nano)).toBe(text));

  it.each([
    [0, '0 ms'],
    [999.4, '999 ms'],
    [1500, '1.5 s'],
    [125_000, '2 min 05 s'],
  ])('%s milliseconds are %s', (milliseconds, text) => expect(durationText(milliseconds)).toBe(text));
});
