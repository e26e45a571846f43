/** The plans that read or write tables: run as the command would, with the config beside them, into a folder of the test. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fakeCard, fakeProvider, finish } from 'polyphony/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embedded } from '../../plugins/providers/embedded.ts';
import type { ChatRequest, Part } from '../../src/core/model/model.ts';
import type { Provider } from '../../src/core/model/provider.ts';
import { createPolyphony, type RunResult } from '../../src/index.ts';

const plans = resolve(import.meta.dirname, '../../examples/plans');
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'polyphony-tables-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(name: string, provider: Provider, input = {}): Promise<RunResult> {
  const config = JSON.parse(readFileSync(join(plans, `${name}.config.json`), 'utf8'));
  expect(config).toEqual({ tools: { write: { folder: 'out' } } });
  const polyphony = await createPolyphony({ providers: [provider], config: { tools: { write: { folder } } } });
  try {
    const { plan, issues, repaired } = await polyphony.validate(readFileSync(join(plans, `${name}.plan.json`), 'utf8'));
    expect({ issues, repaired }).toEqual({ issues: [], repaired: [] });
    if (plan === undefined) throw new Error('the plan is not valid');
    return await (await polyphony.start(plan, input)).result();
  } finally {
    await polyphony.close();
  }
}
const linesOf = (name: string) => readFileSync(join(folder, name), 'utf8').split('\r\n');

/** What a model that reads texts and files would say of the invoices. */
function answerOf(parts: readonly Part[]): object {
  const text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
  const file = parts.find((part) => part.type === 'file');
  const bytes = file?.source.type === 'base64' ? Buffer.from(file.source.data, 'base64').toString('latin1') : '';
  const all = text + bytes;
  const found = (pattern: RegExp) => pattern.exec(all)?.[1] ?? '';
  return {
    number: found(/Invoice number: ([^\n)]+)/),
    date: found(/Date: ([\d-]+)/),
    total: Number(found(/Total: ([\d.]+)/)),
  };
}

const reader = (): Provider =>
  fakeProvider({
    models: [
      fakeCard({ id: 'one', capabilities: [...(fakeCard({ id: 'one' }).capabilities ?? []), 'image-in', 'file-in'] }),
    ],
    script: ({ request }) => {
      const { content = '' } = (request as ChatRequest).messages.at(-1) ?? {};
      const parts: readonly Part[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
      return [{ type: 'text-delta', text: JSON.stringify(answerOf(parts)) }, finish()];
    },
  });

describe('invoices-to-table.plan.json', () => {
  it('makes one table of texts and a PDF', async () => {
    const result = await run('invoices-to-table', reader());
    expect(result.error).toBeUndefined();
    expect(result.output).toEqual({ table: 'invoices.csv', rows: 4 });
    expect(linesOf('invoices.csv')).toEqual([
      'path,number,date,total',
      'examples/material/invoices/2026-031.txt,2026-031,2026-03-04,192.5',
      'examples/material/invoices/2026-044.txt,LL-5518,2026-03-19,324',
      'examples/material/invoices/2026-052.txt,77/2026,2026-03-27,266',
      'examples/material/invoices/2026-061.pdf,CP-907,2026-03-30,148',
      '',
    ]);
  });
});

describe('batch-classification.plan.json', () => {
  it('writes the rows that it read with their labels', async () => {
    const result = await run('batch-classification', embedded());
    expect(result.error).toBeUndefined();
    expect(result.output).toEqual({ table: 'labelled.csv', rows: 4 });
    const lines = linesOf('labelled.csv');
    expect(lines[0]).toBe('id;from;text;label;confidence');
    expect(lines.slice(1, 5).map((line) => line.split(';').at(-2))).toEqual([
      'billing',
      'technical',
      'other',
      'technical',
    ]);
    expect(lines[2]).toContain('"The app crashes with the error ""cannot read layout"" since the update."');
  });
});
