/** What plugins throw is known by what it is, also where they import another copy of the package than the program. */
import { describe, expect, it, vi } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import { SuspendRun } from '../../src/core/run/engine.ts';
import { fakeCard, fakeProvider } from '../../src/testing/index.ts';
import { harness, user } from '../gateway/harness.ts';

vi.resetModules();
const copy = await import('../../src/kit/index.ts');

describe('errors of another copy', () => {
  it('are told from all else', () => {
    expect(copy.PolyphonyError).not.toBe(PolyphonyError);
    expect(new copy.PolyphonyError('timeout', 'late')).toBeInstanceOf(PolyphonyError);
    expect(new copy.SuspendRun({ question: 'Which?' })).toBeInstanceOf(SuspendRun);
    const others = [undefined, 'timeout', new Error('late'), Object.assign(new Error('late'), { code: 'timeout' })];
    for (const other of [...others, { [Symbol.for('polyphony.error')]: true, code: 'no such code' }]) {
      expect(other instanceof PolyphonyError).toBe(false);
      expect(other instanceof SuspendRun).toBe(false);
    }
    expect(new SuspendRun({ question: 'Which?' }) instanceof PolyphonyError).toBe(false);
  });

  it('are not those of a class that extends ours', () => {
    class OwnError extends PolyphonyError {}
    class OwnQuestion extends SuspendRun {}
    const own = new OwnError('timeout', 'late');
    expect([own instanceof OwnError, own instanceof PolyphonyError]).toEqual([true, true]);
    expect(new PolyphonyError('timeout', 'late') instanceof OwnError).toBe(false);
    expect(new SuspendRun({ question: 'Which?' }) instanceof OwnQuestion).toBe(false);
  });

  it('let a call be tried again, where their code says that it helps', async () => {
    let asked = 0;
    const provider = fakeProvider({
      models: [fakeCard({ id: 'one' })],
      script() {
        asked += 1;
        if (asked === 1) throw new copy.PolyphonyError('overloaded', 'Come again.');
        return 'Here.';
      },
    });
    const made = harness({ providers: [provider] });
    const { text, attempts } = await made.run(made.gateway.generate(user('Where?')));
    expect([text, attempts.length]).toEqual(['Here.', 2]);
  });
});
