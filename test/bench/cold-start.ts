/**
 * The first answer of a cold process: of the embedded engine over bare Node, and of a server over a child that asks the same server by
 * hand, with undici and JSON.parse. Imports are included. Needs the build, which `npm run bench` makes.
 *
 *   npm run bench -- cold-start
 */
import { spawnSync } from 'node:child_process';
import type { Measurement } from './measurement.ts';
import { startUpstream } from './start-upstream.ts';

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

const overNetwork = (url: string): string => `
import { createPolyphony } from 'polyphony';
import { openaiCompatible } from 'polyphony/plugins/providers/openai-compatible';
const provider = openaiCompatible({ id: 'bench', baseURL: ${JSON.stringify(url)}, apiKey: 'none', models: ['bench'] });
const polyphony = await createPolyphony({ providers: [provider], plugins: [], defaults: false });
const { text } = await polyphony.gateway.generate({ prompt: 'Answer.' });
if (text === '') throw new Error('an empty answer');
await polyphony.close();
`;

const byHand = (url: string): string => `
import { request } from 'undici';
const body = JSON.stringify({ model: 'bench', messages: [{ role: 'user', content: 'Answer.' }] });
const headers = { 'content-type': 'application/json', authorization: 'Bearer none' };
const response = await request('${url}/chat/completions', { method: 'POST', headers, body });
const { choices } = JSON.parse(await response.body.text());
if (choices[0].message.content === '') throw new Error('an empty answer');
process.exit(0);
`;

/** Prints a dot for each file that is loaded, of polyphony and of what it depends on. */
const COUNTING = `data:text/javascript,${encodeURIComponent(`
import { register } from 'node:module';
register('data:text/javascript,' + encodeURIComponent(\`
import { writeSync } from 'node:fs';
export async function load(url, context, next) {
  if (url.startsWith('file:')) writeSync(2, '.');
  return next(url, context);
}\`));`)}`;

function filesOf(code: string): number {
  const child = spawnSync(process.execPath, ['--import', COUNTING, '--input-type=module', '--eval', code], {
    encoding: 'utf8',
  });
  if (child.status !== 0) throw new Error(child.stderr);
  return child.stderr.split('.').length - 1;
}

function milliseconds(code: string): number {
  const before = performance.now();
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return performance.now() - before;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

export async function run(): Promise<readonly Measurement[]> {
  const upstream = await startUpstream();
  try {
    return [...embedded(), ...networked(upstream.url)];
  } finally {
    upstream.stop();
  }
}

function networked(url: string): readonly Measurement[] {
  const [ours, hand] = [overNetwork(url), byHand(url)];
  milliseconds(ours);
  const pairs = Array.from({ length: ROUNDS }, () => ({ hand: milliseconds(hand), ours: milliseconds(ours) }));
  return [
    {
      name: 'first answer of a server, by hand in the time of ours',
      value: median(pairs.map((pair) => pair.hand / pair.ours)),
      unit: 'of the time',
      target: { atLeast: 0.7 },
      details: { handMs: median(pairs.map((pair) => pair.hand)), oursMs: median(pairs.map((pair) => pair.ours)) },
    },
  ];
}

function embedded(): readonly Measurement[] {
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
    { name: 'files that it loads', value: filesOf(ANSWER), unit: 'files' },
  ];
}
