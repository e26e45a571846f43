import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createPolyphony, PolyphonyError } from 'polyphony';
import { embedded } from 'polyphony/plugins/providers/embedded';
import { fakeCard, fakeProvider } from 'polyphony/testing';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/cli/input/config-file.ts';
import { strengthFigure } from '../../src/kit/models/strengths.ts';
import { compiled } from '../compiled.ts';
import { evaluatePlanner } from './evaluate.ts';
import { planningStrength, tooLittle, withPlanning, writeOverlay } from './overlay.ts';
import { reportOf, reportText, taskLine } from './report.ts';
import { type Flaw, scriptedPlanner } from './scripted-planner.ts';
import { TASKS } from './tasks/index.ts';

const root = resolve(import.meta.dirname, '../..');

const withFlaw = async (flaw: Flaw, tasks = TASKS) =>
  reportOf(
    await evaluatePlanner({
      tasks,
      providers: [scriptedPlanner(TASKS)],
      config: { planner: { model: `scripted/${flaw}`, rounds: 2, escalate: false } },
    }),
  );

describe('an evaluation of a planner', () => {
  test('gives all points to one that writes every gold plan, and counts what it cost', async () => {
    const report = await withFlaw('none');
    expect(report).toMatchObject({ model: 'scripted/none', score: 1, nodeF1: 1, edgeF1: 1, valid: 1, validAtOnce: 1 });
    expect(report).toMatchObject({ control: 1, asksFirst: 1, declines: 1, rounds: 1, measured: TASKS.length });
    expect(report.parallelism).toBe(report.goldParallelism);
    expect(report.inputTokens).toBe(1000 * TASKS.length);
    // 1000 tokens at 1 dollar and 200 at 2 dollars a million.
    expect(report.costNanoUsd).toBe(1_400_000 * TASKS.length);
  });

  test.each(['schema', 'tool'] as const)('gives the same to one that writes them in the form %s', async (flaw) => {
    const report = await withFlaw(flaw);
    expect(report).toMatchObject({ score: 1, nodeF1: 1, edgeF1: 1, valid: 1, validAtOnce: 1, control: 1, rounds: 1 });
  });

  test('does not care how nodes are called', async () => {
    const report = await withFlaw('renamed');
    expect(report.tasks.filter(({ score }) => score < 1).map(({ id, issues }) => ({ id, issues }))).toEqual([]);
  });

  test('sees half of a plan, edges that nobody needs, and answers that are no plan', async () => {
    const half = await withFlaw('shortened');
    expect(half.nodeF1).toBeGreaterThan(0.5);
    expect(half.nodeF1).toBeLessThan(0.85);
    expect(half.edgeF1).toBeLessThan(half.nodeF1);
    const chained = await withFlaw('chained');
    expect(chained.nodeF1).toBe(1);
    expect(chained.edgeF1).toBeLessThan(0.95);
    expect(chained.parallelism ?? 0).toBeGreaterThan((chained.goldParallelism ?? 0) + 0.1);
    const prose = await withFlaw('prose', TASKS.slice(0, 5));
    expect(prose).toMatchObject({ score: 0, valid: 0, rounds: 2, nodeF1: 0 });
    expect(prose.tasks.every(({ outcome }) => outcome === 'invalid-plan')).toBe(true);
  });

  test('gives nothing for a payment before the question, where the question was the request', async () => {
    const bold = TASKS.filter(({ asks }) => asks).map((task) => ({
      ...task,
      golds: task.golds.map((gold) => ({
        ...gold,
        nodes: gold.nodes
          .filter(({ use }) => use !== 'human')
          .map(({ when: _when, ...node }) =>
            JSON.parse(JSON.stringify(node).replaceAll(/\{\{sure[^{}]*\}\}/g, 'sure')),
          ),
      })),
    }));
    const evaluated = await evaluatePlanner({
      tasks: TASKS.filter(({ asks }) => asks),
      providers: [scriptedPlanner(bold)],
      config: { planner: { model: 'scripted/none' } },
    });
    expect(evaluated.map(({ score, asksFirst }) => ({ score, asksFirst }))).toEqual(
      bold.map(() => ({ score: 0, asksFirst: false })),
    );
  });

  test('leaves out requests at which no planner answered, and stops at what may be spent', async () => {
    const failing = fakeProvider({
      models: [fakeCard({ id: 'one', capabilities: ['text', 'system', 'json-mode', 'planning'] })],
      script: () => [{ fail: new PolyphonyError('invalid-credential', 'The key was refused.') }],
    });
    const refused = reportOf(await evaluatePlanner({ tasks: TASKS.slice(0, 2), providers: [failing] }));
    expect(refused).toMatchObject({ requests: 2, measured: 0, model: null });
    expect(refused.tasks[0]?.outcome).toBe('not-measured: invalid-credential');
    const bounded = await evaluatePlanner({
      tasks: TASKS,
      providers: [scriptedPlanner(TASKS)],
      config: { planner: { model: 'scripted/none' } },
      maxUsd: 0.003,
    });
    expect(bounded).toHaveLength(3);
  });

  test('measures the embedded engine: it plans for files alone, so it writes none of these plans', async () => {
    const tasks = TASKS.filter((_, place) => place % 3 === 0);
    const report = reportOf(
      await evaluatePlanner({ tasks, providers: [embedded()], config: { planner: { model: 'embedded/planner' } } }),
    );
    expect(report.measured).toBe(tasks.length);
    expect(report.costNanoUsd).toBe(0);
    // What it cannot do it refuses: it calls no tool for what cannot be done.
    expect(report.declines).toBe(1);
    expect(report.score).toBeLessThan(0.4);
  });
});

