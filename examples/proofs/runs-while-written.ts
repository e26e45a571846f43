/**
 * A plan that runs while it is written. The planner is a fake that writes a fixed plan at the pace of a real model, 100 tokens
 * per second; the workers are a fake that takes half a second per answer. Clock, validator, scheduler and gateway are real.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { createPolyphony, definePlugin, type Plan, type RunEvent, type StartOptions } from 'polyphony';
import { fakeCard } from 'polyphony/testing';

const CHARACTERS_PER_SECOND = 400; // about 100 tokens
const ANSWER_MS = 500;

const ask = (id: string, prompt: string) => ({ id, use: 'llm', in: { prompt } });
const plan: Plan = {
  version: 1,
  goal: 'Compare three harbours',
  nodes: [
    ask('lindholm', 'Say in two sentences what the harbour of Lindholm is known for, and who built it.'),
    ask('marsk', 'Say in two sentences what the harbour of Marsk is known for, and who built it.'),
    ask('ostby', 'Say in two sentences what the harbour of Ostby is known for, and who built it.'),
    ask('ships', 'List the ships that {{lindholm.text}} and {{marsk.text}} name, one a line, oldest first.'),
    ask('trade', 'Say what was traded, by {{marsk.text}} and {{ostby.text}}, in one sentence each.'),
    ask('answer', 'Compare the three harbours in one paragraph, from {{ships.text}} and {{trade.text}}.'),
  ],
  output: '{{answer.text}}',
};

/** When the planner had written its last character, in milliseconds since the epoch. */
let writtenAt = 0;

async function* write() {
  const pieces = JSON.stringify(plan).match(/[\s\S]{1,20}/g) ?? [];
  for (const text of pieces) {
    await wait((text.length / CHARACTERS_PER_SECOND) * 1000);
    yield { type: 'text-delta', text } as const;
  }
  writtenAt = Date.now();
  yield { type: 'finish', reason: 'stop', usage: { input: 900, output: 300 } } as const;
}

async function* answer() {
  await wait(ANSWER_MS);
  yield { type: 'text-delta', text: 'An answer of the fake.' } as const;
  yield { type: 'finish', reason: 'stop', usage: { input: 60, output: 8 } } as const;
}

const fakes = definePlugin({
  name: 'fakes',
  providers: [
    {
      id: 'fake',
      models: [
        fakeCard({ id: 'planner', tier: 'premium', capabilities: ['text', 'streaming', 'json-mode', 'planning'] }),
        fakeCard({ id: 'worker' }),
      ],
      stream: ({ purpose }) => (purpose === 'planner' ? write() : answer()),
    },
  ],
});

const polyphony = await createPolyphony({ plugins: [fakes], config: { planner: { model: 'fake/planner' } } });
const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2).padStart(5)} s`;

function said(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'plan-delta':
      return `the planner closed  ${event.nodes.map(({ id }) => id).join(', ')}`;
    case 'node-started':
      return `  started           ${event.nodeId}`;
    case 'node-finished':
      return `  finished          ${event.nodeId}`;
    case 'plan-revised':
      return 'the whole plan is written and valid';
    case 'run-finished':
      return 'the run is done';
    default:
      return undefined;
  }
}

interface Timing {
  readonly firstNodeMs: number;
  readonly writtenMs: number;
  readonly doneMs: number;
}

async function timed(options: StartOptions, show: boolean): Promise<Timing> {
  const begun = Date.now();
  const handle = await polyphony.start('Compare three harbours', {}, options);
  let firstNodeMs = 0;
  for await (const event of handle.events()) {
    const at = event.at - begun;
    if (event.type === 'node-started' && firstNodeMs === 0) firstNodeMs = at;
    const line = said(event);
    if (show && line !== undefined) console.log(`${seconds(at)}  ${line}`);
  }
  const { status, error } = await handle.result();
  if (status !== 'done') throw new Error(`the run is ${status}: ${error?.message}`);
  return { firstNodeMs, writtenMs: writtenAt - begun, doneMs: Date.now() - begun };
}

// Loads planner, validator and engine, so that neither run pays for it.
await polyphony.validate(plan);
const streamed = await timed({}, true);
const planned = await timed({ streaming: false }, false);
await polyphony.close();

console.log('\n                      first node   plan written   run done');
for (const [name, { firstNodeMs, writtenMs, doneMs }] of [
  ['while it is written', streamed],
  ['planned first', planned],
] as const)
  console.log(`${name.padEnd(20)}     ${seconds(firstNodeMs)}        ${seconds(writtenMs)}    ${seconds(doneMs)}`);

if (streamed.firstNodeMs >= streamed.writtenMs)
  throw new Error('the first node should start before the plan is written');
if (streamed.doneMs >= planned.doneMs) throw new Error('the streamed run should end sooner');
