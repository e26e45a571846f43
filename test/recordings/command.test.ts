/** The command over other recordings: what it prints of those that it cannot play. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { haveRecordings } from './runner.ts';

const folder = mkdtempSync(join(tmpdir(), 'polyphony-recordings-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const COMMAND = ['--conditions=polyphony-source', '--import', 'tsx', 'test/recordings/run.ts'];

function recordings(...given: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...COMMAND, ...given], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), out: error?.code === 2 ? stderr : stdout }),
    );
  });
}

const answer = JSON.stringify({ message: { role: 'assistant', content: 'Hi' }, done: true, done_reason: 'stop' });
const fixture = (id: string, text: string, protocol = 'ollama-chat'): object => ({
  id,
  protocol,
  streaming: false,
  expected: { kind: 'chat', text, finish: 'stop' },
});

describe.skipIf(!haveRecordings)('the command (skipped where POLYPHONY_SHARED holds no replay server)', () => {
  test('goes through all, and says of each that disagrees what and why', async () => {
    const index = join(folder, 'index.json');
    const played = { streaming: false, response: { status: 200, headers: {}, bodyText: answer } };
    for (const id of ['good', 'bad']) writeFileSync(join(folder, `${id}.json`), JSON.stringify(played));
    const fixtures = [
      fixture('lost', 'Hi'),
      fixture('good', 'Hi'),
      fixture('bad', 'Ho'),
      fixture('odd', 'Hi', 'telegraph'),
      { id: 'bad', protocol: 'ollama-chat' },
    ];
    writeFileSync(index, JSON.stringify({ fixtures }));
    const { code, out } = await recordings('--index', index, '--data', folder, '--json');
    expect(code).toBe(1);
    const report = JSON.parse(out) as Record<string, { disagree: { field: string }[] }>;
    report['ollama-chat']?.disagree.sort((a, b) => a.field.localeCompare(b.field));
    const lost = { id: 'lost', field: 'file', expected: join(folder, 'lost.json'), got: 'missing', variant: '-' };
    expect(report).toEqual({
      'ollama-chat': {
        total: 4,
        agree: 1,
        disagree: [
          lost,
          {
            id: 'bad',
            field: 'run',
            expected: 'to be compared',
            got: expect.stringContaining('TypeError'),
            variant: '-',
          },
          { id: 'bad', field: 'text', expected: 'Ho', got: 'Hi', variant: '-' },
        ],
      },
      telegraph: {
        total: 1,
        agree: 0,
        disagree: [{ id: 'odd', field: 'protocol', expected: expect.any(Array), got: 'telegraph', variant: '-' }],
      },
    });
  });

  test('ends with 2 where there is no index, or none that is one', async () => {
    expect(await recordings('--index', join(folder, 'none.json'))).toMatchObject({
      code: 2,
      out: expect.stringContaining('none.json'),
    });
    const list = join(folder, 'list.json');
    writeFileSync(list, '{}');
    expect(await recordings('--index', list)).toMatchObject({ code: 2, out: expect.stringContaining('"fixtures"') });
  });
});
