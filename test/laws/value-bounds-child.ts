/**
 * The process that the law of bounded values watches: runs each plan of a file and prints how it ended.
 *
 *   node --max-old-space-size=256 value-bounds-child.ts <file> [<file of the store>]
 */
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { createPolyphony, definePlugin, type Polyphony, value, workflow } from '../../src/index.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeCard, fakeProvider, finish } from '../../src/testing/fakes.ts';
import type { GrowingPlan } from './growing-plans.ts';

const input = { type: 'object' } as const;
const tools = definePlugin({
  name: 'files',
  tools: [
    {
      name: 'file',
      description: 'Reads a file of so many bytes.',
      input,
      sideEffects: false,
      async run({ bytes }: Readonly<Record<string, unknown>>) {
        await setImmediate();
        return 'f'.repeat(Number(bytes));
      },
    },
    { name: 'fail', description: 'Fails.', input, run: () => Promise.reject(new Error('no')) },
    {
      name: 'shout',
      description: 'Fails with a long message.',
      input,
      sideEffects: false,
      run: () => Promise.reject(new Error('no '.repeat(33_333))),
    },
  ],
});
const grow = workflow({ id: 'grow', input: z.object({ t: z.any() }) })
  .node('one', value, ({ input: { t } }) => ({ in: { t: [t, t, t] } }))
  .node('two', value, ({ one }) => ({ in: { t: one.t, text: 'grown' } }))
  .output(({ two }) => ({ t: two.t }));
/** Answers with a text in many pieces. */
const script = () => [
  ...Array.from({ length: 200 }, () => ({ type: 'text-delta', text: 'word '.repeat(50) }) as const),
  finish(),
];

/** The text of the model repeats itself, and is to be as long as it likes. */
const config = { limits: { answers: { repeatedCharacters: 0 } } };

async function ended(plan: GrowingPlan['plan'], polyphony: Polyphony): Promise<object> {
  try {
    const { status, error } = await (await polyphony.start(plan)).result();
    return { status, code: error?.code, message: error?.message.slice(0, 300) };
  } catch (error) {
    return { status: 'refused', message: String(error) };
  }
}

const [file = '', path] = process.argv.slice(2);
for (const { name, plan } of JSON.parse(readFileSync(file, 'utf8')) as GrowingPlan[]) {
  const models = [fakeCard({ id: 'wide', contextTokens: 10_000_000 })];
  const providers = [fakeProvider({ models, script })];
  const stores = path === undefined ? {} : { stores: sqliteStores({ path }) };
  const polyphony = await createPolyphony({ providers, plugins: [tools], workflows: [grow], config, ...stores });
  console.log(JSON.stringify({ name }));
  console.log(JSON.stringify({ name, ...(await ended(plan, polyphony)) }));
  await polyphony.close();
}
