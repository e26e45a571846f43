/**
 * The first answer of a cold process over bare Node: a child that imports polyphony, makes one and asks the embedded
 * engine, against a child that only starts. Needs the build, which `npm run bench` makes.
 *
 *   npm run bench -- cold-start
 */
import { spawnSync } from 'node:child_process';
import type { Measurement } from './measurement.ts';

const ROUNDS = 11;

const ANSWER = `
import { createPolyphony } from 'polyphony';
import embedded from 'polyphony/plugins/providers/embedded';
const polyphony = await createPolyphony({ plugins: [embedded], defaults: false });
const response = await polyphony.gateway.generate({ messages: [{ role: 'user', content:
  'Summarise the following text in one sentence.\\n\\nA cold process answers. It has loaded what it needs and no more.' }] });
if (response.content.length === 0) throw new Error('an empty answer');
await polyphony.close();
`;

function milliseconds(code: string): number {
  const before = performance.now();
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return performance.now() - before;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

export async function run(): Promise<readonly Measurement[]> {
  milliseconds(ANSWER);
  const pairs = Array.from({ length: ROUNDS }, () => ({ bare: milliseconds(''), answer: milliseconds(ANSWER) }));
  return [
    {
      name: 'first answer of a cold process, over bare Node',
      value: median(pairs.map(({ bare, answer }) => answer - bare)),
      unit: 'ms',
      target: { below: 150 },
      details: { bareMs: median(pairs.map(({ bare }) => bare)), answerMs: median(pairs.map(({ answer }) => answer)) },
    },
  ];
}
