/** Errors as data of the plan: `onError: { keep: true }`, and what skip and a value say of the failure. */
import { describe, expect, it } from 'vitest';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { collected, finished, settled } from './harness.ts';
import { plan, scripted, started, states } from './scripted-steps.ts';

const keep = { keep: true } as const;
const page: PlanNode = { id: 'page', use: 'step', in: { fail: true }, onError: keep };
const pages: PlanNode = {
  id: 'pages',
  use: 'step',
  each: '{{list.of}}',
  in: { fail: '{{item.fails}}', n: '{{index}}' },
  onError: keep,
};
const list = (...fails: boolean[]): PlanNode => ({
  id: 'list',
  use: 'step',
  in: { value: { of: fails.map((fails) => ({ fails })) } },
});

describe('a kept error', () => {
  it('is data of references and conditions, and the output is null', async () => {
    const h = scripted();
    const result = await finished(
      h,
      plan(
        [
          page,
          { id: 'why', use: 'step', in: { code: '{{page.meta.error.code}}', text: 'So: {{page.meta.error.message}}' } },
          { id: 'broke', use: 'step', when: "page.meta.error.code == 'tool-failed'", in: { ran: true } },
          { id: 'other', use: 'step', when: "page.meta.error.code == 'timeout'", in: { ran: true } },
          { id: 'fine', use: 'step', when: 'page.meta.error == null', in: { ran: true } },
        ],
        { page: '{{page}}', why: '{{why}}' },
      ),
    );
    expect(result).toMatchObject({
      status: 'done',
      output: { page: null, why: { code: 'tool-failed', text: 'So: it broke' } },
    });
    expect(states(result)).toEqual({ page: 'failed', why: 'done', broke: 'done', other: 'skipped', fine: 'skipped' });
  });

  it('is null where the node did not fail', async () => {
    const h = scripted();
    const { output } = await finished(
      h,
      plan(
        [
          { ...page, in: { value: 1 } },
          {
            id: 'fine',
            use: 'step',
            when: 'page.meta.error == null',
            in: { code: '{{page.meta.error.code ?? "none"}}' },
          },
        ],
        { code: '{{fine.code}}' },
      ),
    );
    expect(output).toEqual({ code: 'none' });
  });

  it.each(['skip', { value: 3 }, keep] as const)('is told with onError %j alike', async (onError) => {
    const nodes: PlanNode[] = [{ ...page, onError }];
    const { output } = await finished(scripted(), plan(nodes, '{{page.meta.error}}'));
    expect(output).toEqual({ code: 'tool-failed', message: 'it broke' });
  });

  it('counts as no success of a quorum', async () => {
    const result = await finished(scripted(), plan([page, { id: 'any', use: 'step', wait: 'any', needs: ['page'] }]));
    expect(states(result)).toEqual({ page: 'failed', any: 'skipped' });
  });
});

describe('the items of an each that keeps errors', () => {
  it('are null where they failed, and listed with their place', async () => {
    const h = scripted();
    const result = await finished(
      h,
      plan(
        [
          list(false, true, false, true),
          pages,
          {
            id: 'again',
            use: 'step',
            each: '{{pages.meta.errors ?? []}}',
            in: { item: '{{item.item}}', was: '{{item.code}}' },
          },
        ],
        { pages: '{{pages}}', again: '{{again}}' },
      ),
    );
    expect(result.output).toEqual({
      pages: [{ fail: false, n: 0 }, null, { fail: false, n: 2 }, null],
      again: [
        { item: 1, was: 'tool-failed' },
        { item: 3, was: 'tool-failed' },
      ],
    });
  });

  it('have no list of errors where none failed', async () => {
    const { output } = await finished(
      scripted(),
      plan([list(false), pages], { errors: '{{pages.meta.errors}}', error: '{{pages.meta.error}}' }),
    );
    expect(output).toEqual({ errors: null, error: null });
  });

  it('are at most 1000 in the list', async () => {
    const many = Array.from({ length: 1200 }, () => true);
    const { output } = await finished(scripted(), plan([list(...many), pages], '{{pages.meta.errors}}'));
    expect(output).toHaveLength(1000);
  });

  it('fail the node where its errors have no room in the run', async () => {
    const h = scripted({
      valueBounds: () => ({ valueBytes: 1000, runBytes: 100_000, renderedBytes: 1_000_000, writtenBytes: 1_000_000 }),
    });
    const result = await finished(h, plan([list(...Array.from({ length: 40 }, () => true)), pages]));
    expect(result.nodes[1]?.error?.code).toBe('limit-exceeded');
  });
});

describe('a run that keeps errors', () => {
  const nodes = [
    list(false, true, true),
    page,
    pages,
    { id: 'last', use: 'step', in: { one: '{{page.meta.error.code}}', all: '{{pages.meta.errors}}', of: '{{pages}}' } },
  ] satisfies PlanNode[];

  it('goes on from every prefix of its journal with the same errors, and runs no item again', async () => {
    const h = scripted();
    const handle = h.engine.start(plan(nodes, '{{last}}'));
    const original = await settled(h, handle);
    const events = await collected(h.journal.read(handle.runId));
    for (let length = 1; length <= events.length; length += 1) {
      const { journal } = memoryStores();
      await journal.append(handle.runId, events.slice(0, length));
      const again = scripted({ journal });
      const result = await settled(again, await again.engine.resume(handle.runId));
      expect(result.output).toEqual(original.output);
      const ended = events
        .slice(0, length)
        .flatMap((event) =>
          'nodeId' in event ? [`${event.type}/${event.nodeId}/${'item' in event ? event.item : ''}`] : [],
        );
      for (const { node, item } of again.calls) {
        expect(ended).not.toContain(`item-finished/${node.id}/${item}`);
        expect(ended).not.toContain(`node-failed/${node.id}/`);
      }
    }
  });

  it('gives a fork the errors of what it does not run again', async () => {
    const h = scripted();
    const first = await finished(h, plan(nodes, '{{last}}'));
    h.calls.length = 0;
    const fork = await settled(h, await h.engine.fork(first.runId, { from: 'last' }));
    expect(fork.output).toEqual(first.output);
    expect(started(h)).toEqual(['last']);
  });
});
