import { describe, expect, it } from 'vitest';
import { planningProgress } from '../../src/cli/screen/planning-text.ts';
import { folderWith, start } from './call.ts';

describe('polyphony plan', () => {
  it('--show-prompt prints each part with its tokens, and plans nothing', async () => {
    const { code, out } = await start(['plan', 'summarise a.md', '--show-prompt'], { folder: folderWith() }).ended;
    expect(code).toBe(0);
    for (const part of ['rules', 'advice', 'steps', 'tools', 'models', 'run', 'examples'])
      expect(out).toMatch(new RegExp(`^--- ${part}: \\d+ tokens$`, 'm'));
    expect(out).toMatch(/^--- \d+ tokens with the request/m);
    expect(out).toContain('embedded/planner plans');
  });

  it('--explain says why this model plans, and --json has it as data', async () => {
    const folder = folderWith({ 'a.md': 'A text.' });
    const said = await start(['plan', 'summarise a.md', '--explain'], { folder }).ended;
    expect(said.err).toMatch(/embedded\/planner plans: .*planning/s);
    const { out } = await start(['plan', 'summarise a.md', '--json'], { folder }).ended;
    expect(JSON.parse(out)).toMatchObject({ planner: 'embedded/planner', because: expect.any(Array) });
  });
});

describe('what is shown while it plans', () => {
  it('is what was written, and the rounds before with tokens and cost, unknown ones as unknown', () => {
    const progress = planningProgress();
    expect(progress.line()).toBe('planning …');
    progress.written('x'.repeat(350));
    expect(progress.line()).toBe('planning …, about 100 tokens written');
    progress.answered({ round: 1, costNanoUsd: 2_000_000, usage: { input: 2000, output: 100 } });
    expect(progress.line()).toBe('planning …; 1 round with 2100 tokens for $0.002 so far');
    progress.answered({ round: 2, costNanoUsd: null, usage: { input: 2500, output: 50 } });
    expect(progress.line()).toBe('planning …; 2 rounds with 4650 tokens at an unknown cost so far');
  });
});
