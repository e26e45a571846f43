/** Models that are tried in the place of another: their share, what is concluded, and that callers do not notice repeated requests. */
import { describe, expect, it } from 'vitest';
import type { CandidateConfig } from '../../src/core/config.ts';
import type { CandidateReport, GatewayEvent } from '../../src/core/gateway.ts';
import { type Arm, lookAt, normalDistribution, verdictOf } from '../../src/gateway/candidates/comparison.ts';
import { added, armOf, type Counted, countedCall, countedScore } from '../../src/gateway/candidates/figures.ts';
import { fakeCard, fakeProvider, finish, type ScriptStep, seededRandom } from '../../src/testing/fakes.ts';
import { errorOf, fault, harness, text, user } from '../gateway/harness.ts';

const models = [
  fakeCard({ id: 'old', strengths: { general: 0.9 } }),
  fakeCard({ id: 'new', strengths: { general: 0.5 } }),
];
const RULE = { samples: 50, confidence: 0.95, margin: 0.05 };

function trying(given: Partial<CandidateConfig>, script?: (model: string) => readonly ScriptStep[] | string, seed = 1) {
  const provider = fakeProvider({ models, script: ({ target }) => script?.(target.model) ?? 'ok' });
  const candidates = { v2: { of: 'fake/old', model: 'fake/new', ...given } };
  const world = harness({ providers: [provider], config: { candidates, retry: { retries: 0 } }, seed });
  const events: GatewayEvent[] = [];
  world.gateway.onEvent?.((event) => events.push(event));
  const ask = (request: object = {}, options: object = {}) =>
    world.gateway.generate({ ...user(), optimise: 'quality', ...request }, options);
  const report = (): CandidateReport => {
    const [found] = world.gateway.candidates?.() ?? [];
    if (found === undefined) throw new Error('no report');
    return found;
  };
  const seen = (model: string): number => provider.seen.filter(({ target }) => target.model === model).length;
  return { ...world, provider, events, ask, report, seen };
}

