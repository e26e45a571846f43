/**
 * What it takes to run a plan while it is written: when its first node starts and its last one ends, against a plan that is
 * written first, on a simulated clock; and the processor's time for reading and checking it.
 *
 *   npm run bench -- planning
 */
import type { RunEvent } from '../../src/core/run/engine.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { type FakeProvider, fakeCard, fakeProvider, finish } from '../../src/testing/index.ts';
import { openDraft } from '../../src/validator/draft.ts';
import { validate } from '../../src/validator/validate.ts';
import { catalogue, longPlan } from '../validator/catalogue.ts';
import type { Measurement } from './measurement.ts';
import { type SimulatedRuntime, simulatedRuntime } from './simulated-clock.ts';

const TOKENS_PER_SECOND = 100;
const CHARACTERS_PER_TOKEN = 4;
/** Of a node's answer. */
const ANSWER_MS = 1500;
const ROUNDS = 80;

/** Fan-outs of four that are joined, one behind the other: 25 nodes, some 1,000 tokens. */
function planText(): string {
  const groups = Array.from({ length: 5 }, (_, group) => {
    const before = group === 0 ? '' : ` with {{join_${group - 1}.text}}`;
    const parts = Array.from({ length: 4 }, (_each, part) => ({
      id: `part_${group}_${part}`,
      use: 'llm',
      in: { prompt: `Look at side ${part} of question ${group}${before} and say what follows from it.` },
      model: { tier: 'fast' },
    }));
    const all = parts.map(({ id }) => `{{${id}.text}}`).join('\n');
    return [...parts, { id: `join_${group}`, use: 'llm', in: { prompt: `Bring together what was found:\n${all}` } }];
  });
  const output = { answer: '{{join_4.text}}' };
  return JSON.stringify({ version: 1, goal: 'Answer five questions', nodes: groups.flat(), output }, null, 1);
}

function provider(runtime: SimulatedRuntime, text: string): FakeProvider {
  const tokens = text.match(new RegExp(`[\\s\\S]{1,${CHARACTERS_PER_TOKEN}}`, 'g')) ?? [];
  const wait = 1000 / TOKENS_PER_SECOND;
  const written = tokens.flatMap((token) => [{ wait }, { type: 'text-delta', text: token } as const]);
  return fakeProvider({
    runtime,
    models: [fakeCard({ id: 'one', capabilities: ['text', 'streaming', 'json-mode', 'planning'] })],
    script: ({ purpose }) =>
      purpose === 'planner'
        ? [...written, finish()]
        : [{ wait: ANSWER_MS }, { type: 'text-delta', text: 'So it is.' }, finish()],
  });
}

interface Times {
  /** Milliseconds from the request on. */
  readonly firstNode: number;
  readonly end: number;
}

async function timesOf(text: string, streaming: boolean): Promise<Times> {
  const runtime = simulatedRuntime();
  const polyphony = await createPolyphony({ runtime, providers: [provider(runtime, text)], plugins: [] });
  const handle = await runtime.drive(polyphony.start('Answer five questions', {}, { streaming }));
  const { status, error } = await runtime.drive(handle.result());
  if (status !== 'done') throw new Error(`the run of the benchmark ${status}: ${error?.message}`);
  let firstNode: number | undefined;
  let last: RunEvent | undefined;
  for await (const event of handle.events()) {
    if (event.type === 'node-started') firstNode ??= event.at;
    last = event;
  }
  await polyphony.close();
  return { firstNode: firstNode ?? Number.NaN, end: last?.at ?? Number.NaN };
}

/** Milliseconds, the median of several. */
function timed(work: () => void): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return times[ROUNDS >> 1] ?? Number.NaN;
}

function readingOf(nodes: number): { readonly draft: number; readonly whole: number } {
  const text = JSON.stringify(longPlan(nodes));
  const pieces = text.match(/[\s\S]{1,4}/g) ?? [];
  const all = catalogue({ bounds: { nodes } });
  const draft = (): void => {
    const open = openDraft(all);
    let found = 0;
    for (const piece of pieces) found += open.push(piece).length;
    if (found !== nodes) throw new Error(`the draft of the benchmark gave ${found} of ${nodes} nodes`);
  };
  return { draft: timed(draft), whole: timed(() => void validate(text, all)) };
}

export async function run(): Promise<readonly Measurement[]> {
  const text = planText();
  const [early, late] = [await timesOf(text, true), await timesOf(text, false)];
  const { draft, whole } = readingOf(256);
  return [
    {
      name: 'first node starts, of when the plan is whole',
      value: early.firstNode / late.firstNode,
      unit: '× (simulated, 100 tokens/s)',
      details: { 'ms early': early.firstNode, 'ms planned first': late.firstNode },
    },
    {
      name: 'the run ends, of when it is planned first',
      value: early.end / late.end,
      unit: '× (simulated, 100 tokens/s)',
      details: { 'ms early': early.end, 'ms planned first': late.end },
    },
    {
      name: 'read and check 256 nodes, four letters a time',
      value: draft / whole,
      unit: '× the whole at once',
      details: { ms: draft, 'ms at once': whole },
    },
  ];
}
