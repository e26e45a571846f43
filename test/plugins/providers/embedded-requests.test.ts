/** Requests of many kinds, as a new user would word them: what share is answered usefully, and that nothing is made up. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Polyphony } from '../../../src/index.ts';
import { FOLDER } from './embedded-requests/folder.ts';
import { HELD_OUT } from './embedded-requests/held-out.ts';
import { inFolder, judge, type Request, type Verdict } from './embedded-requests/judge.ts';
import { LAST } from './embedded-requests/last.ts';
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

/** Each request with its verdict, by verdict. */
async function judged(requests: readonly Request[]): Promise<Record<Verdict['verdict'], string[]>> {
  const found: Record<Verdict['verdict'], string[]> = { useful: [], refused: [], missed: [], bad: [] };
  for (const request of requests) {
    const { verdict, said } = await judge(polyphony, request);
    // A refusal is right only where no rules could answer.
    const right = verdict !== 'refused' || request.want === 'refusal';
    found[right ? verdict : 'missed'].push(`${request.ask} → ${said}`);
  }
  return found;
}

test('what can be answered by rules is answered, and the rest is refused', async () => {
  const { useful, refused, missed, bad } = await judged(TUNED);
  expect({ missed, bad }).toEqual({ missed: [], bad: [] });
  expect([useful.length, refused.length]).toEqual([58, 8]);
}, 30_000);

// The figures of docs/providers/embedded.md: change them together.
test.each([
  { name: 'held out', requests: HELD_OUT, useful: 26, refused: 6, missed: 2 },
  { name: 'last', requests: LAST, useful: 9, refused: 3, missed: 4 },
])(
  'requests that were $name: what is not answered is said not to be found, nothing is wrong',
  async (set) => {
    const { useful, refused, missed, bad } = await judged(set.requests);
    expect(bad).toEqual([]);
    expect(useful.length).toBeGreaterThanOrEqual(set.useful);
    expect(refused.length).toBe(set.refused);
    expect(missed.length).toBeLessThanOrEqual(set.missed);
  },
  30_000,
);