describe('law: candidates', () => {
  it('get their share of the calls of the model, by session, and none that pins it', async () => {
    const world = trying({ share: 0.3 });
    const served = new Map<string, string>();
    for (let call = 0; call < 500; call += 1) {
      const session = `session-${call}`;
      served.set(session, (await world.ask({}, { session, id: `call-${call}` })).target.model);
    }
    const share = [...served.values()].filter((model) => model === 'new').length / 500;
    expect(Math.abs(share - 0.3)).toBeLessThan(0.06);
    const { arms } = world.report();
    expect(arms.candidate.calls).toBe(share * 500);
    expect(arms.current.calls + arms.candidate.calls).toBe(500);
    for (let call = 0; call < 20; call += 1) {
      const again = await world.ask({}, { session: `session-${call}` });
      expect(again.target.model).toBe(served.get(`session-${call}`));
      expect((await world.ask({ model: 'old' })).target.model).toBe('old');
    }
    expect(world.gateway.explain({ operation: 'chat', ...user(), optimise: 'quality' }).candidates[0]?.notes).toEqual([
      'gives 30 % of its calls to the candidate "v2", fake/new',
    ]);
  });

  it('count every call of a session, on the side of its target', async () => {
    const world = trying({ share: 0.5 });
    const served = { old: 0, new: 0 };
    for (let call = 0; call < 60; call += 1) {
      const { target } = await world.ask({}, { session: `session-${call % 6}` });
      served[target.model as 'old' | 'new'] += 1;
    }
    expect(Math.min(served.old, served.new)).toBeGreaterThan(5);
    const { current, candidate } = world.report().arms;
    expect([current.calls, candidate.calls]).toEqual([served.old, served.new]);
  });

  it('lose their sessions when they are dismissed, and no session moves to one that is promoted', async () => {
    const world = trying({ share: 0.5 });
    const ask = async (session: number) => (await world.ask({}, { session: `session-${session}` })).target.model;
    const all = Array.from({ length: 20 }, (_, session) => session);
    const before = await Promise.all(all.map(ask));
    world.gateway.decideCandidate?.('v2', 'promoted');
    expect(await Promise.all(all.map(ask))).toEqual(before);
    world.gateway.decideCandidate?.('v2', 'dismissed');
    expect(new Set(await Promise.all(all.map(ask)))).toEqual(new Set(['old']));
  });

  it('are explained as they are asked, once they are decided', async () => {
    const world = trying({ share: 0.1 });
    const first = (request: object) =>
      world.gateway.explain({ operation: 'chat', ...user(), ...request }).candidates[0]?.target.model;
    world.gateway.decideCandidate?.('v2', 'promoted');
    for (const request of [{}, { model: 'old' }, { model: 'fake/old' }])
      expect(first({ optimise: 'quality', ...request })).toBe((await world.ask(request)).target.model);
    world.gateway.decideCandidate?.('v2', 'dismissed');
    for (let score = 0; score < 200; score += 1) {
      world.gateway.rate?.({ provider: 'fake', model: 'old' }, 'general', 0);
      world.gateway.rate?.({ provider: 'fake', model: 'new' }, 'general', 1);
    }
    expect(first({ optimise: 'quality' })).toBe((await world.ask()).target.model);
  });

  it('fall back to the model, which counts as their failure, and to nothing where they cannot serve', async () => {
    const world = trying({ share: 1 }, (model) => (model === 'new' ? [fault('overloaded')] : 'ok'));
    expect((await world.ask()).target.model).toBe('old');
    expect(world.report().arms.candidate).toMatchObject({ calls: 1, failureRate: 1 });
    const { target } = await world.ask({ limits: { quality: 0.8 } });
    expect(target.model).toBe('old');
    expect(world.report().arms).toMatchObject({ candidate: { calls: 1 }, current: { calls: 0 } });
  });

  it('are promoted or dismissed by the rule, once, and by hand, which another process takes over', async () => {
    const refuses = (model: string): readonly ScriptStep[] | string => [
      text('a'),
      finish(model === 'new' ? { refusal: 'no' } : {}),
    ];
    for (const [script, state] of [
      [refuses, 'dismissed'],
      [undefined, 'promoted'],
    ] as const) {
      const world = trying({ share: 0.5, samples: 50, promote: 'not-worse', margin: 0.5 - 0.2 }, script);
      for (let call = 0; call < 400 && world.report().state === 'trying'; call += 1) await world.ask();
      expect(world.report().state).toBe(state);
      expect(world.events.map(({ type }) => type)).toEqual(['candidate-judged', `candidate-${state}`]);
      const before = world.seen('new');
      for (let call = 0; call < 20; call += 1) await world.ask();
      expect(world.seen('new') - before).toBe(state === 'promoted' ? 20 : 0);
    }
    const world = trying({ share: 0.1 });
    world.gateway.decideCandidate?.('v2', 'promoted');
    expect((await world.ask()).target.model).toBe('new');
    expect(() => world.gateway.decideCandidate?.('v3', 'promoted')).toThrow(/Did you mean "v2"/);
    expect(() => world.gateway.decideCandidate?.('v2', 'promote' as never)).toThrow(
      /one of trying, promoted, dismissed/,
    );
    const other = harness({
      providers: [fakeProvider({ models })],
      config: { candidates: { v2: { of: 'fake/old', model: 'fake/new', share: 0.1 } } },
      stores: () => world.stores,
    });
    await other.run(other.gateway.generate(user()));
    expect(other.gateway.candidates?.()[0]?.state).toBe('promoted');
  });

  it('keep what was observed when the config is read again, and begin anew when their own rule changes', async () => {
    const world = trying({ share: 0.5 });
    for (let call = 0; call < 40; call += 1) await world.ask();
    world.gateway.decideCandidate?.('v2', 'promoted');
    const before = world.report();
    expect(before.arms.candidate.calls).toBeGreaterThan(10);
    const v2 = { share: 0.5, model: 'fake/new', of: 'fake/old' };
    world.gateway.reconfigure({ candidates: { v2 }, aliases: { cheap: 'new' } });
    expect(world.report()).toEqual(before);
    world.gateway.reconfigure({ candidates: { v2: { ...v2, share: 0.6 } } });
    expect(world.report().arms).toMatchObject({ candidate: { calls: 0 }, current: { calls: 0 } });
  });

  it('are compared by scores, which also correct what is known of the models', async () => {
    const world = trying({ share: 0.5, samples: 50, promote: 'better' });
    const random = seededRandom(7);
    for (let call = 0; call < 1500 && world.report().state === 'trying'; call += 1) {
      const answer = await world.ask({}, { id: `call-${call}` });
      const score = Math.min(1, (answer.target.model === 'new' ? 0.7 : 0.4) + 0.2 * random());
      expect(world.gateway.report?.(`call-${call}`, { score })).toBe(true);
    }
    expect(world.report()).toMatchObject({ state: 'promoted', verdict: { result: 'better' } });
    expect(world.report().verdict.confidence).toBeGreaterThan(0.95);
    expect(world.gateway.report?.('call-of-nobody', { score: 1 })).toBe(false);
    for (const score of [-1, 1.1, Number.NaN])
      expect(() => world.gateway.report?.('call-1', { score })).toThrow(/0 to 1/);
  });
});