describe('what is written of an evaluation', () => {
  test('a table, with what is unknown as unknown', async () => {
    const report = await withFlaw('none', TASKS.slice(0, 2));
    expect(reportText(report)).toContain('requests                2 measured of 2');
    const [first] = report.tasks;
    if (first === undefined) throw new Error('nothing was evaluated');
    expect(taskLine({ ...first, costNanoUsd: null })).toContain('unknown');
    expect(reportOf([{ ...first, costNanoUsd: null }, first]).costNanoUsd).toBeNull();
  });

  test('the strength goes into a file of models, beside what is there', () => {
    const before = {
      models: { 'a/b': { tier: 'fast', strengths: { code: 0.5, planning: 0.4 } }, 'c/d': { expectedMs: 9 } },
    };
    expect(withPlanning(before, 'a/b', 0.5)).toEqual({
      models: { 'a/b': { tier: 'fast', strengths: { code: 0.5, planning: 0.665 } }, 'c/d': { expectedMs: 9 } },
    });
    expect(withPlanning(undefined, 'a/b', 1)).toEqual({
      models: { 'a/b': { strengths: { planning: planningStrength(1) } } },
    });
    expect(() => withPlanning([], 'a/b', 1)).toThrow('no object');
    expect(Object.keys(withPlanning({}, '__proto__', 1).models as object)).toEqual(['__proto__']);
  });

  test('and a config that names the file routes by it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'polyphony-eval-'));
    try {
      const report = await withFlaw('shortened');
      writeOverlay(join(folder, 'models.json'), report);
      writeFileSync(join(folder, 'polyphony.json'), JSON.stringify({ modelsFile: 'models.json', optimise: 'quality' }));
      const { config } = await loadConfig(folder);
      const polyphony = await createPolyphony({ providers: [scriptedPlanner(TASKS)], config });
      try {
        const model = polyphony.gateway.models().find(({ card }) => card.id === 'shortened');
        if (model === undefined) throw new Error('the model is gone');
        const figure = { value: planningStrength(report.score), basis: 'own' };
        expect(strengthFigure(model, 'planning')).toMatchObject(figure);
        const asked = { can: ['planning'], strengths: ['planning'] } as const;
        const { candidates } = polyphony.gateway.explain({
          operation: 'chat',
          messages: [{ role: 'user', content: 'x' }],
          model: asked,
        });
        expect(candidates[0]?.target.model).toBe('shortened');
      } finally {
        await polyphony.close();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('not from a few requests', async () => {
    expect(tooLittle(await withFlaw('none', TASKS.slice(0, 5)))).toContain('5 requests were measured');
    expect(tooLittle(await withFlaw('none'))).toBeUndefined();
  });
});

describe('the command', () => {
  const command = (
    ...given: readonly string[]
  ): Promise<{ readonly code: number; readonly out: string; readonly errors: string }> =>
    new Promise((settle) => {
      execFile(process.execPath, [compiled('test/eval/run.ts'), ...given], { cwd: root }, (error, out, errors) =>
        settle({ code: error === null ? 0 : Number(error.code), out, errors }),
      );
    });

  test('prints a table, and writes JSON and a file of models', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'polyphony-eval-'));
    try {
      const [json, overlay] = [join(folder, 'report.json'), join(folder, 'models.json')];
      writeFileSync(overlay, JSON.stringify({ models: { 'x/y': { tier: 'fast' } } }));
      const { code, out } = await command('--model', 'scripted/renamed', '--json', json, '--overlay', overlay);
      expect(out).toMatch(/\nscore {19}1\.00\n$/);
      expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({ model: 'scripted/renamed', score: 1 });
      expect(JSON.parse(readFileSync(overlay, 'utf8')).models).toEqual({
        'x/y': { tier: 'fast' },
        'scripted/renamed': { strengths: { planning: 0.99 } },
      });
      expect(code).toBe(0);
      const few = await command('--model', 'scripted/none', '--only', 'haiku', '--overlay', overlay, '--quiet');
      expect(few.code).toBe(1);
      expect(few.errors).toContain('stays as it is');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('knows no other requests', async () => {
    expect((await command('--only', 'no-such-request')).code).toBe(2);
  });
});
