/** Requests of many kinds, as a new user would word them: what share is answered usefully, and that nothing is made up. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Polyphony } from '../../../src/index.ts';
import { FOLDER } from './embedded-requests/folder.ts';
import { HELD_OUT } from './embedded-requests/held-out.ts';
import { inFolder, judge, type Request, type Verdict } from './embedded-requests/judge.ts';
import { TUNED } from './embedded-requests/tuned.ts';

let folder: string;
let polyphony: Polyphony;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'polyphony-embedded-'));
  polyphony = await inFolder(folder, FOLDER);
});
afterAll(async () => {
  await polyphony.close();
  await rm(folder, { recursive: true, force: true });
});

async function judged(requests: readonly Request[]): Promise<(Request & Verdict)[]> {
  const found: (Request & Verdict)[] = [];
  for (const request of requests) found.push({ ...request, ...(await judge(polyphony, request)) });
  return found;
}

test('tuned', async () => {
  const all = await judged(process.env.HELD ? HELD_OUT : TUNED);
  for (const { ask, want, verdict, said } of all)
    if (verdict === 'bad' || (verdict === 'refused' && want !== 'refusal'))
      console.log(verdict, want, JSON.stringify(ask.slice(0, 90)), '→', said.slice(0, 400));
  const n = (v: string) => all.filter((x) => x.verdict === v).length;
  console.log(all.length, 'useful', n('useful'), 'refused', n('refused'), 'bad', n('bad'));
  expect(HELD_OUT.length).toBeGreaterThan(20);
});
