/**
 * The process that the law of attempts kills: makes calls and runs under caps, and goes on with the runs that it finds.
 *
 *   node attempts-child.js <database> <log> <life> [last]
 *
 * `last`: goes on with the runs, then ends by itself. The log has a line for each request that reached the provider, before
 * anything is answered.
 */
import { appendFileSync } from 'node:fs';
import type { Attempt } from '../../src/core/model/model.ts';
import { usdToNano } from '../../src/core/money/money.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { sleep, systemClock, systemRuntime } from '../../src/system/clock.ts';
import { fakeCard, fakeProvider, finish, seededRandom } from '../../src/testing/fakes.ts';

const [database = '', log = '', life = '0', last] = process.argv.slice(2);
const random = seededRandom(Number(life) + 1);
const note = (line: object): void => appendFileSync(log, `${JSON.stringify({ life: Number(life), ...line })}\n`);

function script(attempt: Attempt) {
  note({ sent: attempt.id });
  process.stdout.write('sent\n');
  const wait = { waitMs: random() * 12 };
  const text = { type: 'text-delta', text: 'some words' } as const;
  // Near its cap a call is limited to what is left: a provider that goes on beyond that would break the cap by itself.
  const most = attempt.request.operation === 'chat' ? (attempt.request.maxOutputTokens ?? 100) : 0;
  const output = Math.min(most, 5 + Math.floor(random() * 40));
  return [wait, text, wait, finish({ usage: { input: 10, output } })];
}

const tenant = { kind: 'tenant', id: `t${life}`, capNanoUsd: usdToNano(0.002) } as const;
const ask = { messages: [{ role: 'user' as const, content: 'Say something.' }] };
const plan: Plan = {
  version: 1,
  budget: { usd: 0.01 },
  input: { list: 'integer[]' },
  nodes: [
    { id: 'a', use: 'llm', in: { prompt: 'One.' } },
    { id: 'b', use: 'llm', in: { prompt: 'Two. {{a.text}}' }, limits: { usd: 0.004 } },
    { id: 'each', use: 'llm', each: '{{input.list}}', in: { prompt: 'Three. {{item}} {{a.text}}' } },
    { id: 'z', use: 'llm', in: { prompt: 'Four. {{b.text}} {{each}}' } },
  ],
  output: '{{z.text}}',
};

const models = [fakeCard({ id: 'one', maxOutputTokens: 100 })];
const polyphony = await createPolyphony({
  plugins: [],
  providers: [fakeProvider({ models, script, runtime: systemRuntime })],
  stores: sqliteStores({ path: database }),
  config: {
    budgets: [
      { scope: 'session', usd: 100 },
      { scope: 'user', id: 'ann', usd: 100 },
    ],
  },
});
const scopes = [tenant, { kind: 'user', id: 'ann' } as const];

/** What the journal holds as finished: the ids of its calls begin with run and node. */
async function finishedNodes(runId: string): Promise<string[]> {
  const finished: string[] = [];
  for await (const event of polyphony.engine.replay(runId))
    if (event.type === 'node-finished') finished.push(`${runId}/${event.nodeId}`);
  return finished;
}

async function goOn(): Promise<void> {
  for (const { runId } of await polyphony.runs.list({ status: 'running' })) {
    note({ finished: await finishedNodes(runId) });
    const { status, costNanoUsd, error } = await (await polyphony.resume(runId)).result();
    note({ ended: runId, status, costNanoUsd, code: error?.code });
  }
}

async function call(): Promise<void> {
  const session = `s${Math.floor(random() * 3)}`;
  if (random() < 0.5) await polyphony.gateway.generate(ask, { scopes, session });
  else for await (const event of polyphony.gateway.stream(ask, { scopes, session })) if (event.type === 'finish') break;
}

async function forever(work: () => Promise<unknown>): Promise<void> {
  for (;;) await work().catch(() => sleep(systemClock, 2));
}

// The store is opened after this.
process.stdout.write('go\n');
await goOn();
if (last === undefined) {
  const run = async () => (await polyphony.start(plan, { list: [1, 2, 3] }, { scopes: scopes.slice(1) })).result();
  await Promise.all([...Array.from({ length: 6 }, () => forever(call)), forever(run), forever(run)]);
}
await polyphony.close();
