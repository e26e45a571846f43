/** polyphony schedule as processes on one store: what is due runs once, and what a kill leaves behind is continued. */

import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { runStarter } from '../../src/cli/process/scheduled-runs.ts';
import { createPolyphony, type Plan } from '../../src/index.ts';
import { createSchedule } from '../../src/schedules/schedule.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { systemClock, systemRuntime } from '../../src/system/clock.ts';
import { fakeProvider } from '../../src/testing/fakes.ts';
import { deferred } from '../kit/loopback.ts';
import { call, folderWith, type Started, start } from './call.ts';

const YEARLY = { cron: '0 0 1 1 *', run: 'two.plan.json', input: { year: '{{due}}' }, missed: 'once' } as const;
const TWO = {
  version: 1,
  input: { year: 'string' },
  nodes: [
    { id: 'one', use: 'llm', in: { prompt: 'ask one of {{input.year}}' } },
    { id: 'two', use: 'llm', in: { prompt: 'ask two after {{one.text}}' } },
  ],
  output: '{{two.text}}',
};
const WAITING: Plan = {
  version: 1,
  input: { year: 'string' },
  nodes: [
    { id: 'pause', use: 'wait', in: { seconds: 3600 } },
    ...TWO.nodes.map((node) => ({ ...node, needs: ['pause'] })),
  ],
  output: '{{two.text}}',
};
const READ = {
  version: 1,
  input: { path: 'string' },
  nodes: [{ id: 'page', use: 'tool:read_file', in: { path: '{{input.path}}' } }],
  output: '{{page.text}}',
};

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A model that holds back its answer to the second question until it is let go. */
async function model(isHeld = false) {
  const gate = deferred();
  const reached = deferred();
  if (!isHeld) gate.resolve();
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const word = /ask (\w+)/.exec(await textOf(request))?.[1] ?? '';
    if (word !== '') asked.push(word);
    if (word === 'two') {
      reached.resolve();
      await gate.promise;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    const message = { role: 'assistant', content: `said ${word}` };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
    response.end(JSON.stringify({ id: 'x', object: 'chat.completion', model: 'm', choices, usage }));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const environment = { POLYPHONY_BASE_URL: `http://127.0.0.1:${port}/v1`, POLYPHONY_MODELS: 'm' };
  return { gate, reached: reached.promise, asked, environment };
}

/** A folder whose schedule was last looked at two years ago. */
async function overdue(): Promise<string> {
  const folder = folderWith({ 'polyphony.json': { schedules: { yearly: YEARLY } }, 'two.plan.json': TWO });
  const stores = sqliteStores({ path: join(folder, '.polyphony/polyphony.db') });
  const longAgo = { ...systemClock, now: () => systemClock.now() - 2 * 366 * 86_400_000 };
  await createSchedule('yearly', YEARLY, stores.keyValue, longAgo).due();
  await stores.close();
  return folder;
}

const document = (text: string) => JSON.parse(text) as { runs: { runId: string; status: string; by: string }[] };
const RUN = new RegExp(`^schedule_yearly_${new Date(systemClock.now()).getUTCFullYear()}0101T0000Z$`);

async function sees(started: Started, words: string): Promise<void> {
  while (!started.text.err.includes(words)) await pause(20);
}

describe.concurrent('polyphony schedule', () => {
  it('starts a run once when two processes fire at the same time', async () => {
    const { asked, environment } = await model();
    const folder = await overdue();
    const both = [1, 2].map(() => start(['schedule', '--once', '--json'], { folder, environment }).ended);
    const ended = await Promise.all(both);
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    const runs = ended.flatMap(({ out }) => document(out).runs);
    expect(runs).toMatchObject([{ runId: expect.stringMatching(RUN), status: 'done', by: 'schedules.yearly' }]);
    expect(asked).toEqual(['one', 'two']);
  });

  it('leaves a run to the process that ended it between the look at it and its resume', async () => {
    const polyphony = await createPolyphony({ providers: [fakeProvider({})] });
    const run = {
      runId: 'kettle',
      by: 'schedules.yearly',
      run: 'two.plan.json',
      input: { year: '2026' },
      reason: 'now',
    };
    const starter = runStarter(polyphony, folderWith({ 'two.plan.json': TWO }));
    const begun: string[] = [];
    const { signal } = new AbortController();
    expect(await starter.start(run, signal, () => begun.push('start'))).toMatchObject({ status: 'done' });
    expect(await starter.resume('kettle', signal, () => begun.push('resume'))).toEqual({ status: 'elsewhere' });
    expect(begun).toEqual(['start']);
    await polyphony.close();
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)('continues the run of a process that was ended by %s', async (signal) => {
    const { gate, reached, asked, environment } = await model(true);
    const folder = await overdue();
    const first = start(['schedule'], { folder, environment });
    await reached;
    first.child.kill(signal);
    const { code, err } = await first.ended;
    expect(code).toBe(signal === 'SIGTERM' ? 0 : 137);
    expect(err).toContain('started yearly');
    gate.resolve();
    const { out } = await start(['schedule', '--once', '--json'], { folder, environment }).ended;
    expect(document(out).runs).toMatchObject([{ runId: expect.stringMatching(RUN), status: 'done' }]);
    expect(asked).toEqual(['one', 'two', 'two']);
  });

  /** A run that was suspended two hours ago, for an hour. */
  async function waiting(): Promise<string> {
    const folder = folderWith({ 'polyphony.json': {} });
    const stores = sqliteStores({ path: join(folder, '.polyphony/polyphony.db') });
    const earlier = { ...systemClock, now: () => systemClock.now() - 2 * 3_600_000 };
    const polyphony = await createPolyphony({
      providers: [fakeProvider({})],
      stores,
      runtime: { ...systemRuntime, clock: earlier },
    });
    const { status } = await polyphony.run(WAITING, { year: '2026' }, { runId: 'kettle' });
    expect(status).toBe('suspended');
    await polyphony.close();
    return folder;
  }

  it('continues a run whose wait is over once, where two processes look for it', async () => {
    const { asked, environment } = await model();
    const folder = await waiting();
    const both = [1, 2].map(() => start(['schedule', '--once', '--json'], { folder, environment }).ended);
    const ended = await Promise.all(both);
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    expect(ended.flatMap(({ out }) => document(out).runs)).toMatchObject([
      { runId: 'kettle', status: 'done', by: 'wait' },
    ]);
    expect(asked).toEqual(['one', 'two']);
  });

  it('continues a run that waited and whose process was killed', async () => {
    const { gate, reached, asked, environment } = await model(true);
    const folder = await waiting();
    const first = start(['schedule'], { folder, environment });
    await reached;
    first.child.kill('SIGKILL');
    await first.ended;
    gate.resolve();
    const { out } = await start(['schedule', '--once', '--json'], { folder, environment }).ended;
    expect(document(out).runs).toMatchObject([{ runId: 'kettle', status: 'done' }]);
    expect(asked).toEqual(['one', 'two', 'two']);
  });

  it('starts one run for a file that two processes watch', async () => {
    const triggers = { notes: { folder: '.', pattern: '*.txt', run: 'read.plan.json', settleMs: 200, pollMs: 100 } };
    const folder = folderWith({ 'polyphony.json': { triggers }, 'read.plan.json': READ });
    const both = [1, 2].map(() => start(['schedule'], { folder }));
    await Promise.all(both.map((one) => sees(one, 'files *.txt')));
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) writeFileSync(join(folder, `${name}.txt`), name);
    const done = (): number => both.flatMap(({ text }) => text.err.match(/^done notes \w\.txt/gm) ?? []).length;
    while (done() < 6) await pause(20);
    for (const { child } of both) child.kill('SIGINT');
    expect((await Promise.all(both.map(({ ended }) => ended))).map(({ code }) => code)).toEqual([0, 0]);
    const { out } = await start(['runs', 'list', '--json'], { folder }).ended;
    const runs = JSON.parse(out) as readonly { readonly status: string }[];
    expect(runs.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 'done'));
    expect(both.map(({ text }) => text.err).join('')).not.toContain('warning');
    expect(done()).toBe(6);
  });

  it('starts a run for a file while it waits, and stops on Ctrl-C', async () => {
    const triggers = { notes: { folder: '.', pattern: '*.txt', run: 'read.plan.json', settleMs: 0, pollMs: 100 } };
    const folder = folderWith({ 'polyphony.json': { triggers }, 'read.plan.json': READ, 'a.txt': 'the text' });
    const process = start(['schedule'], { folder });
    await sees(process, 'done notes a.txt');
    process.child.kill('SIGINT');
    expect(await process.ended).toMatchObject({ code: 0, out: '' });
  });
});

