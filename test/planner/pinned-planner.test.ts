import { createPolyphony } from 'polyphony';
import { embedded } from 'polyphony/plugins/providers/embedded';
import { fakeCard, fakeProvider } from 'polyphony/testing';
import { expect, test } from 'vitest';

const REQUEST = 'Summarise in one sentence: The harbour was built in 1887. It has two quays.';
const PLAN = { version: 1, nodes: [{ id: 'a', use: 'value', in: { x: 1 } }], output: '{{a.x}}' };

test.each([
  ['its full name', 'embedded/planner'],
  ['an alias', 'writer'],
  ['an alias of an alias', 'author'],
])('a model that is made for planning can be named as the planner by %s', async (_, model) => {
  const config = { planner: { model }, aliases: { author: 'writer', writer: 'embedded/planner' } };
  const polyphony = await createPolyphony({ providers: [embedded()], config });
  try {
    expect((await polyphony.plan(REQUEST)).rounds).toBe(1);
  } finally {
    await polyphony.close();
  }
});

test('it still answers nothing else, and a model that says nothing of planning can be named', async () => {
  const other = fakeProvider({ models: [fakeCard({ id: 'one' })], script: () => JSON.stringify(PLAN) });
  const config = { planner: { model: 'fake/one' } };
  const polyphony = await createPolyphony({ providers: [embedded(), other], config });
  try {
    expect((await polyphony.plan(REQUEST)).plan.plan.nodes).toHaveLength(1);
    const answer = polyphony.gateway.generate({ model: 'embedded/planner', prompt: REQUEST });
    await expect(answer).rejects.toMatchObject({ code: 'no-route' });
  } finally {
    await polyphony.close();
  }
});

test('one that nobody offers is named as the planner, with the field of the config', async () => {
  const polyphony = await createPolyphony({ providers: [embedded()], config: { planner: { model: 'openai/none' } } });
  try {
    await expect(polyphony.plan(REQUEST)).rejects.toMatchObject({
      code: 'no-route',
      message: expect.stringMatching(
        /the planner "openai\/none", which the config sets \(planner\.model\): No provider/,
      ),
    });
  } finally {
    await polyphony.close();
  }
});
