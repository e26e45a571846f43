/** What several requests need of a model at the same time is asked once, and each of them keeps its own cancel. */
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import type { CallOptions } from '../../src/core/gateway.ts';
import type { ChatRequest } from '../../src/core/model/model.ts';
import { fakeCard, fakeProvider, finish, type ScriptStep } from '../../src/testing/fakes.ts';
import { errorOf, fault, type Harness, harness, text, user } from '../gateway/harness.ts';

const unclear = 'something nobody has an example of';
const models = ['plain', 'coder', 'sorter'].map((id) =>
  fakeCard({ id, strengths: { general: id === 'plain' ? 0.9 : 0.5 } }),
);

function world(sorts: () => string | readonly ScriptStep[], classify: Config['classify'] = { model: 'sorter' }) {
  const sorted: ChatRequest[] = [];
  const provider = fakeProvider({
    models,
    script({ target, request }) {
      if (target.model !== 'sorter') return 'ok';
      sorted.push(request as ChatRequest);
      return sorts();
    },
  });
  const config: Config = {
    optimise: 'quality',
    retry: { retries: 0 },
    classify,
    routes: { code: { chain: ['coder'] } },
    tasks: { code: { description: 'programs' } },
  };
  return { ...harness({ providers: [provider], config }), sorted };
}

const ask = (made: Harness, options: CallOptions = {}, request: object = {}) =>
  made.run(made.gateway.generate({ ...user(unclear), ...request }, options));

describe('law: a class that several requests ask a model for at the same time', () => {
  const slowly = (answer: string): readonly ScriptStep[] => [{ waitMs: 100 }, text(answer), finish()];

  it('is asked once, and charged to the first', async () => {
    const made = world(() => slowly('{"class":"code"}'));
    const answers = await Promise.all(['a', 'b', 'c'].map((id) => ask(made, { id })));
    expect(answers.map(({ target }) => target.model)).toEqual(['coder', 'coder', 'coder']);
    expect(answers.map(({ attempts }) => attempts.map(({ purpose }) => purpose))).toEqual([
      ['judge', 'answer'],
      ['answer'],
      ['answer'],
    ]);
    expect(made.sorted).toHaveLength(1);
  });

  it('is asked again where the first is cancelled, and by one of the others only', async () => {
    let asked = 0;
    const made = world(() => {
      asked += 1;
      return asked === 1 ? [{ hang: true }] : slowly('{"class":"code"}');
    });
    const first = new AbortController();
    const cancelled = errorOf(made.gateway.generate(user(unclear), { signal: first.signal }));
    const others = Promise.all([made.gateway.generate(user(unclear)), made.gateway.generate(user(unclear))]);
    await made.runtime.clock.advance(10);
    first.abort();
    expect((await cancelled).code).toBe('cancelled');
    expect((await made.run(others)).map(({ target }) => target.model)).toEqual(['coder', 'coder']);
    expect(made.sorted).toHaveLength(2);
  });

  it.each([
    ['its own', 0],
    ["another's, then its own", 900],
    ["another's to the end of its time", 1000],
  ])('is waited for no longer than `ms` in total: %s', async (_, endsMs) => {
    const made = world(() => [{ hang: true }], { model: 'sorter', ms: 1000 });
    const first = new AbortController();
    if (endsMs > 0) void made.gateway.generate(user(unclear), { signal: first.signal }).catch(() => undefined);
    let answered: string | undefined;
    void made.gateway.generate(user(unclear)).then(({ target }) => {
      answered = target.model;
    });
    await made.runtime.clock.advance(endsMs);
    first.abort();
    await made.runtime.clock.advance(Math.max(0, 999 - endsMs));
    if (endsMs < 1000) expect(answered).toBeUndefined();
    await made.runtime.clock.advance(1);
    expect(answered).toBe('plain');
  });

  it('is not ended by the cancel of one that waits for it', async () => {
    const made = world(() => slowly('{"class":"code"}'));
    const first = made.gateway.generate(user(unclear));
    const second = new AbortController();
    const cancelled = errorOf(made.gateway.generate(user(unclear), { signal: second.signal }));
    second.abort();
    expect((await cancelled).code).toBe('cancelled');
    expect((await made.run(first)).target.model).toBe('coder');
    expect(made.sorted).toHaveLength(1);
  });

  it('fails for all of them at once, and is asked anew by the next', async () => {
    let works = false;
    const made = world(() => (works ? '{"class":"code"}' : [{ waitMs: 100 }, fault('overloaded')]));
    const answers = await Promise.all([ask(made), ask(made)]);
    expect(answers.map(({ target }) => target.model)).toEqual(['plain', 'plain']);
    expect(made.sorted).toHaveLength(1);
    works = true;
    expect((await ask(made)).target.model).toBe('coder');
  });

  it.each(['content-policy', 'context-window', 'output-cut'] as const)(
    'is not asked by one after the other where the text itself provokes that it fails: %s',
    async (code) => {
      const made = world(() => [{ waitMs: 100 }, fault(code)]);
      const answers = await Promise.all([ask(made), ask(made), ask(made)]);
      expect(answers.map(({ target }) => target.model)).toEqual(['plain', 'plain', 'plain']);
      expect(made.sorted).toHaveLength(1);
    },
  );

  it('is asked by each where the money of the first one does not suffice for it', async () => {
    const made = world(() => slowly('{"class":"code"}'));
    const answers = await Promise.all([ask(made, {}, { limits: { usd: 0 } }).catch(() => undefined), ask(made)]);
    expect(answers[1]?.target.model).toBe('coder');
  });

  it('is asked by each whose data may go to other models', async () => {
    const made = world(() => slowly('{"class":"code"}'));
    await Promise.all([ask(made), ask(made, {}, { sensitivity: 'personal' })]);
    expect(made.sorted).toHaveLength(2);
  });
});