describe('polyphony schedule, before it starts anything', () => {
  const called = async (files: Readonly<Record<string, unknown>>, ...given: readonly string[]) => {
    process.chdir(folderWith(files));
    return call('schedule', ...given);
  };

  it('lists what comes next', async () => {
    const schedules = { digest: { cron: '0 7 * * *', timeZone: 'Europe/Berlin', run: 'workflow:ask' } };
    const triggers = { notes: { folder: 'inbox', pattern: '*.txt', run: 'read.plan.json' } };
    const { out, code } = await called({ 'polyphony.json': { schedules, triggers } }, '--list');
    expect(code).toBe(0);
    expect(out).toMatch(/^digest {2}next \d{4}-\d\d-\d\d 07:00 Europe\/Berlin {2}\(0 7 \* \* \*\) {2}workflow:ask$/m);
    expect(out).toMatch(/^notes {2}files \*\.txt in \S+\/inbox {2}read\.plan\.json$/m);
    const document: unknown = JSON.parse((await call('schedule', '--list', '--json')).out);
    expect(document).toMatchObject({
      schedules: [{ name: 'digest', next: expect.stringMatching(/T0[56]:00:00\.000Z$/) }],
    });
  });

  it('says that it only continues what waits where there is nothing to fire, and has nothing to list', async () => {
    const { code, err } = await called({ 'polyphony.json': {} }, '--once');
    expect(code).toBe(0);
    expect(err).toContain('no schedules and no triggers: only runs that wait for a moment are continued');
    expect(await call('schedule', '--list')).toMatchObject({ code: 2, err: expect.stringContaining('add one') });
  });

  it.each([
    [
      'a plan that does not exist',
      { schedules: { a: { cron: '@daily', run: 'gone.plan.json' } } },
      2,
      'gone.plan.json',
    ],
    ['a plan that cannot run', { schedules: { a: { cron: '@daily', run: 'bad.plan.json' } } }, 3, 'bad.plan.json'],
    [
      'an expression that cannot be read',
      { schedules: { a: { cron: 'daily', run: 'read.plan.json' } } },
      2,
      'schedules.a.cron',
    ],
    [
      'a name that cannot be part of an id',
      { schedules: { 'A B': { cron: '@daily', run: 'read.plan.json' } } },
      2,
      'A B',
    ],
    [
      'an input that its plan does not take',
      { schedules: { a: { cron: '@daily', run: 'read.plan.json', input: { file: '{{due}}' } } } },
      2,
      'schedules.a.input does not fit its plan',
    ],
    ['an unknown field', { triggers: { a: { folder: '.', run: 'read.plan.json', patern: '*' } } }, 2, 'patern'],
  ])('refuses %s', async (_, config, exit, words) => {
    const bad = { version: 1, nodes: [{ id: 'a', use: 'tool:nothing' }] };
    const { code, err } = await called(
      { 'polyphony.json': config, 'read.plan.json': READ, 'bad.plan.json': bad },
      '--once',
    );
    expect(err).toContain(words);
    expect(code).toBe(exit);
  });
});
