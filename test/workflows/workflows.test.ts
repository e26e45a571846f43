import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { groq } from '../../plugins/providers/groq.ts';
import { ollama } from '../../plugins/providers/ollama.ts';
import { openaiCompatible } from '../../plugins/providers/openai-compatible.ts';
import { together } from '../../plugins/providers/together.ts';
import { createPolyphony, type Polyphony, type Provider } from '../../src/index.ts';

const folder = resolve(import.meta.dirname, '../../workflows');
const names = readdirSync(folder).flatMap((file) => (file.endsWith('.ts') ? [file.slice(0, -3)] : []));
/** One needs a model that makes pictures: see illustrate.test.ts. */
const ofTexts = names.filter((name) => name !== 'illustrate');

const open = async <T>(use: (polyphony: Polyphony) => Promise<T>): Promise<T> => {
  const polyphony = await createPolyphony();
  try {
    return await use(polyphony);
  } finally {
    await polyphony.close();
  }
};

describe('ready-made workflows', () => {
  it('are five at least, each as TypeScript and as JSON', () => {
    expect(names.length).toBeGreaterThanOrEqual(5);
    expect(readdirSync(folder).filter((file) => file.endsWith('.plan.json'))).toHaveLength(names.length);
  });

  it.each(ofTexts)('%s: both say the same, and the plan is valid without repair', async (name) => {
    const { default: workflow } = await import(join(folder, `${name}.ts`));
    const text = readFileSync(join(folder, `${name}.plan.json`), 'utf8');
    expect(JSON.parse(text), 'run `npm run workflows`').toEqual(workflow.plan);
    expect(workflow.id).toBe(name);
    await open(async (polyphony) => {
      const { issues, repaired } = await polyphony.validate(text);
      expect({ issues, repaired }).toEqual({ issues: [], repaired: [] });
    });
  });

  it.each<[string, () => Provider]>([
    ['Groq', groq],
    ['Together', together],
    ['one local server', () => openaiCompatible({ baseURL: 'http://127.0.0.1:9/v1', local: true, models: ['mine'] })],
    ['Ollama', () => ollama({ models: ['mine'] })],
  ])('are valid with %s alone', async (_provider, make) => {
    const polyphony = await createPolyphony({ providers: [make()] });
    try {
      for (const name of ofTexts) {
        const { issues } = await polyphony.validate(readFileSync(join(folder, `${name}.plan.json`), 'utf8'));
        const errors = issues.filter(({ severity }) => severity === 'error');
        expect({ name, errors }).toEqual({ name, errors: [] });
      }
    } finally {
      await polyphony.close();
    }
  });

  it('run: triage takes the branch of the label', async () => {
    const { default: triage } = await import('../../workflows/triage.ts');
    await open(async (polyphony) => {
      const ticket = 'My invoice 12 charges me twice for one seat. Please refund the payment.';
      const { output, status } = await polyphony.run(triage, { ticket });
      expect(status).toBe('done');
      expect(output.label).toBe('billing');
      expect(output.about).toContain('invoice 12');
    });
  });

  it('run: digest reads every file that matches', async () => {
    const { default: digest } = await import('../../workflows/digest.ts');
    await open(async (polyphony) => {
      const { output } = await polyphony.run(digest, { pattern: 'examples/material/*.md' });
      expect(output.files).toHaveLength(3);
      expect(output.summaries).toHaveLength(3);
      expect(output.digest.length).toBeGreaterThan(40);
    });
  });

  it('run: ask answers from the text', async () => {
    const { default: ask } = await import('../../workflows/ask.ts');
    await open(async (polyphony) => {
      const { output } = await polyphony.run(ask, {
        question: 'How much does a late book cost a day?',
        pattern: 'examples/material/rules.md',
      });
      expect(output.answer).toContain('fifty cents');
    });
  });

  it('run: compare names both sides', async () => {
    const { default: compare } = await import('../../workflows/compare.ts');
    await open(async (polyphony) => {
      const { output } = await polyphony.run(compare, {
        first: 'examples/material/harbour.md',
        second: 'examples/material/valley.md',
      });
      expect(output.first).toContain('harbour');
      expect(output.comparison.length).toBeGreaterThan(100);
    });
  });

  it('run: support answers a question from the texts, and asks a person about a refund', async () => {
    const { default: support } = await import('../../workflows/support.ts');
    const pattern = 'examples/material/handbook/*';
    await open(async (polyphony) => {
      const asked = await polyphony.run(support, { letter: 'What does a late book cost a day?', pattern });
      expect(asked).toMatchObject({
        status: 'done',
        output: { reply: expect.stringContaining('fifty cents'), refund: 'not asked' },
      });
      const letter = 'The lamp of order 4471 came broken. Please refund the payment.';
      const waiting = await polyphony.run(support, { letter, pattern });
      expect(waiting).toMatchObject({
        status: 'suspended',
        waiting: [{ id: 'review', choices: ['refund', 'refuse'] }],
      });
      const refused = await (await polyphony.runs.answer(waiting.runId, 'review', 'refuse')).result();
      expect(refused.output).toMatchObject({ kind: 'refund', reply: null, refund: 'refuse' });
    });
  });

  it('run: extract makes a row of each file, and keeps what failed apart', async () => {
    const { default: extract } = await import('../../workflows/extract.ts');
    await open(async (polyphony) => {
      const { output } = await polyphony.run(extract, { pattern: 'examples/material/invoices/*' });
      expect(output.rows.map((row) => row?.date ?? null)).toEqual(['2026-03-04', '2026-03-19', '2026-03-27', null]);
      expect(output.rows.map((row) => row?.total ?? null)).toEqual([192.5, 324, 266, null]);
      expect(output.rows.slice(0, 3).every((row) => row?.customer === 'Reading Room')).toBe(true);
    });
  });

  it('run: approve waits for a person, and goes on with the answer', async () => {
    const { default: approve } = await import('../../workflows/approve.ts');
    await open(async (polyphony) => {
      const asked = await polyphony.run(approve, { path: 'examples/material/rules.md' });
      expect(asked).toMatchObject({ status: 'suspended', waiting: [{ nodeId: 'review' }] });
      expect(asked).not.toHaveProperty('output');
      await polyphony.engine.answer(asked.runId, 'review', 'yes');
      const result = await (await polyphony.resume(asked.runId)).result();
      expect(result.output).toMatchObject({ approved: true, summary: expect.stringContaining('reading room') });
    });
  });
});
