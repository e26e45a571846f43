/** `limits.attemptMs`: the caller's own bound on one attempt, and what follows from it. */
import { afterEach, describe, expect, it } from 'vitest';
import type { ModelRequest } from '../../../src/core/model/model.ts';
import { createPolyphony, type Polyphony, type RunResult } from '../../../src/index.ts';
import { fakeCard, fakeProvider, fakeRuntime, finish, type ScriptStep } from '../../../src/testing/fakes.ts';

const opened: Polyphony[] = [];
afterEach(async () => {
  for (const polyphony of opened.splice(0)) await polyphony.close();
});

/** A provider whose first attempts do what `first` says, one after the other; later ones answer. */
async function setUp(...first: readonly (readonly ScriptStep[])[]) {
  const runtime = fakeRuntime();
  const provider = fakeProvider({
    runtime,
    models: [fakeCard({ id: 'one' })],
    script: () => first[provider.seen.length - 1] ?? 'in time',
  });
  const polyphony = await createPolyphony({ providers: [provider], runtime, plugins: [] });
  opened.push(polyphony);
  return { runtime, provider, polyphony };
}

/** Drives the clock until the work has settled. */
async function settled<T>({ clock }: ReturnType<typeof fakeRuntime>, work: Promise<T>): Promise<T> {
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  work.then(over, over);
  for (let turn = 0; turn < 10_000 && !isOver; turn += 1) await clock.runAll(1);
  return work;
}

const request = (retries: number): ModelRequest => ({
  operation: 'chat',
  messages: [{ role: 'user', content: 'hello' }],
  limits: { attemptMs: 2000, retries },
});

describe('a bound on each attempt', () => {
  it('tries again after one that hangs, whole and streamed', async () => {
    const whole = await setUp([{ hang: true }]);
    expect((await settled(whole.runtime, whole.polyphony.gateway.generate(request(1)))).text).toBe('in time');
    expect(whole.provider.seen).toHaveLength(2);
    const streamed = await setUp([{ hang: true }]);
    const stream = streamed.polyphony.gateway.stream(request(1));
    const read = async (): Promise<string> => {
      let text = '';
      for await (const event of stream) if (event.type === 'text-delta') text += event.text;
      return text;
    };
    expect(await settled(streamed.runtime, read())).toBe('in time');
    expect(streamed.provider.open()).toBe(0);
  });

  it('is a timeout that names the bound where no attempt is left, and says nothing against the target', async () => {
    const { runtime, provider, polyphony } = await setUp(...Array.from({ length: 9 }, () => [{ hang: true } as const]));
    for (let call = 0; call < 9; call += 1) {
      const failed = settled(runtime, polyphony.gateway.generate(request(0)));
      await expect(failed).rejects.toMatchObject({ code: 'timeout', details: { timeout: 'total' } });
      await expect(failed).rejects.toThrow(/2000 ms.*limits\.attemptMs/);
    }
    expect((await settled(runtime, polyphony.gateway.generate(request(0)))).text).toBe('in time');
    expect(provider.seen).toHaveLength(10);
  });

  it('bounds a stream that goes on and on, and does not lengthen the bounds of the config', async () => {
    const drops = Array.from({ length: 30 }, () => [
      { type: 'text-delta', text: '.' } as const,
      { waitMs: 500 },
    ]).flat();
    const { runtime, provider, polyphony } = await setUp([...drops, finish()]);
    const failing = polyphony.gateway.generate({ ...request(0), onStreamFailure: 'error' });
    await expect(settled(runtime, failing)).rejects.toMatchObject({ code: 'timeout' });
    expect(runtime.clock.monotonic()).toBeLessThan(4000);
    expect(provider.open()).toBe(0);
  });

  it('is what limits.attemptSeconds of a node becomes', async () => {
    const { runtime, provider, polyphony } = await setUp([{ hang: true }]);
    const handle = await polyphony.start({
      version: 1,
      nodes: [{ id: 'a', use: 'llm', in: { prompt: 'x' }, limits: { attemptSeconds: 3, retries: 2, seconds: 60 } }],
      output: '{{a.text}}',
    });
    const result: RunResult = await settled(runtime, handle.result());
    expect(result).toMatchObject({ status: 'done', output: 'in time' });
    expect(provider.seen).toHaveLength(2);
    expect(provider.seen[0]?.request.limits).toMatchObject({ attemptMs: 3000, ms: 60_000, retries: 2 });
  });
});
