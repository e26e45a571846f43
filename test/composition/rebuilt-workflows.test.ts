/** A workflow that is built again, by a hot reload or a factory, is the same workflow with newer steps. */
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createPolyphony, defineStep, type Polyphony, value, workflow } from '../../src/index.ts';
import { fakeProvider } from '../../src/testing/index.ts';

let polyphony: Polyphony;
afterEach(() => polyphony.close());
const open = async (options: Parameters<typeof createPolyphony>[0] = {}): Promise<Polyphony> => {
  polyphony = await createPolyphony({ providers: [fakeProvider({ script: () => 'x' })], ...options });
  return polyphony;
};

/** A gate that a step waits at, so that a run is under way while something else happens. */
function gate() {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

const stepOf = (version: string, opened: Promise<void> = Promise.resolve()) =>
  defineStep({
    name: 'greet',
    input: { name: 'string' },
    output: { text: 'string' },
    run: async ({ name }: { name: string }) => {
      await opened;
      return { text: `${version} ${name}` };
    },
  });

/** Two nodes, so that the second one starts after whatever happened during the first. */
const build = (version: string, opened?: Promise<void>) => {
  const greet = stepOf(version, opened);
  return workflow({ id: 'greeting', input: { name: 'string' } })
    .node('first', greet, (c) => ({ in: { name: c.input.name } }))
    .node('then', greet, (c) => ({ in: { name: c.first.text } }))
    .output((c) => ({ said: c.then.text }));
};

const input = { name: 'Ada' };
const said = (version: string) => ({ status: 'done', output: { said: `${version} ${version} Ada` } });

describe('a workflow that is built again with the same plan', () => {
  it('serves the runs that start afterwards with its newest steps', async () => {
    const p = await open();
    expect(await p.run(build('one'), input)).toMatchObject(said('one'));
    expect(await p.run(build('two'), input)).toMatchObject(said('two'));
    expect(await p.run(build('three').plan, input)).toMatchObject(said('two'));
  });

  it('leaves the runs under way as they began, to their last node', async () => {
    const p = await open();
    const { open: letGo, opened } = gate();
    const before = await p.start(build('old', opened), input);
    const after = await p.start(build('new'), input);
    expect(await after.result()).toMatchObject(said('new'));
    letGo();
    expect(await before.result()).toMatchObject(said('old'));
  });

  it('leaves the runs nested in a run under way as well, those that begin later too', async () => {
    const p = await open();
    const { open: letGo, opened } = gate();
    const wait = defineStep({
      name: 'hold',
      input: {},
      output: { over: 'boolean' },
      run: async () => {
        await opened;
        return { over: true };
      },
    });
    const outer = workflow({ id: 'outer' })
      .node('gate', wait, () => ({ in: {} }))
      .node('inner', build('old'), () => ({ in: input, needs: ['gate'] }))
      .output((c) => ({ inner: c.inner }));
    const before = await p.start(outer, {});
    await p.run(build('new'), input);
    letGo();
    expect(await before.result()).toMatchObject({ status: 'done', output: { inner: { said: 'old old Ada' } } });
    expect(await p.run(outer.plan, {})).toMatchObject({ output: { inner: { said: 'new new Ada' } } });
  });

  it('gives its new steps to other workflows that use them, and takes no name away from them', async () => {
    const p = await open();
    const shared = stepOf('old');
    const of = (id: string, greet: ReturnType<typeof stepOf>) =>
      workflow({ id })
        .node('only', greet, () => ({ in: input }))
        .output((c) => ({ said: c.only.text }));
    const [left, right] = [of('left', shared), of('right', shared)];
    await p.run(left, {});
    await p.run(right, {});
    await p.run(of('left', stepOf('new')), {});
    expect(await p.run(right, {})).toMatchObject({ output: { said: 'new Ada' } });
    expect(await p.run(of('third', shared), {})).toMatchObject({ output: { said: 'new Ada' } });
  });

  it('may come a thousand times, and be given twice at the start', async () => {
    const p = await open({ workflows: [build('a') as never, build('b') as never] });
    expect(await p.run(build('b').plan, input)).toMatchObject(said('b'));
    for (let version = 0; version < 50; version += 1) {
      expect(await p.run(build(`v${version}`), input)).toMatchObject(said(`v${version}`));
    }
    expect([...p.catalogue().steps.keys()].filter((name) => name === 'greet')).toHaveLength(1);
  });
});

describe('another plan under the id', () => {
  const other = workflow({ id: 'greeting' })
    .node('v', value, () => ({ in: { x: 1 } }))
    .output((c) => ({ v: c.v }));
  it('is refused, and changes nothing', async () => {
    const p = await open();
    await p.run(build('one'), input);
    await expect(p.run(other, {})).rejects.toMatchObject({ code: 'invalid-config' });
    expect(await p.run(build('one').plan, input)).toMatchObject(said('one'));
  });
  it('is refused inside a workflow that is new', async () => {
    const p = await open();
    await p.run(build('one'), input);
    const outer = workflow({ id: 'outer' })
      .node('inner', other, () => ({ in: {} }))
      .output((c) => ({ inner: c.inner }));
    await expect(p.run(outer, {})).rejects.toMatchObject({ code: 'invalid-config' });
  });
  it('and a step of the same name in another workflow are refused', async () => {
    const p = await open();
    await p.run(build('one'), input);
    const stranger = workflow({ id: 'stranger' })
      .node('only', stepOf('other'), () => ({ in: input }))
      .output((c) => ({ said: c.only.text }));
    await expect(p.run(stranger, {})).rejects.toMatchObject({ code: 'invalid-config' });
  });
});

describe('the schemas of a workflow that is built again', () => {
  const marked = (version: string) => z.string().transform((text) => `${version} ${text}`);
  const checked = (version: string, opened: Promise<void> = Promise.resolve()) => {
    const inner = workflow({ id: 'inner', input: z.object({ name: marked(version) }) })
      .node('same', value, (c) => ({ in: { name: c.input.name } }))
      .output((c) => ({ name: c.same.name }));
    return workflow({ id: 'checked' })
      .node('first', stepOf(version, opened), () => ({ in: { name: 'Ada' } }))
      .node('typed', value, () => ({ needs: ['first'], in: { name: 'Bea' }, out: z.object({ name: marked(version) }) }))
      .node('nested', inner, () => ({ needs: ['first'], in: { name: 'Cyd' } }))
      .output((c) => ({ typed: c.typed.name, nested: c.nested.name }));
  };

  it('are those of its steps: a run under way keeps its own, in nested runs too', async () => {
    const p = await open();
    const { open: letGo, opened } = gate();
    const before = await p.start(checked('old', opened), {});
    const after = await p.start(checked('new'), {});
    expect((await after.result()).output).toEqual({ typed: 'new Bea', nested: 'new Cyd' });
    letGo();
    expect((await before.result()).output).toEqual({ typed: 'old Bea', nested: 'old Cyd' });
  });
});
