/** Joins of branches that were skipped, answered by `onError`, or cut. */
import { describe, expect, it } from 'vitest';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import { VALUE_BOUNDS } from '../../src/core/run/value-bounds.ts';
import { sleep } from '../../src/system/clock.ts';
import { finished, harness, settled } from './harness.ts';
import { plan, scripted, states } from './scripted-steps.ts';

const branch = (id: string, taken: boolean, more: Partial<PlanNode> = {}): PlanNode => ({
  id,
  use: 'step',
  when: taken ? 'true' : 'false',
  in: { value: { from: id } },
  ...more,
});

const join = (wait: PlanNode['wait'], more: Partial<PlanNode> = {}): PlanNode => ({
  id: 'join',
  use: 'step',
  ...(wait === undefined ? {} : { wait }),
  in: { got: '{{a.from ?? b.from}}' },
  ...more,
});

describe('a quorum over branches', () => {
  it.each<[string, PlanNode['wait']]>([
    ['any', 'any'],
    ['one', { atLeast: 1 }],
    ['two', { atLeast: 2 }],
  ])('is skipped with them where none was taken, and the run goes on: %s', async (_, wait) => {
    const nodes = [branch('a', false), branch('b', false), join(wait), { id: 'end', use: 'step', needs: ['join'] }];
    const result = await finished(scripted(), plan(nodes, {}));
    expect(result.status).toBe('done');
    expect(states(result)).toEqual({ a: 'skipped', b: 'skipped', join: 'skipped', end: 'done' });
  });

  it('waits for a branch that may still succeed, and starts with it', async () => {
    const slow: PlanNode = { id: 'b', use: 'step', in: { ms: 50 } };
    const result = await finished(
      scripted(),
      plan([branch('a', false), slow, join('any', { in: { got: '{{a.from ?? b.ms}}' } })]),
    );
    expect(result.output).toMatchObject({ join: { got: 50 } });
  });

  it('still fails where a branch failed', async () => {
    const nodes = [branch('a', false), branch('b', true, { in: { fail: true } }), join('any')];
    const result = await finished(scripted(), plan(nodes, { join: '{{join}}' }));
    expect(result).toMatchObject({ status: 'failed', error: { code: 'tool-failed' } });
  });

  it('counts a stand-in as a success, and what onError skipped as skipped', async () => {
    const failing = (onError: PlanNode['onError']): PlanNode[] => [
      branch('a', true, { in: { fail: true }, onError: onError ?? 'fail' }),
      branch('b', false),
      join('any'),
    ];
    const answered = await finished(scripted(), plan(failing({ value: { from: 'stand-in' } })));
    expect(answered.output).toMatchObject({ join: { got: 'stand-in' } });
    expect(states(await finished(scripted(), plan(failing('skip'), {})))).toMatchObject({
      a: 'failed',
      join: 'skipped',
    });
  });
});

describe('an each that is cut', () => {
  const nodes = (onError: PlanNode['onError']): PlanNode[] => [
    { id: 'list', use: 'step', in: { value: [10, 9000, 30, 20] } },
    {
      id: 'work',
      use: 'step',
      each: '{{list}}',
      in: { ms: '{{item}}' },
      limits: { seconds: 1, concurrency: 2 },
      onError: onError ?? 'fail',
    },
    { id: 'after', use: 'step', in: { got: '{{work}}' } },
  ];

  it('keeps the items that it finished, and has the stand-in for the others, with a warning that counts them', async () => {
    const skipped = await finished(scripted(), plan(nodes('skip')));
    expect(skipped.output).toMatchObject({ after: { got: [{ ms: 10 }, null, { ms: 30 }, { ms: 20 }] } });
    const replaced = await finished(scripted(), plan(nodes({ value: { ms: -1 } })));
    expect(replaced.output).toMatchObject({ after: { got: [{ ms: 10 }, { ms: -1 }, { ms: 30 }, { ms: 20 }] } });
    const work = skipped.nodes.find(({ id }) => id === 'work');
    expect(work).toMatchObject({ state: 'failed', error: { code: 'timeout' } });
    expect(work?.meta?.warnings).toMatchObject([{ code: 'items-unfinished' }]);
    expect(work?.meta?.warnings[0]?.message).toMatch(/^1 of the 4 items .*limits\.seconds/);
    expect((await finished(scripted(), plan(nodes('fail')))).status).toBe('failed');
  });

  it('keeps them for whoever resumes the run', async () => {
    const h = scripted();
    const nodesAndStop: PlanNode[] = [
      ...nodes('skip'),
      { id: 'stop', use: 'step', needs: ['after'], in: { ms: 60_000 } },
    ];
    const handle = h.engine.start(plan(nodesAndStop));
    await h.runtime.clock.advance(10_000);
    handle.cancel();
    expect((await settled(h, handle)).status).toBe('cancelled');
    const resumed = await settled(h, await h.engine.resume(handle.runId));
    expect(resumed.output).toMatchObject({ stop: { ms: 60_000 } });
    expect(resumed.nodes.find(({ id }) => id === 'work')?.output).toEqual([{ ms: 10 }, null, { ms: 30 }, { ms: 20 }]);
    expect(h.calls.filter(({ node }) => node.id === 'work')).toHaveLength(4);
  });

  it('bounds what the stand-ins take: where they have no room, one stands for the whole list', async () => {
    const h = harness({
      valueBounds: () => ({ ...VALUE_BOUNDS, runBytes: 20_000, valueBytes: 4000 }),
      step: ({ inputs, signal }) =>
        inputs.ms === undefined ? (inputs.value ?? inputs) : sleep(h.runtime.clock, 9000, signal),
    });
    const value = 'x'.repeat(3000);
    const result = await finished(
      h,
      plan(
        [
          { id: 'list', use: 'step', in: { value: Array.from({ length: 100 }, (_, at) => at) } },
          {
            id: 'work',
            use: 'step',
            each: '{{list}}',
            in: { ms: '{{item}}' },
            limits: { seconds: 1 },
            onError: { value },
          },
        ],
        { work: '{{work}}' },
      ),
    );
    expect(result.output).toEqual({ work: value });
  });
});

describe('the session of a node', () => {
  it.each<[string, unknown, string | undefined]>([
    ['{{input.user}}', 'ada', 'ada'],
    ['{{input.user}}', 42, '42'],
    ['{{input.user}}', null, 'of the run'],
    ['{{input.user}}', undefined, 'of the run'],
    ['{{input.user}}', '', 'of the run'],
    ['chat-{{input.user}}', undefined, 'of the run'],
    ['chat-{{input.user ?? "guest"}}', undefined, 'chat-guest'],
    ['{{input.user}}', { id: 7 }, '{"id":7}'],
    ['{{input.user}}', ['a', 1], '["a",1]'],
  ])('of %s where the value is %j is %s', async (session, user, expected) => {
    const h = harness();
    const input = user === undefined ? {} : { user };
    await finished(h, plan([{ id: 'a', use: 'step', session }]), { input, session: 'of the run' });
    expect(h.calls[0]?.session).toBe(expected);
  });

  it('is refused where it is too long for a key', async () => {
    const h = harness();
    const result = await finished(h, plan([{ id: 'a', use: 'step', session: '{{input.user}}' }]), {
      input: { user: Array.from({ length: 400 }, (_, at) => at) },
    });
    expect(result).toMatchObject({ status: 'failed', error: { code: 'invalid-request' } });
    expect(h.calls).toHaveLength(0);
  });
});
