/** What a planner reads of a run when it plans again: enough to go on, and never more than a bound. */
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { PlanFailure } from '../../src/core/plan/planner.ts';
import { dearerMessages, revisionMessages } from '../../src/planner/revision-messages.ts';

const textOf = (messages: ReturnType<typeof revisionMessages>): string =>
  messages.map(({ content }) => content).join('\n');

const failure = (more: Partial<PlanFailure> = {}): PlanFailure => ({
  plan: { version: 1, nodes: [{ id: 'a', use: 'llm', in: { prompt: 'Hello.' } }] },
  failed: { nodeId: 'a', error: { code: 'timeout', message: 'it took too long', retryable: true } },
  finished: {},
  ...more,
});

describe('the summary of a run for its planner', () => {
  it('says what failed, what was asked for, and what stalls', () => {
    expect(textOf(revisionMessages(failure()))).toContain('failed for good (timeout): it took too long');
    expect(textOf(revisionMessages(failure({ cause: 'asked' })))).toContain('asks for another plan: it took too long');
    expect(textOf(revisionMessages(failure({ cause: 'stalled' })))).toContain('makes no progress: it took too long');
  });

  it('shows a short output whole and a long one in part', () => {
    const text = textOf(
      revisionMessages(failure({ finished: { short: { text: 'x'.repeat(300) }, long: 'y'.repeat(9000) } })),
    );
    expect(text).toContain('x'.repeat(300));
    expect(text).not.toContain('y'.repeat(500));
  });

  it('stays bounded, whatever the plan and its outputs hold, and names what it leaves out', () => {
    const nodes = Array.from({ length: 256 }, (_, at) => ({
      id: `n${at}`,
      use: 'llm',
      in: { prompt: 'p'.repeat(4000) },
    }));
    const plan: Plan = { version: 1, nodes };
    const finished = Object.fromEntries(nodes.map(({ id }) => [id, { rows: new Array(10_000).fill('z'.repeat(50)) }]));
    const error = { code: 'timeout', message: 'm'.repeat(16_000), retryable: true } as const;
    const text = textOf(revisionMessages(failure({ plan, finished, failed: { nodeId: 'n1', error } })));
    expect(text.length).toBeLessThan(100_000);
    expect(text).toContain('n255');
    expect(text).toContain('finished too, not shown');
  });

  it('gives the figures of a plan that is too dear', () => {
    const text = textOf(dearerMessages({ plan: failure().plan, expectedUsd: 0.42, capUsd: 0.1 }));
    expect(text).toContain('$0.42');
    expect(text).toContain('$0.10');
  });
});
