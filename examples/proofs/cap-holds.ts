/**
 * A cap that 64 concurrent calls cannot break: first in one process, then in four processes that share one SQLite file. The
 * model is a fake that costs up to a cent per answer and usually less; cap, reservation and ledger are real.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createPolyphony, definePlugin, formatUsd, type Polyphony, PolyphonyError, usdToNano } from 'polyphony';
import { sqliteStores } from 'polyphony/stores/sqlite';
import { fakeCard } from 'polyphony/testing';

const CALLS = 64;
const PROCESSES = 4;
const CAP_USD = 0.1;

/** A cent for ten tokens, the most that it may return. It returns six, five or four of them, after 50 ms. */
let answers = 0;
const fake = definePlugin({
  name: 'fake',
  providers: [
    {
      id: 'fake',
      models: [fakeCard({ id: 'cent', maxOutputTokens: 10, price: { input: 0, output: 1000 } })],
      async *stream() {
        answers += 1;
        const output = 4 + (answers % 3);
        await wait(50);
        yield { type: 'text-delta', text: 'An answer of the fake.' };
        yield { type: 'finish', reason: 'stop', usage: { input: 5, output } };
      },
    },
  ],
});

interface Outcome {
  readonly answered: number;
  readonly refused: number;
  readonly others: number;
  readonly firstRefusal?: string;
}

/** Starts `count` calls in one tick, all of them charged to the tenant "acme". */
async function askAtOnce(polyphony: Polyphony, count: number): Promise<Outcome> {
  const messages = [{ role: 'user', content: 'Say something.' }] as const;
  const scopes = [{ kind: 'tenant', id: 'acme' }] as const;
  const calls = Array.from({ length: count }, () => polyphony.gateway.generate({ messages }, { scopes }));
  const settled = await Promise.allSettled(calls);
  const errors = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  const refusals = errors.filter((error) => error instanceof PolyphonyError && error.code === 'budget-exceeded');
  return {
    answered: count - errors.length,
    refused: refusals.length,
    others: errors.length - refusals.length,
    ...(refusals[0] instanceof Error ? { firstRefusal: refusals[0].message } : {}),
  };
}

const open = (path?: string): Promise<Polyphony> =>
  createPolyphony({
    plugins: [fake],
    config: { budgets: [{ scope: 'tenant', id: 'acme', usd: CAP_USD }] },
    ...(path === undefined ? {} : { stores: sqliteStores({ path }) }),
  });

/** What the tenant paid, by the ledger. */
async function spent(polyphony: Polyphony): Promise<number> {
  const totals = await polyphony.stores.ledger.totals('scope:tenant');
  return totals.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
}

function report(title: string, { answered, refused, others, firstRefusal }: Outcome, nanoUsd: number): void {
  console.log(`${title}\n  answered ${answered}, refused with budget-exceeded ${refused}, other errors ${others}`);
  console.log(`  spent ${formatUsd(nanoUsd)} of ${formatUsd(usdToNano(CAP_USD))}`);
  if (firstRefusal !== undefined) console.log(`  the first refusal: ${firstRefusal}`);
  if (nanoUsd > usdToNano(CAP_USD)) throw new Error('the cap was broken');
  if (answered + refused !== CALLS) throw new Error('a call is missing');
}

async function inOneProcess(): Promise<void> {
  const polyphony = await open();
  report(`${CALLS} concurrent calls in one process`, await askAtOnce(polyphony, CALLS), await spent(polyphony));
  const last = await askAtOnce(polyphony, CALLS);
  console.log(`${CALLS} more: answered ${last.answered}; spent ${formatUsd(await spent(polyphony))} in all`);
  if ((await spent(polyphony)) > usdToNano(CAP_USD)) throw new Error('the cap was broken');
  await polyphony.close();
}

/** The approach without a gateway: read the spent amount, and call while it is below the cap. */
async function withACheckOfOnesOwn(): Promise<void> {
  const polyphony = await createPolyphony({ plugins: [fake] });
  const scopes = [{ kind: 'tenant', id: 'acme' }] as const;
  const ask = async (): Promise<void> => {
    if ((await spent(polyphony)) >= usdToNano(CAP_USD)) return;
    await polyphony.gateway.generate({ messages: [{ role: 'user', content: 'Say something.' }] }, { scopes });
  };
  await Promise.all(Array.from({ length: CALLS }, ask));
  console.log(
    `for comparison, ${CALLS} calls that each check "spent < cap" first: ${formatUsd(await spent(polyphony))}`,
  );
  await polyphony.close();
}

/** One of the four: waits until all are ready, asks, and reports on its channel. */
async function child(path: string): Promise<void> {
  const polyphony = await open(path);
  await polyphony.stores.keyValue.get('ready');
  process.send?.('ready');
  await once(process, 'message');
  process.send?.(await askAtOnce(polyphony, CALLS / PROCESSES));
  await polyphony.close();
  process.disconnect();
}

async function inFourProcesses(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'cap-'));
  const path = join(folder, 'polyphony.db');
  const program = fileURLToPath(import.meta.url);
  const children = Array.from({ length: PROCESSES }, () =>
    spawn(process.execPath, [...process.execArgv, program, path], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
  );
  await Promise.all(children.map((one) => once(one, 'message')));
  const outcomes = await Promise.all(
    children.map(async (one) => {
      const [answer, ended] = [once(one, 'message'), once(one, 'exit')];
      one.send('go');
      const [outcome] = (await answer) as [Outcome];
      await ended;
      return outcome;
    }),
  );
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, one) => total + of(one), 0);
  const all = { answered: sum((o) => o.answered), refused: sum((o) => o.refused), others: sum((o) => o.others) };
  const polyphony = await open(path);
  report(`${PROCESSES} processes with ${CALLS / PROCESSES} calls each, one SQLite file`, all, await spent(polyphony));
  await polyphony.close();
  rmSync(folder, { recursive: true, force: true });
}

const [, , database] = process.argv;
if (database !== undefined) await child(database);
else {
  await inOneProcess();
  await inFourProcesses();
  await withACheckOfOnesOwn();
}
