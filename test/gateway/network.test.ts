/** The network as plugins let an attempt see it. */
import { describe, expect, test } from 'vitest';
import type { Attempt } from '../../src/core/model/model.ts';
import type { Transport } from '../../src/core/model/provider.ts';
import { createPolyphony, type Plugin } from '../../src/index.ts';
import { fakeProvider, finish } from '../../src/testing/fakes.ts';
import { errorOf, harness, noTransport, text, user } from './harness.ts';

/** A provider that remembers the network of each attempt. */
function remembering() {
  const seen: Transport[] = [];
  const provider = {
    ...fakeProvider({}),
    async *stream(_: Attempt, { transport }: { readonly transport: Transport }) {
      seen.push(transport);
      yield text('ok');
      yield finish();
    },
  };
  return { provider, seen };
}

const named = (name: string, inner: Transport): Transport & { readonly name: string; readonly inner: Transport } => ({
  name,
  inner,
  request: inner.request,
  close: inner.close,
});

const wrapping = (name: string, numbers: number[] = []): Plugin => ({
  name,
  transport(inner, { number }) {
    numbers.push(number);
    return named(name, inner);
  },
});

describe('the network of an attempt', () => {
  test('is that of the gateway where no plugin changes it', async () => {
    const { provider, seen } = remembering();
    const { gateway, run } = harness({ providers: [provider], plugins: [{ name: 'none' }] });
    await run(gateway.generate(user()));
    expect(seen).toEqual([noTransport]);
    expect(gateway.explain({ operation: 'chat', ...user() }).attemptRing.at(-1)).toBe('provider');
  });

  test('is wrapped once for each attempt, the first plugin nearest to the server', async () => {
    const { provider, seen } = remembering();
    const numbers: number[] = [];
    const { gateway, run } = harness({ providers: [provider], plugins: [wrapping('a', numbers), wrapping('b')] });
    await run(gateway.generate(user()));
    await run(gateway.generate(user()));
    expect(seen).toMatchObject([{ name: 'b', inner: { name: 'a', inner: noTransport } }, { name: 'b' }]);
    expect(numbers).toEqual([1, 1]);
    expect(gateway.explain({ operation: 'chat', ...user() }).attemptRing.slice(-3)).toEqual([
      'provider',
      'network:b',
      'network:a',
    ]);
  });

  test('may be the inner one itself', async () => {
    const { provider, seen } = remembering();
    const { gateway, run } = harness({ providers: [provider], plugins: [{ name: 'a', transport: (inner) => inner }] });
    await run(gateway.generate(user()));
    expect(seen).toEqual([noTransport]);
  });

  test.each<[string, () => unknown]>([
    ['throws', () => (undefined as unknown as { readonly request: object }).request],
    ['returns nothing', () => undefined],
    ['returns a promise', async () => noTransport],
  ])('fails the call and names the plugin that %s', async (_, transport) => {
    const { provider, seen } = remembering();
    const plugin = { name: 'broken', transport } as Plugin;
    const { gateway, run } = harness({ providers: [provider], plugins: [plugin] });
    const error = await errorOf(run(gateway.generate(user())));
    expect(error).toMatchObject({ code: 'plugin-failed', details: { plugin: 'broken' } });
    expect(seen).toEqual([]);
  });

  test('is wrapped by what `setup` returns too, and a field that is no function is refused', async () => {
    const { provider, seen } = remembering();
    const plugin: Plugin = { name: 'late', setup: () => ({ transport: (inner) => named('late', inner) }) };
    const polyphony = await createPolyphony({ providers: [provider], plugins: [plugin], defaults: false });
    await polyphony.gateway.generate(user());
    await polyphony.close();
    expect(seen).toMatchObject([{ name: 'late' }]);
    const wrong = { name: 'wrong', transport: {} } as unknown as Plugin;
    await expect(createPolyphony({ providers: [provider], plugins: [wrong] })).rejects.toThrow(
      'The field "transport" of the plugin "wrong" must be a function',
    );
  });
});
