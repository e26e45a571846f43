/** What `polyphony route` shows of tasks, routes and intents. */
import { describe, expect, it } from 'vitest';
import { call, folderWith } from './call.ts';

const config = {
  routes: {
    quick: { tier: 'fast', usd: 0.01, p95Ms: 2000 },
    careful: { chain: ['embedded/thorough'] },
    watched: { chain: ['embedded/thorough'], p95Ms: 2000 },
  },
  tasks: {
    translation: { route: 'quick', when: [{ words: ['translate'] }] },
    law: { route: 'careful', examples: ['Is this clause of the contract valid?'] },
  },
  detectLanguage: true,
  candidates: { test: { of: 'embedded/thorough', model: 'embedded/fast' } },
};
const route = (...given: readonly string[]) => {
  process.chdir(folderWith({ 'polyphony.json': config }));
  return call('route', ...given);
};

describe('route', () => {
  it('shows the task, how it was found, the language, the limits and what was observed', async () => {
    const { out, code } = await route('Please translate this into the language of my neighbour.');
    expect(code).toBe(0);
    expect(out).toContain('route quick, task translation: by a rule\nlanguage en, by the text\n');
    expect(out).toContain('embedded/fast: no answer in the window');
    expect(out).toContain('limits  {"usd":0.01}');
    const { out: law } = await route('Is the contract valid?');
    expect(law).toContain('route careful, task law: by its examples, 100 % of the votes of the nearest ones');
    expect((await route('Pancakes')).out).toContain('route none, task none: neither rule nor example told it');
  });

  it('shows also what was observed of a model that may be asked in the place of another', async () => {
    const { out } = await route('hi', '--route', 'watched');
    expect(out).toContain(
      'embedded/thorough: no answer in the window\nembedded/fast, in the place of embedded/thorough: no',
    );
  });

  it('takes a route, a task or an intent', async () => {
    expect((await route('hi', '--task', 'law')).out).toContain('1. embedded/thorough');
    expect((await route('hi', '--route', 'quick')).out).toContain('1. embedded/fast');
    const { routed, limits } = JSON.parse((await route('hi', '--intent', 'under 2 cents', '--json')).out);
    expect([routed, limits]).toEqual([{ route: null, task: null, by: 'nothing' }, { usd: 0.02 }]);
  });

  it('says what it does not know', async () => {
    const task = await route('hi', '--task', 'lw');
    expect([task.code, task.err]).toEqual([1, expect.stringContaining('no task called "lw". Did you mean "law"?')]);
    const model = await route('hi', '--model', 'embedded/fst');
    expect(model.err).toContain('the model embedded/fst is not available: did you mean embedded/fast?');
    expect(model.out).toContain('task none: not looked for, as the request names its model or tier');
    expect((await route('hi', '--model', 'embedded/planner')).err).toContain(
      'embedded/planner cannot serve this prompt',
    );
    expect((await route('hi', '--intent', 'cheap')).err).toContain('"cheap", which is not understood');
    expect((await route('hi', '--route', 'quick', '--task', 'law')).code).toBe(2);
  });
});
