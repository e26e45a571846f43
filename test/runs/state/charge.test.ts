import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../../src/core/errors.ts';
import { type NodeCall, SuspendRun } from '../../../src/core/run/engine.ts';
import { chargeOf, withCharge } from '../../../src/runs/state/charge.ts';
import { collected, finished, harness } from '../../executor/harness.ts';
import { validPlan } from '../../executor/valid-plan.ts';

const PAID = { costNanoUsd: 70, usage: { input: 7, output: 0 } };

describe('the charge of a failure', () => {
  it('is that of one throw, not of the error, which others may throw too', () => {
    const error = new PolyphonyError('store-busy', 'The store is locked: wait.');
    const thrown = withCharge(error, PAID);
    expect(chargeOf(thrown)).toEqual(PAID);
    expect(chargeOf(error)).toEqual({ costNanoUsd: 0 });
    const other = withCharge(error, { costNanoUsd: 5 });
    expect([chargeOf(thrown), chargeOf(other)]).toEqual([PAID, { costNanoUsd: 5 }]);
    // Whoever adds to what was thrown changes only that.
    expect(chargeOf(withCharge(thrown, { costNanoUsd: 75 }))).toEqual({ costNanoUsd: 75 });
    expect(chargeOf(other)).toEqual({ costNanoUsd: 5 });
  });

  it('leaves the error as it is otherwise', () => {
    const cause = new TypeError('x is not a function');
    const details = { scope: 'run' };
    const options = { cause, details, retryable: true, retryAfterMs: 50, status: 503, unsent: true };
    const error = new PolyphonyError('timeout', 'It took too long.', options);
    const thrown = withCharge(error, PAID);
    expect(thrown).toBeInstanceOf(PolyphonyError);
    expect({ ...(thrown as PolyphonyError) }).toEqual({ ...error });
    expect(thrown).toMatchObject({ message: error.message, cause, stack: error.stack });
    const question = { question: 'Shall I go on?' };
    expect(withCharge(new SuspendRun(question), PAID)).toMatchObject({ question });
    expect(withCharge(new SuspendRun(question), PAID)).toBeInstanceOf(SuspendRun);
  });

  it.each(['a text', undefined, null, 7, new RangeError('foreign'), { code: 'mine' }, Object.freeze(new Error('x'))])(
    'is kept for anything that may be thrown: %s',
    (thrown) => {
      expect(chargeOf(withCharge(thrown, PAID))).toEqual(PAID);
      expect(chargeOf(thrown)).toEqual({ costNanoUsd: 0 });
    },
  );

  it('needs no other error where nothing was paid', () => {
    const error = new Error('refused');
    expect(withCharge(error, { costNanoUsd: 0 })).toBe(error);
  });
});

describe('a run whose nodes fail with one error object', () => {
  const shared = new PolyphonyError('store-busy', 'The store is locked: wait.');
  const nodes = [
    { id: 'paid', use: 'step', in: { costs: 70 }, onError: 'skip' as const },
    { id: 'more', use: 'step', in: { costs: 5 }, onError: 'skip' as const },
    { id: 'free', use: 'step', in: {}, onError: 'skip' as const, needs: ['end'] },
    { id: 'end', use: 'step', in: { ok: true } },
  ];
  const step = ({ inputs }: NodeCall): unknown => {
    if (inputs.ok === true) return inputs;
    throw inputs.costs === undefined ? shared : withCharge(shared, { costNanoUsd: Number(inputs.costs) });
  };

  it.each(['first', 'second'])('charges each what it cost: the %s run', async () => {
    expect(await finished(harness({ step }), validPlan({ nodes }))).toMatchObject({ costNanoUsd: 75 });
  });

  it('charges each what it cost where a stop is the reason of all', async () => {
    const h = harness({
      step: ({ signal, inputs }) =>
        new Promise((_, reject) => {
          const { costs } = inputs;
          // What cost something fails at once, the others a little later.
          signal.addEventListener('abort', () => {
            if (costs === undefined) setImmediate(() => reject(signal.reason));
            else reject(withCharge(signal.reason, { costNanoUsd: Number(costs) }));
          });
        }),
    });
    const together = nodes.map(({ needs: _needs, ...node }) => node).slice(0, 3);
    const handle = h.engine.start(validPlan({ nodes: together }));
    for await (const event of handle.events()) {
      if (event.type === 'node-started' && event.nodeId === 'free') break;
    }
    await h.engine.cancel(handle.runId, 'enough');
    expect(await handle.result()).toMatchObject({ status: 'cancelled', costNanoUsd: 75 });
    expect((await collected(h.engine.replay(handle.runId))).at(-1)).toMatchObject({ costNanoUsd: 75 });
  });
});
