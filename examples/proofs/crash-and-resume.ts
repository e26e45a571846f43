/**
 * A crash and a resume that pays nothing twice. A process that runs a plan of six nodes is killed with SIGKILL while the fourth
 * waits for its answer; this one resumes the run from the file. The model is a fake behind a real HTTP server in this process, which
 * counts every request that reaches it, so that the count does not depend on polyphony's own reports.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  createPolyphony,
  definePlugin,
  formatUsd,
  type Plan,
  type Polyphony,
  PolyphonyError,
  type RunHandle,
} from 'polyphony';
import { openaiCompatible } from 'polyphony/plugins/providers/openai-compatible';
import { sqliteStores } from 'polyphony/stores/sqlite';

const RUN = 'run_proof';
const NODES = ['one', 'two', 'three', 'four', 'five', 'six'];
/** The process is killed while this node waits for its answer. */
const KILLED_IN = 'four';
const plan: Plan = {
  version: 1,
  nodes: NODES.map((id, index) => {
    const before = NODES[index - 1];
    return { id, use: 'llm', in: { prompt: `node ${id}` }, ...(before === undefined ? {} : { needs: [before] }) };
  }),
  output: '{{six.text}}',
};

const open = (url: string, path: string): Promise<Polyphony> => {
  const model = { id: 'voice', maxOutputTokens: 50, price: { input: 2, output: 10 } };
  const provider = openaiCompatible({ id: 'fake', baseURL: url, apiKey: 'none', models: [model] });
  return createPolyphony({
    plugins: [definePlugin({ name: 'fake', providers: [provider] })],
    stores: sqliteStores({ path }),
  });
};

/** What the fake vendor saw: the node of each request, in order. */
const requested: string[] = [];
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const node = /node (\w+)/.exec(Buffer.concat(chunks).toString())?.[1] ?? '';
  const first = !requested.includes(node);
  requested.push(node);
  if (node === KILLED_IN && first) return;
  await wait(100);
  const message = { role: 'assistant', content: 'An answer of the fake.' };
  const usage = { prompt_tokens: 100, completion_tokens: 20 };
  const body = { id: '1', choices: [{ index: 0, message, finish_reason: 'stop' }], usage };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});

/** Runs the plan in another process and kills it. */
async function crash(url: string, path: string): Promise<void> {
  const program = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, [...process.execArgv, program, url, path], { stdio: 'inherit' });
  while (!requested.includes(KILLED_IN)) await wait(10);
  child.kill('SIGKILL');
  const [, signal] = await once(child, 'exit');
  console.log(`the process was killed by ${signal} while node "${KILLED_IN}" waited for its answer`);
}

/** At once: on the same host it is seen that the process which holds the lease is dead. Elsewhere its lease ends in ten seconds. */
async function resumed(polyphony: Polyphony): Promise<RunHandle> {
  const begun = Date.now();
  for (;;) {
    try {
      const handle = await polyphony.resume(RUN);
      console.log(`resumed after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
      return handle;
    } catch (error) {
      if (!(error instanceof PolyphonyError && error.code === 'store-busy')) throw error;
      await wait(250);
    }
  }
}

async function main(): Promise<void> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const folder = mkdtempSync(join(tmpdir(), 'crash-'));
  const path = join(folder, 'polyphony.db');
  await crash(url, path);

  const polyphony = await open(url, path);
  const { nodes } = await polyphony.engine.inspect(RUN);
  console.log(`in the journal: ${nodes.map(({ id, state }) => `${id} ${state}`).join(', ')}`);
  const { status, costNanoUsd } = await (await resumed(polyphony)).result();
  console.log(`the run is ${status}, ${formatUsd(costNanoUsd)}\n`);

  const rows = await polyphony.stores.ledger.totals('scope:node');
  console.log('node    requests at the vendor   rows in the ledger   cost');
  for (const node of NODES) {
    const row = rows.find(({ group }) => group === `${RUN}/${node}`);
    const requests = requested.filter((one) => one === node).length;
    console.log(
      `${node.padEnd(8)}${String(requests).padEnd(25)}${String(row?.attempts).padEnd(21)}${formatUsd(row?.costNanoUsd ?? null)}`,
    );
    if (row?.attempts !== requests) throw new Error(`node ${node} should be in the ledger ${requests} times`);
    if (requests !== (node === KILLED_IN ? 2 : 1)) throw new Error(`node ${node} was requested ${requests} times`);
  }
  await polyphony.close();
  server.close();
  rmSync(folder, { recursive: true, force: true });
  if (status !== 'done') throw new Error('the run should be done');
}

const [, , url, path] = process.argv;
if (url === undefined || path === undefined) await main();
else {
  const polyphony = await open(url, path);
  await (await polyphony.start(plan, {}, { runId: RUN })).result();
}
