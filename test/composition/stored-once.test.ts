/** A large value is in the journal once, and everybody who reads a run gets it in full. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/run/engine.ts';
import { fullEvents } from '../../src/core/run/full-events.ts';
import { createPolyphony, type Polyphony } from '../../src/polyphony.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { collected } from '../executor/harness.ts';
import { temporaryFolder } from '../stores/folder.ts';

const DOCUMENT = 'The tide comes in, and the tide goes out. '.repeat(250);
const PLAN = {
  version: 1,
  input: { text: 'string' },
  nodes: [
    { id: 'page', use: 'value', in: { text: '{{input.text}}' } },
    { id: 'copy', use: 'value', in: { text: '{{page.text}}', again: '{{page}}' } },
    { id: 'ask', use: 'human', in: { question: 'Is this right?', data: '{{copy}}' } },
    { id: 'end', use: 'value', in: { said: '{{ask.answer}}', all: '{{copy.again.text}}' } },
  ],
  output: '{{end.all}}',
} as const;

const folder = temporaryFolder();
const open = (): Promise<Polyphony> =>
  createPolyphony({ defaults: false, stores: sqliteStores({ path: join(folder, 'runs.db') }) });
const holding = (events: readonly RunEvent[]): number =>
  events.filter((event) => JSON.stringify(event).includes(DOCUMENT)).length;

describe('a document that is handed on', () => {
  it('is in the journal once; other processes read, answer, fork and watch the run with all of it', async () => {
    const first = await open();
    const live = await first.start(PLAN, { text: DOCUMENT });
    const { runId } = live;
    expect((await live.result()).waiting).toMatchObject([{ data: { text: DOCUMENT } }]);
    const shown = await collected(live.events());
    await first.close();

    const other = await open();
    const { runs, engine } = other;
    expect(await runs.show(runId)).toMatchObject({ status: 'suspended', waiting: [{ data: { text: DOCUMENT } }] });
    const before = await collected(runs.replay(runId));
    expect(shown).toEqual(expect.arrayContaining(before));
    const answered = await runs.answer(runId, 'ask', 'yes');
    expect(await answered.result()).toMatchObject({ status: 'done', output: DOCUMENT });

    const recorded = await collected(engine.replay(runId));
    expect(holding(recorded)).toBe(1);
    const full = await collected(fullEvents(engine.replay(runId)));
    expect(holding(full)).toBeGreaterThan(4);
    expect(JSON.stringify(full)).not.toContain('$at');
    expect(await collected(runs.replay(runId))).toEqual(full);
    expect(await collected(runs.watch(runId))).toEqual(full);
    expect(await collected((await runs.resume(runId)).events())).toEqual(full);
    expect(await runs.show(runId)).toMatchObject({ status: 'done', output: DOCUMENT });

    const fork = await runs.fork(runId, { from: 'end' });
    expect(await fork.result()).toMatchObject({ status: 'done', output: DOCUMENT });
    expect(holding(await collected(engine.replay(fork.runId)))).toBe(1);
    await other.close();
  });

  it('is shown in full of a run that goes on here, also what came before', async () => {
    const polyphony = await open();
    const { runId } = await polyphony.start(PLAN, { text: DOCUMENT }).then(async (handle) => handle.result());
    const handle = await polyphony.runs.answer(runId, 'ask', 'yes');
    const watched = await collected(polyphony.runs.watch(runId));
    await handle.result();
    expect(JSON.stringify(watched)).not.toContain('$at');
    expect(watched.map(({ type }) => type).slice(0, 2)).toEqual(['run-started', 'node-started']);
    await polyphony.close();
  });
});