describe('law: mirroring', () => {
  it('repeats calls of sessions as any other', async () => {
    const world = trying({ mirror: 1 });
    for (let call = 0; call < 8; call += 1) {
      await world.ask({}, { session: 'one' });
      await world.runtime.clock.advance(10);
    }
    expect([world.seen('new'), world.report().mirrored]).toEqual([8, 8]);
  });

  it('neither delays nor charges the caller, nor changes its answer, and pays from its own cap', async () => {
    const script = (model: string): readonly ScriptStep[] | string => (model === 'new' ? [{ hang: true }] : 'ok');
    const world = trying({ mirror: 1 }, script);
    const scopes = [{ kind: 'user', id: 'u', capNanoUsd: 1_000_000 }] as const;
    const answer = await world.ask({}, { scopes, id: 'call' });
    expect(answer.attempts).toHaveLength(1);
    expect(world.seen('new')).toBe(0);
    await world.runtime.clock.advance(0);
    expect(world.seen('new')).toBe(1);
    await world.gateway.close();
    expect([world.provider.open(), world.runtime.clock.pending()]).toEqual([0, 0]);
    const rows = await world.rows();
    const mirrored = rows.find(({ target }) => target.model === 'new');
    expect(mirrored).toMatchObject({ purpose: 'probe', scopes: [{ kind: 'tag', id: 'mirror:v2:2023-11-14' }] });
    expect(rows.filter(({ scopes: own }) => own.some(({ id }) => id === 'u'))).toHaveLength(1);
  });

  it('counts for the candidate, stops at its cap, and leaves out what is personal and what is too much at once', async () => {
    const usage = { input: 10, output: 5 };
    const world = trying({ mirror: 1, mirrorUsd: 0.02 }, () => [text('a'), finish({ usage })]);
    for (let call = 0; call < 3; call += 1) {
      await world.ask();
      await world.runtime.clock.advance(0);
    }
    expect(world.report()).toMatchObject({ mirrored: 3, arms: { current: { calls: 3 }, candidate: { calls: 3 } } });
    await world.ask({ sensitivity: 'personal' });
    await world.runtime.clock.advance(0);
    expect(world.report()).toMatchObject({ mirrored: 3, notMirrored: 0 });
    const poor = trying({ mirror: 1, mirrorUsd: 0 });
    await poor.ask();
    await poor.runtime.clock.advance(0);
    expect([poor.seen('new'), poor.report().notMirrored]).toEqual([0, 1]);
    const busy = trying({ mirror: 1 }, (model) => (model === 'new' ? [{ hang: true }] : 'ok'));
    for (let call = 0; call < 6; call += 1) await busy.ask();
    await busy.runtime.clock.advance(0);
    expect([busy.seen('new'), busy.report().notMirrored]).toEqual([4, 2]);
    await busy.gateway.close();
  });

  it('repeats nothing of a call that failed', async () => {
    const world = trying({ mirror: 1 }, () => [fault('overloaded')]);
    await errorOf(world.ask());
    await world.runtime.clock.advance(0);
    expect(world.report().mirrored).toBe(0);
  });
});

describe('law: a verdict', () => {
  const drawn = (calls: number, refusal: number, score: number, random: () => number): Arm => {
    let counted: Counted = {};
    for (let call = 0; call < calls; call += 1) {
      counted = added(counted, countedCall('current', 1, random() < refusal));
      counted = added(counted, countedScore('current', score + (random() - 0.5) * 0.4));
    }
    return armOf(counted, 'current');
  };
  /** The share of trials in which one of five looks finds what is asked for. */
  const share = (result: string, refusals: readonly [number, number], scores: readonly [number, number]): number => {
    const random = seededRandom(3);
    let found = 0;
    for (let trial = 0; trial < 300; trial += 1) {
      let first = 'undecided';
      for (let look = 1; look <= 5 && first === 'undecided'; look += 1) {
        const calls = lookAt(look, RULE);
        const [current, candidate] = [0, 1].map((side) =>
          drawn(calls, refusals[side] ?? 0, scores[side] ?? 0, random),
        ) as [Arm, Arm];
        first = verdictOf(current, candidate, look, RULE).result;
      }
      if (first === result) found += 1;
    }
    return found / 300;
  };

  it('errs no more often than its confidence says, at the edge of the margin, and finds what is there', () => {
    expect(share('better', [0.1, 0.1], [0.5, 0.5])).toBeLessThanOrEqual(0.05);
    expect(share('not-worse', [0.1, 0.15], [0.5, 0.5])).toBeLessThanOrEqual(0.05);
    expect(share('worse', [0.1, 0.1], [0.5, 0.45])).toBeLessThanOrEqual(0.05);
    expect(share('worse', [0.02, 0.3], [0.5, 0.5])).toBeGreaterThan(0.95);
    expect(share('better', [0.02, 0.02], [0.5, 0.6])).toBeGreaterThan(0.95);
  });

  it('takes the normal distribution from its table', () => {
    for (const [z, p] of [
      [0, 0.5],
      [1, 0.8413447],
      [-1.959964, 0.025],
      [3, 0.9986501],
    ] as const) {
      expect(normalDistribution(z)).toBeCloseTo(p, 6);
    }
  });
});
