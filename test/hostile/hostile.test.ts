/** A sample of the hostile suite, of which `npm test` plays every third case and CI all: `npm run hostile` plays the whole suite. And the suite itself, which has to notice what fails. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileProgram, type Program } from './harness/program.ts';
import { SUITES } from './suites.ts';

const root = resolve(import.meta.dirname, '../..');
/** Generous: what is judged here is how a case ends. */
const SECONDS = 60;
const LONGEST_MS = 600_000;

const SAMPLE: readonly (readonly [string, string])[] = [
  ['plans', 'readable-fenced'],
  ['plans', 'refers-to-itself'],
  ['plans', 'path-prototype-of-prototype'],
  ['plans', 'twice-a-node'],
  ['plans', 'items-carry-text'],
  ['plans', 'limits-nan'],
  ['plans', 'condition-slow-pattern'],
  ['plans', 'read-link-outside'],
  ['plans', 'fetch-metadata'],
  ['plans', 'garbage-open-braces'],
  ['plans', 'material-deep'],
  ['plans', 'reference-same-id-twice'],
  ['plans', 'plans-by-ten'],
  ['plans', 'computed-long-chain-in-body'],
  ['plans', 'members-in-a-circle'],
  ['plans', 'returned-cycle'],
  ['plans', 'thread-key-nul'],
  ['plans', 'event-prototype'],
  ['plans', 'asks-metadata'],
  ['providers', 'usage-cohere-text'],
  ['providers', 'body-html'],
  ['providers', 'stream-end-first'],
  ['providers', 'socket-reset-in-body'],
  ['providers', 'events-no-finish'],
  ['providers', 'counts-symbol'],
  ['providers', 'throws-of-megabytes'],
  ['providers', 'returns-return-throws'],
  ['providers', 'object-never-stops'],
  ['escapes', 'tool-that-a-result-orders'],
  ['escapes', 'redirect-to-another-host'],
];

describe.concurrent('hostile', { timeout: LONGEST_MS }, () => {
  let program: Program;
  beforeAll(() => {
    program = compileProgram();
  });
  afterAll(() => program.remove());

  const step = Number(process.env.POLYPHONY_STEP ?? 3);
  test.each(SAMPLE.filter((_, index) => index % step === 0))('%s: %s', async (kind, name) => {
    const { problems } = await program.play(kind, name, SECONDS);
    expect(problems).toEqual([]);
  });
});

test('there are as many cases as were promised, and properties for kills and damaged files', () => {
  const counts = Object.fromEntries(SUITES.map(({ kind, count }) => [kind, count]));
  expect(counts.plans).toBeGreaterThanOrEqual(150);
  expect(counts.providers).toBeGreaterThanOrEqual(100);
  expect(counts.escapes).toBeGreaterThanOrEqual(60);
  expect(counts.kills).toBeGreaterThanOrEqual(500);
  expect(counts.corruptions).toBeGreaterThanOrEqual(1000);
});

test('what is random in the tests behind kills and damaged files is chosen by the seed', () => {
  const files = SUITES.flatMap((suite) => suite.files ?? []);
  expect(files.length).toBeGreaterThanOrEqual(3);
  for (const file of files)
    expect(readFileSync(resolve(root, file), 'utf8'), file).toContain('process.env.POLYPHONY_SEED');
});

describe.concurrent('the command of the suite', { timeout: LONGEST_MS }, () => {
  const command = (...given: readonly string[]): Promise<{ readonly code: number; readonly out: string }> =>
    new Promise((settle) => {
      const flags = ['--conditions=polyphony-source', '--import', 'tsx', 'test/hostile/run.ts'];
      execFile(process.execPath, [...flags, ...given], { cwd: root }, (error, out) =>
        settle({ code: error === null ? 0 : Number(error.code), out }),
      );
    });

  test('plays one case by its name, in the order of a seed that it prints', async () => {
    const given = ['plans', 'readable-plain', '--seed', '7', '--seconds', String(SECONDS)];
    const { code, out } = await command(...given);
    expect(out).toMatch(/^seed 7\nok {3}plans readable-plain: done/);
    expect(out).toMatch(/\n1 passed, 0 failed\n$/);
    expect(code).toBe(0);
  });

  test('fails when a case takes longer than it may', async () => {
    const { code, out } = await command('plans', 'waits-for-a-tool', '--seconds', '0.2');
    expect(out).toContain('FAIL plans waits-for-a-tool');
    expect(out).toMatch(/\n0 passed, 1 failed\n$/);
    expect(code).toBe(1);
  });

  test('knows no other names', async () => {
    expect((await command('plans', 'no-such-plan')).code).toBe(2);
  });
});
