/** Undoing through the whole: nested runs, a store on disk, and what is told before anything is paid. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { embedded } from '../../plugins/providers/embedded.ts';
import { createPolyphony, type Plan, type Polyphony } from '../../src/index.ts';
import { definePlugin, defineTool } from '../../src/kit/index.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { tool, undoBy, workflow } from '../../src/workflow/index.ts';

const folders: string[] = [];
const open: Polyphony[] = [];
afterEach(async () => {
  for (const polyphony of open.splice(0)) await polyphony.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

interface Shop {
  readonly log: string[];
  /** The next call of `hold` waits until this is called. */
  release: (() => void) | undefined;
  isBroken: boolean;
}

async function shop(path?: string): Promise<{ polyphony: Polyphony; shop: Shop }> {
  const shop: Shop = { log: [], release: undefined, isBroken: true };
  const tools = [
    defineTool({
      name: 'charge',
      description: 'Takes money.',
      input: { sum: 'number' },
      run: ({ sum }) => {
        shop.log.push(`charge ${sum}`);
        return { charge: `c${sum}` };
      },
    }),
    defineTool({
      name: 'refund',
      description: 'Gives it back.',
      input: { charge: 'string' },
      run: ({ charge }) => {
        shop.log.push(`refund ${charge}`);
        return null;
      },
    }),
    defineTool({
      name: 'ship',
      description: 'Sends it.',
      input: {},
      run: () => {
        if (shop.isBroken) throw new Error('no truck');
        return null;
      },
    }),
    defineTool({
      name: 'hold',
      description: 'Waits.',
      input: {},
      run: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          shop.release = () => reject(new Error('released'));
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    }),
  ];
  const stores = path === undefined ? {} : { stores: sqliteStores({ path }) };
  const polyphony = await createPolyphony({
    defaults: false,
    // A node that runs a workflow may use a model, so one has to be there.
    providers: [embedded()],
    plugins: [definePlugin({ name: 'shop', tools })],
    workflows: [order('ship'), order('hold')],
    ...stores,
  });
  open.push(polyphony);
  return { polyphony, shop };
}

const charge = tool<{ readonly sum: number }, { readonly result: { readonly charge: string } }>('charge');
const refund = tool<{ readonly charge: string }, unknown>('refund');

/** Pays, and takes that back when the last step fails. */
const order = (last: string) =>
  workflow({ id: `order_${last}` })
    .node('pay', charge, () => ({ in: { sum: 3 } }), {
      undo: (self) => undoBy(refund, { charge: self.result.charge }),
    })
    .node('last', tool<Record<never, never>, unknown>(last), () => ({ in: {}, needs: ['pay'] }))
    .output((c) => ({ charge: c.pay.result.charge }));

const pay = (sum: number) => ({
  id: 'pay',
  use: 'tool:charge',
  in: { sum },
  undo: { use: 'tool:refund', in: { charge: '{{pay.result.charge}}' } },
});

describe('undoing', () => {
  it('takes back what a nested run did, and the run around it goes on with its error', async () => {
    const { polyphony, shop: world } = await shop();
    const result = await polyphony.run({
      version: 1,
      nodes: [{ id: 'sub', use: 'workflow:order_ship', onError: { keep: true } }],
      output: '{{sub.meta.error.message}}',
    } as Plan);
    expect(result).toMatchObject({ status: 'done', output: expect.stringContaining('no truck') });
    expect(world.log).toEqual(['charge 3', 'refund c3']);
  });

  it('reaches into a nested run where the run around it is cancelled for good', async () => {
    const { polyphony, shop: world } = await shop();
    const handle = await polyphony.start({ version: 1, nodes: [{ id: 'sub', use: 'workflow:order_hold' }] } as Plan);
    await until(() => world.release !== undefined);
    handle.cancel('by hand');
    expect((await handle.result()).status).toBe('cancelled');
    expect(world.log).toEqual(['charge 3', 'refund c3']);
  });

  it('happens in the process that cancels a run which another one left, from a store on disk', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'polyphony-undo-'));
    folders.push(folder);
    const path = join(folder, 'runs.db');
    const first = await shop(path);
    const asks = { id: 'asks', use: 'human', needs: ['pay'], in: { question: 'Go on?' } };
    const { runId } = await first.polyphony.run({ version: 1, nodes: [pay(7), asks] } as Plan);
    await first.polyphony.close();
    const second = await shop(path);
    expect(await second.polyphony.runs.cancel(runId)).toBe(true);
    expect(second.shop.log).toEqual(['refund c7']);
    expect(await second.polyphony.runs.cancel(runId)).toBe(false);
    expect(second.shop.log).toEqual(['refund c7']);
    expect((await second.polyphony.runs.show(runId)).undone).toMatchObject([{ nodeId: 'pay', use: 'tool:refund' }]);
  });

  it('pays again, and undoes again, when a run that was undone goes on and fails again', async () => {
    const { polyphony, shop: world } = await shop();
    const failed = polyphony.start(order('ship').plan);
    const { runId } = await (await failed).result();
    await expect(polyphony.runs.resume(runId).then((handle) => handle.result())).resolves.toMatchObject({
      status: 'failed',
    });
    expect(world.log).toEqual(['charge 3', 'refund c3', 'charge 3', 'refund c3']);
    world.isBroken = false;
    expect((await (await polyphony.runs.resume(runId)).result()).status).toBe('done');
    expect(world.log.slice(4)).toEqual(['charge 3']);
  });

  it('is checked before anything is paid', async () => {
    const { polyphony, shop: world } = await shop();
    const wrong = { ...pay(1), undo: 'tool:refund' };
    await expect(polyphony.run({ version: 1, nodes: [wrong] } as Plan)).rejects.toMatchObject({ code: 'invalid-plan' });
    expect(world.log).toEqual([]);
  });
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
