/** Calls, streams and runs, with a mark in V8's log of hidden classes before and after those that count. See forms.test.ts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exactCache } from '../../plugins/caching/exact-cache.ts';
import { escalation } from '../../plugins/escalation/escalation.ts';
import { validators } from '../../plugins/escalation/validators.ts';
import { localRules, moderation } from '../../plugins/moderation/moderation.ts';
import { openaiCompatible } from '../../plugins/providers/openai-compatible.ts';
import calculate from '../../plugins/tools/calculate.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import { createEngine } from '../../src/executor/engine.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { systemRuntime } from '../../src/system/clock.ts';
import { layeredPlan } from '../bench/dag.ts';
import { gatewayWithEverything, OPTIONS, requestOf } from '../bench/everything.ts';
import { modelPlan } from '../bench/model-nodes.ts';

const TIMES = 50;

/** A name that no object had is a hidden class of its own, which the log names. */
function mark(name: string): void {
  Object.assign({}, { [name]: true });
}

async function counted(name: string, work: () => Promise<unknown>): Promise<void> {
  for (let warm = 0; warm < TIMES; warm += 1) await work();
  mark(`${name}-begins`);
  for (let time = 0; time < TIMES; time += 1) await work();
  mark(`${name}-ends`);
}

const usage = { prompt_tokens: 12, completion_tokens: 2, total_tokens: 14 };
const limits = {
  'x-ratelimit-limit-requests': '1000000',
  'x-ratelimit-remaining-requests': '999999',
  'x-ratelimit-reset-requests': '1s',
  'x-request-id': 'req-1',
};
const answer = JSON.stringify({
  id: 'a',
  model: 'announced',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }],
  usage,
});
const chunk = (delta: object, reason: string | null): string =>
  `data: ${JSON.stringify({ id: 'a', model: 'announced', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
const streamed = `${chunk({ content: 'Yes.' }, null)}${chunk({}, 'stop')}data: ${JSON.stringify({ id: 'a', choices: [], usage })}\n\ndata: [DONE]\n\n`;

const call = { id: 'c1', type: 'function', function: { name: 'calculate', arguments: '{"expression":"2 + 3"}' } };
const callingAnswer = JSON.stringify({
  id: 'a',
  model: 'announced',
  choices: [
    { index: 0, message: { role: 'assistant', content: null, tool_calls: [call] }, finish_reason: 'tool_calls' },
  ],
  usage,
});
const streamedCall = `${chunk({ tool_calls: [{ index: 0, ...call }] }, null)}${chunk({}, 'tool_calls')}data: ${JSON.stringify({ id: 'a', choices: [], usage })}\n\ndata: [DONE]\n\n`;

async function upstream(): Promise<Server> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => {
      body += part.toString();
    });
    request.on('end', () => {
      const isStreamed = body.includes('"stream":true');
      response.writeHead(200, { 'content-type': isStreamed ? 'text/event-stream' : 'application/json', ...limits });
      const calls = body.includes('"tools"') && !body.includes('"role":"tool"');
      if (calls) response.end(isStreamed ? streamedCall : callingAnswer);
      else response.end(isStreamed ? streamed : answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const server = await upstream();
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
const request = requestOf('announced', 'Is it so?');
const folder = mkdtempSync(join(tmpdir(), 'polyphony-forms-'));

const inMemory = gatewayWithEverything(url, memoryStores());
await counted('whole', () => inMemory.generate(request, OPTIONS));
await counted('stream', async () => {
  for await (const _event of inMemory.stream(request, OPTIONS));
});
await inMemory.close();

const stored = sqliteStores({ path: join(folder, 'calls.db') });
const inSqlite = gatewayWithEverything(url, stored);
await counted('sqlite', () => inSqlite.generate(request, OPTIONS));
await inSqlite.close();
await stored.close();

const steps = new Map([['step', async () => ({ value: null, costNanoUsd: 0 })]]);
const { plan } = layeredPlan({ nodes: 100, seed: 1, known: true });
const validPlan = (): never => {
  throw new Error('nothing is resumed here');
};
await counted('run', () =>
  createEngine({
    runtime: systemRuntime,
    journal: memoryStores({ clock: systemRuntime.clock }).journal,
    runners: steps,
    validPlan,
  })
    .start(plan)
    .result(),
);

const model = { id: 'announced', price: { input: 0.15, output: 0.6 }, contextTokens: 128_000, maxOutputTokens: 4096 };
const models = [model, { ...model, id: 'other' }];
const bench = { name: 'bench', providers: [openaiCompatible({ id: 'bench', baseURL: url, apiKey: 'bench', models })] };
const polyphony = await createPolyphony({
  plugins: [bench, calculate()],
  defaults: false,
  config: {},
  stores: sqliteStores({ path: join(folder, 'runs.db') }),
});
await counted('models', () => polyphony.run(modelPlan, { what: 'it', list: ['a', 'b', 'c'] }));
await counted('events', async () => {
  const run = await polyphony.start(modelPlan, { what: 'it', list: ['a', 'b', 'c'] });
  for await (const _event of run.events());
  await run.result();
});
const agent: Plan = {
  version: 1,
  nodes: [{ id: 'asks', use: 'llm', in: { prompt: 'What is 2 + 3? Use the tool.', tools: ['calculate'] } }],
  output: '{{asks}}',
};
await counted('tools', () => polyphony.run(agent));
await polyphony.close();

let question = 0;
const watched = await createPolyphony({
  plugins: [
    bench,
    exactCache(),
    validators(),
    escalation(),
    moderation({
      classifiers: [localRules({ rules: [{ category: 'secret', terms: ['launch code'] }] })],
      action: 'block',
    }),
  ],
  defaults: false,
  config: {},
});
await counted('plugins', () => {
  question += 1;
  return watched.gateway.generate({
    model: 'bench/announced',
    messages: [{ role: 'user', content: `Is ${question} so?` }],
    escalate: { evaluator: 'validators', below: 0.7, to: ['bench/other'] },
  });
});
await watched.close();

rmSync(folder, { recursive: true });
server.closeAllConnections();
server.close();
