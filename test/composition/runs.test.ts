/** `polyphony.runs`: the words of the command, for runs of this process and of others. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRuns } from '../../src/composition/runs.ts';
import { createEngine } from '../../src/executor/engine.ts';
import type { Plan, Plugin, PolyphonyOptions, RunEvent, RunHandle, Step, Stores } from '../../src/index.ts';
import { createPolyphony } from '../../src/index.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeRuntime } from '../../src/testing/index.ts';
import { temporaryFolder } from '../stores/folder.ts';

const folder = temporaryFolder();
let files = 0;
const stored = (): string => join(folder, `${++files}.db`);

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The step `gate` waits until it is let go, `question` asks twice where it is asked to. */
function gate() {
  const waiting: (() => void)[] = [];
  const step: Step = {
    type: { use: 'gate', description: 'Waits.', input: { type: 'object' }, output: {}, sideEffects: true },
    run: async (call) => {
      call.emit('open?');
      await new Promise<void>((resolve, reject) => {
        waiting.push(resolve);
        call.signal.addEventListener('abort', () => reject(new Error('left')));
      });
      return { value: 'through', costNanoUsd: 0 };
    },
  };
  const plugin: Plugin = { name: 'gate', steps: [step] };
  const reached = async (): Promise<void> => {
    while (waiting.length === 0) await soon();
  };
  return { plugin, reached, release: () => waiting.splice(0).forEach((go) => void go()) };
}

const ASK: Plan['nodes'][number] = { id: 'ask', use: 'human', in: { question: 'Go?', choices: ['yes', 'no'] } };
const ASKING: Plan = { version: 1, nodes: [ASK], output: '{{ask}}' };
const GATED: Plan = {
  version: 1,
  nodes: [
    { id: 'a', use: 'value', in: { x: 1 } },
    { id: 'g', use: 'gate', needs: ['a'] },
  ],
};

async function open(more: Partial<PolyphonyOptions> = {}) {
  const { plugin, reached, release } = gate();
  const polyphony = await createPolyphony({ plugins: [plugin], defaults: false, ...more });
  return { polyphony, reached, release };
}

async function typesOf(events: AsyncIterable<RunEvent>): Promise<string[]> {
  const types: string[] = [];
  for await (const { type } of events) types.push(type);
  return types;
}
const seqsOf = (events: readonly RunEvent[]): readonly number[] => events.map(({ seq }) => seq);

