/** R9 of routing: an order that a layer gives with the call is kept as it is. */
import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import { createPolyphony, definePlugin } from '../../src/index.ts';
import { fakeCard, fakeProvider, fakeRuntime } from '../../src/testing/index.ts';

const ASK = { operation: 'chat' as const, messages: [{ role: 'user' as const, content: 'x' }] };
const target = (model: string) => ({ provider: 'p', model });

async function withPool(down: readonly string[], plugins: Parameters<typeof definePlugin>[0][] = []) {
  const asked: string[] = [];
  const provider = fakeProvider({
    id: 'p',
    models: ['a', 'b', 'c'].map((id) => fakeCard({ id })),
    script: ({ target: { model } }) => {
      asked.push(model);
      return down.includes(model) ? [{ fail: new PolyphonyError('model-not-found', 'It is gone.') }] : model;
    },
  });
  const polyphony = await createPolyphony({
    environment: false,
    runtime: fakeRuntime(),
    providers: [provider],
    plugins: plugins.map((plugin) => definePlugin(plugin)),
  });
  return { polyphony, asked };
}

describe('an order of targets', () => {
  it('is the order in which they are tried, and no other answers', async () => {
    const { polyphony, asked } = await withPool(['c', 'b']);
    const call = polyphony.gateway.call(ASK, { order: [target('c'), target('b')] });
    await expect(call).rejects.toMatchObject({ code: 'model-not-found' });
    expect(asked).toEqual(['c', 'b']);
    await polyphony.close();
  });

  it('is not changed by a session, nor by a plugin, which may only drop one', async () => {
    const rank: NonNullable<Parameters<typeof definePlugin>[0]['rank']> = (candidates) =>
      [...candidates].reverse().filter(({ target: { model } }) => model !== 'b');
    const { polyphony, asked } = await withPool([], [{ name: 'ranker', rank }]);
    await polyphony.gateway.call({ ...ASK, model: 'a' }, { session: 's' });
    await polyphony.gateway.call(ASK, { session: 's', order: [target('b'), target('c'), target('a')] });
    expect(asked).toEqual(['a', 'c']);
    await polyphony.close();
  });

  it.each([[[]], [[target('nobody')]]])('of %j has nobody to ask, and the message says so', async (order) => {
    const { polyphony } = await withPool([]);
    await expect(polyphony.gateway.call(ASK, { order })).rejects.toMatchObject({
      code: 'no-route',
      message: expect.stringContaining('none that the call names (order) is registered'),
    });
    await polyphony.close();
  });

  it('is refused where it names no targets', async () => {
    const { polyphony } = await withPool([]);
    const order = ['p/a'] as never;
    await expect(polyphony.gateway.call(ASK, { order })).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining('"order"'),
    });
    await polyphony.close();
  });
});
