/** polyphony simulate, in this process. */
import { describe, expect, it } from 'vitest';
import { call, folderWith } from './call.ts';

const PLAN = {
  version: 1,
  budget: { usd: 0.01, seconds: 0.000_001 },
  nodes: [
    { id: 'first', use: 'llm', in: { prompt: 'Say something.' } },
    { id: 'second', use: 'llm', in: { prompt: 'Shorten: {{first.text}}' } },
  ],
};

describe('polyphony simulate', () => {
  it('prints percentiles, chances, the critical path and what it assumes, the same for the same seed', async () => {
    process.chdir(folderWith({ 'my.plan.json': PLAN }));
    const options = ['simulate', 'my.plan.json', '--runs', '50', '--seed', '3'];
    const { code, out } = await call(...options);
    expect(code).toBe(0);
    expect(out).toContain('50 runs, 64 steps at the same time, seed 3; nothing was called');
    expect(out).toContain('first → second');
    expect(out).toMatch(/over the deadline of 0 ms: 100 % of the runs/);
    expect(out).toContain('log-normal');
    expect((await call(...options)).out).toBe(out);
  });

  it('prints one JSON document, and refuses what is no number of runs and what is no plan', async () => {
    process.chdir(folderWith({ 'my.plan.json': PLAN, 'bad.plan.json': { version: 1, nodes: [] } }));
    const { out } = await call('simulate', 'my.plan.json', '--runs', '20', '--json');
    expect(JSON.parse(out)).toMatchObject({
      runs: 20,
      seed: 1,
      criticalPath: { nodes: ['first', 'second'], share: 1 },
    });
    expect((await call('simulate', 'my.plan.json', '--runs', '0')).code).toBe(2);
    expect((await call('simulate', 'bad.plan.json')).code).toBe(3);
  });
});