async function collected(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const all: RunEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** A suspended run in a store of which this process knows nothing else. */
async function suspended(stores: Stores): Promise<string> {
  const { polyphony } = await open({ stores: { ...stores, close: async () => undefined } });
  const handle = await polyphony.start(ASKING);
  expect((await handle.result()).status).toBe('suspended');
  await polyphony.close();
  return handle.runId;
}

describe('answer', () => {
  it('records the answer, goes on with the run and returns its handle', async () => {
    const { polyphony } = await open();
    const { runId } = await polyphony.start(ASKING).then(async (handle) => handle.result());
    const handle = await polyphony.runs.answer(runId, 'ask', 'yes');
    expect(handle.runId).toBe(runId);
    expect(await handle.result()).toMatchObject({ status: 'done', output: { answer: 'yes' } });
    expect((await polyphony.runs.show(runId)).status).toBe('done');
    await expect(polyphony.runs.answer(runId, 'ask', 'yes')).rejects.toMatchObject({ code: 'not-found' });
    await polyphony.close();
  });

  it('does so for a run of another process', async () => {
    const stores = memoryStores();
    const runId = await suspended(stores);
    const { polyphony } = await open({ stores });
    await expect(polyphony.runs.answer(runId, 'ask', 'perhaps')).rejects.toMatchObject({ code: 'invalid-request' });
    const handle = await polyphony.runs.answer(runId, 'ask', 'no', { concurrency: 1 });
    expect(await handle.result()).toMatchObject({ status: 'done', output: { answer: 'no' } });
    await polyphony.close();
  });

  it.each([
    ['memory', () => memoryStores()],
    ['a file', () => sqliteStores({ path: stored() })],
  ])('reaches the item that it names, and leaves one that it does not fit open: %s', async (_name, makeStores) => {
    const stores = makeStores();
    const each = { ...ASK, each: '{{input.list}}', in: { question: '{{item}}?' }, out: { answer: 'integer' } };
    const { polyphony } = await open({ stores: { ...stores, close: async () => undefined } });
    const asked = await polyphony.run(
      { version: 1, input: { list: 'string[]' }, nodes: [each], output: '{{ask}}' },
      { list: ['a', 'b'] },
    );
    await polyphony.close();
    const { polyphony: other } = await open({ stores });
    const { runs } = other;
    const refused = { code: 'invalid-request' };
    await expect(runs.answer(asked.runId, 'ask', 1)).rejects.toThrow(
      'by its item (item, or --item). They are ask[0] (a?), ask[1] (b?)',
    );
    await expect(runs.answer(asked.runId, 'ask', 'one', { item: 1 })).rejects.toMatchObject(refused);
    await expect(runs.answer(asked.runId, 'ask', 1, { item: -1 })).rejects.toMatchObject(refused);
    await expect(runs.answer(asked.runId, 'ask', 1, { itme: 1 } as never)).rejects.toMatchObject(refused);
    await (await runs.answer(asked.runId, 'ask', 1, { item: 1, concurrency: 1 })).result();
    const handle = await runs.answer(asked.runId, 'ask', 0, { item: 0 });
    expect(await handle.result()).toMatchObject({ status: 'done', output: [{ answer: 0 }, { answer: 1 }] });
    await expect(runs.answer(asked.runId, 'ask', 0, { item: 0 })).rejects.toMatchObject({ code: 'not-found' });
    await other.close();
  });

  it('leaves a run that is driven here to go on, and returns its own handle', async () => {
    const { polyphony, reached, release } = await open();
    const live = await polyphony.start({ version: 1, nodes: [ASK, { id: 'g', use: 'gate' }], output: '{{ask}}' });
    await reached();
    const handle = await polyphony.runs.answer(live.runId, 'ask', 'yes');
    expect(handle).toBe(live);
    release();
    expect(await handle.result()).toMatchObject({ status: 'done', output: { answer: 'yes' } });
    await polyphony.close();
  });

  it('takes the answers of two nodes at the same time, and runs what follows once', async () => {
    const runsOf: string[] = [];
    const count: Step = {
      type: { use: 'count', description: 'Counts.', input: { type: 'object' }, output: {}, sideEffects: true },
      run: async (call) => {
        runsOf.push(call.node.id);
        return { value: 1, costNanoUsd: 0 };
      },
    };
    for (const stores of [memoryStores(), sqliteStores({ path: stored() })]) {
      runsOf.length = 0;
      const { polyphony } = await open({ stores, plugins: [{ name: 'count', steps: [count] }] });
      const nodes = [ASK, { ...ASK, id: 'too' }, { id: 'c', use: 'count', needs: ['ask', 'too'] }];
      const { runId } = await polyphony.start({ version: 1, nodes }).then(async (handle) => handle.result());
      const answers = ['ask', 'too'].map((node) => polyphony.runs.answer(runId, node, 'yes'));
      for (const handle of await Promise.all(answers)) expect((await handle.result()).status).toBe('done');
      expect(runsOf).toEqual(['c']);
      const seqs = seqsOf(await collected(polyphony.runs.replay(runId)));
      expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
      await polyphony.close();
    }
  });

  it('does not try again a run that fails behind its answer', async () => {
    let tries = 0;
    const step: Step = {
      type: { use: 'fail', description: 'Fails.', input: { type: 'object' }, output: {}, sideEffects: true },
      run: async () => {
        tries += 1;
        throw new Error('no');
      },
    };
    const { plugin, reached, release } = gate();
    const polyphony = await createPolyphony({ plugins: [plugin, { name: 'fail', steps: [step] }], defaults: false });
    const nodes = [ASK, { id: 'g', use: 'gate' }, { id: 'f', use: 'fail', needs: ['ask'] }];
    const live = await polyphony.start({ version: 1, nodes });
    await reached();
    const handle = await polyphony.runs.answer(live.runId, 'ask', 'yes');
    expect((await handle.result()).status).toBe('failed');
    expect(tries).toBe(1);
    release();
    await polyphony.close();
  });

  it('goes on with a run that is still being put away as suspended when its answer comes', async () => {
    const { polyphony } = await open();
    const { engine } = polyphony;
    const suspendedRun = await (await polyphony.start(ASKING)).result();
    const { runId } = suspendedRun;
    const ending: RunHandle = {
      runId,
      events: () => engine.replay(runId),
      result: async () => suspendedRun,
      cancel: () => undefined,
    };
    const { journal } = polyphony.stores;
    const closing = new AbortController().signal;
    const runs = createRuns({ engine, journal, runtime: fakeRuntime(), live: async () => ending, closing });
    const handle = await runs.answer(runId, 'ask', 'yes');
    expect(handle).not.toBe(ending);
    expect((await handle.result()).status).toBe('done');
    await polyphony.close();
  });

  it('is two steps on the engine, as before: answer records, resume goes on', async () => {
    const { polyphony } = await open();
    const { runId } = await (await polyphony.start(ASKING)).result();
    await polyphony.engine.answer(runId, 'ask', 'yes');
    expect((await polyphony.runs.show(runId)).status).toBe('suspended');
    expect((await (await polyphony.resume(runId)).result()).status).toBe('done');
    await polyphony.close();
  });
});

describe('list, show, fork, cancel, replay', () => {
  it('mean what the command means', async () => {
    const { polyphony } = await open();
    const { runs } = polyphony;
    const { runId } = await polyphony.run({ version: 1, nodes: [{ id: 'a', use: 'value', in: { x: 1 } }] });
    const fork = await runs.fork(runId, { from: 'a', with: { x: 2 } });
    expect((await fork.result()).output).toEqual({ a: { x: 2 } });
    const waiting = await (await polyphony.start(ASKING)).result();
    expect((await runs.list()).map((run) => run.runId).toSorted()).toEqual(
      [runId, fork.runId, waiting.runId].toSorted(),
    );
    expect((await runs.list({ status: 'suspended' })).map((run) => run.runId)).toEqual([waiting.runId]);
    expect(await runs.cancel(waiting.runId)).toBe(true);
    expect(await runs.cancel(waiting.runId)).toBe(false);
    expect(await typesOf(runs.replay(runId))).toEqual(await typesOf(polyphony.engine.replay(runId)));
    await polyphony.close();
  });

  it('throw not-found for a run that is not there', async () => {
    const { polyphony } = await open();
    const { runs } = polyphony;
    const missing = { code: 'not-found' };
    await expect(runs.show('none')).rejects.toMatchObject(missing);
    await expect(runs.resume('none')).rejects.toMatchObject(missing);
    await expect(runs.fork('none', { from: 'a' })).rejects.toMatchObject(missing);
    await expect(runs.answer('none', 'a', 1)).rejects.toMatchObject(missing);
    await expect(runs.cancel('none')).rejects.toMatchObject(missing);
    await expect(collected(runs.replay('none'))).rejects.toMatchObject(missing);
    await expect(collected(runs.watch('none'))).rejects.toMatchObject(missing);
    await polyphony.close();
  });
});

describe('watch', () => {
  it('shows a run of this process as it happens, with what no journal keeps', async () => {
    const { polyphony, reached, release } = await open();
    const handle = await polyphony.start(GATED);
    await reached();
    const watching = collected(polyphony.runs.watch(handle.runId));
    release();
    const events = await watching;
    expect(events).toEqual(await collected(handle.events()));
    expect(events.map(({ type }) => type)).toContain('node-delta');
    await polyphony.close();
  });

  it('begins a run that was taken up here with what happened before', async () => {
    const stores = memoryStores();
    const runId = await suspended(stores);
    const { polyphony } = await open({ stores });
    const handle = await polyphony.runs.answer(runId, 'ask', 'yes');
    const types = await typesOf(polyphony.runs.watch(handle.runId));
    expect(types.slice(0, 2)).toEqual(['run-started', 'node-started']);
    expect(types).toContain('run-resumed');
    expect(types.at(-1)).toBe('run-finished');
    expect(await typesOf(polyphony.runs.watch(runId))).toEqual(await typesOf(polyphony.runs.replay(runId)));
    await polyphony.close();
  });

  it.each<[string, () => () => Stores]>([
    [
      'memory',
      () => {
        const stores = memoryStores();
        return () => stores;
      },
    ],
    [
      'a file',
      () => {
        const path = stored();
        return () => sqliteStores({ path });
      },
    ],
  ])('reads the journal of a run that another polyphony drives, to its end: in %s', async (_, make) => {
    const stores = make();
    const driver = await open({ stores: stores() });
    const watcher = await open({ stores: stores() });
    const handle = await driver.polyphony.start(GATED);
    await driver.reached();
    const events: RunEvent[] = [];
    const watching = (async () => {
      for await (const event of watcher.polyphony.runs.watch(handle.runId)) events.push(event);
    })();
    while (events.length < 4) await soon();
    expect((await watcher.polyphony.runs.show(handle.runId)).status).toBe('running');
    driver.release();
    await watching;
    expect(events).toEqual(await collected(watcher.polyphony.runs.replay(handle.runId)));
    expect(events.at(-1)?.type).toBe('run-finished');
    expect(new Set(seqsOf(events)).size).toBe(events.length);
    await driver.polyphony.close();
    await watcher.polyphony.close();
  });

  it('ends when the run is suspended, when the signal aborts, and when the polyphony is closed', async () => {
    const { polyphony, reached, release } = await open();
    const asked = await (await polyphony.start(ASKING)).result();
    expect((await typesOf(polyphony.runs.watch(asked.runId))).at(-1)).toBe('run-suspended');
    const handle = await polyphony.start(GATED);
    await reached();
    const leaving = new AbortController();
    const left = collected(polyphony.runs.watch(handle.runId, { signal: leaving.signal }));
    const kept = collected(polyphony.runs.watch(handle.runId));
    await soon();
    leaving.abort();
    expect((await left).at(-1)?.type).toBe('node-delta');
    expect(await collected(polyphony.runs.watch(handle.runId, { signal: leaving.signal }))).toEqual([]);
    await polyphony.close();
    await kept;
    release();
    expect((await handle.result()).status).toBe('cancelled');
  });

  it('a watcher elsewhere ends with its own polyphony, and leaves the run alone', async () => {
    const stores = memoryStores();
    const driver = await open({ stores: { ...stores, close: async () => undefined } });
    const watcher = await open({ stores });
    const handle = await driver.polyphony.start(GATED);
    await driver.reached();
    const watching = collected(watcher.polyphony.runs.watch(handle.runId));
    await soon();
    await watcher.polyphony.close();
    expect((await watching).every(({ runId }) => runId === handle.runId)).toBe(true);
    driver.release();
    expect((await handle.result()).status).toBe('done');
    await driver.polyphony.close();
  });

  /** A run whose process died: its journal ends in the middle, and its lease runs out. */
  async function abandoned(nested: boolean) {
    const runtime = fakeRuntime();
    const stores = memoryStores({ clock: runtime.clock });
    const totals = { at: runtime.clock.now(), plan: GATED, planHash: 'h', input: {} };
    const started = { ...totals, type: 'run-started', seq: 0 } as const;
    await stores.journal.append('root', [{ ...started, runId: 'root' }]);
    const parent = { runId: 'root', nodeId: 'g', kind: 'nested' } as const;
    await stores.journal.append('root.g', [{ ...started, runId: 'root.g', parent }]);
    await stores.journal.claim('root', 'the dead', 10_000);
    const { polyphony } = await open({ stores, runtime });
    let ended = false;
    const watching = typesOf(polyphony.runs.watch(nested ? 'root.g' : 'root')).finally(() => {
      ended = true;
    });
    const pass = async (milliseconds: number): Promise<void> => {
      for (let left = milliseconds; left > 0; left -= 100) {
        await soon();
        await runtime.clock.advance(100);
      }
      await soon();
    };
    return { polyphony, watching, pass, ended: () => ended };
  }
  it.each([[false], [true]])('ends when the process that drove the run is gone (nested: %s)', async (nested) => {
    const { polyphony, watching, pass, ended } = await abandoned(nested);
    await pass(9000);
    expect(ended()).toBe(false);
    await pass(7000);
    expect(ended()).toBe(true);
    expect(await watching).toEqual(['run-started']);
    expect((await polyphony.runs.show('root')).status).toBe('interrupted');
    await polyphony.close();
  });
});

describe('the engine that users see', () => {
  it('plans a request within its run', async () => {
    const polyphony = await createPolyphony();
    const handle = polyphony.engine.startRequest('Summarise: The cat sat on the mat. It was warm.', { runId: 'asked' });
    expect(handle.runId).toBe('asked');
    expect((await handle.result()).status).toBe('done');
    expect((await polyphony.runs.show('asked')).status).toBe('done');
    await polyphony.close();
  });

  it('says so where the chosen engine takes whole plans only', async () => {
    const polyphony = await createPolyphony({
      plugins: [],
      engine: (parts) => {
        const { startRequest: _without, ...engine } = createEngine(parts);
        return engine;
      },
    });
    await expect(polyphony.engine.startRequest('x').result()).rejects.toMatchObject({ code: 'unsupported' });
    expect((await (await polyphony.start(ASKING)).result()).status).toBe('suspended');
    await polyphony.close();
  });
});
