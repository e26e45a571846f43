/** One hostile provider: two calls to it, whole and streamed, then what they left, and a call to a good one. */

import type { ModelResponse } from '../../../src/core/model/model.ts';
import type { Provider } from '../../../src/core/model/provider.ts';
import { collect, textOf } from '../../../src/core/model/response.ts';
import { usdToNano } from '../../../src/core/money/money.ts';
import { createPolyphony, type Polyphony } from '../../../src/index.ts';
import { fakeCard, fakeProvider } from '../../../src/testing/fakes.ts';
import { codeOf } from '../harness/watch.ts';
import { asProvider, type ProviderCase } from './provider-case.ts';
import { type HostileServer, startServer } from './server.ts';
import { PROVIDER_KEY, WIRES } from './wires.ts';

const SCOPES = [{ kind: 'tenant', id: 'payer', capNanoUsd: usdToNano(1000) }] as const;
/** Two attempts and the pause between them take half of it. */
const LONGEST_CALL_MS = 8000;
const SOCKETS_GONE_MS = 2000;

const CONFIG = {
  retry: { retries: 1, baseMs: 1, maxMs: 5 },
  timeouts: { connectMs: 1000, firstTokenMs: 1000, answerMs: 1500, idleMs: 1000, totalMs: 2000 },
};

interface Stage {
  readonly providers: readonly Provider[];
  readonly server: HostileServer | undefined;
}

async function stageOf(one: ProviderCase): Promise<Stage> {
  if ('provider' in one) {
    const bad = fakeProvider({ id: 'bad', models: [fakeCard({ id: 'm' })] });
    const good = fakeProvider({ id: 'good', models: [fakeCard({ id: 'm' })], script: () => 'fine' });
    return { providers: [asProvider(one.provider, bad), good], server: undefined };
  }
  const wire = WIRES[one.wire ?? 'chat'];
  const server = await startServer(one, one.wire ?? 'chat');
  const providers = [
    await wire.provider('bad', server.bad, [fakeCard({ id: 'm' })]),
    await wire.provider('good', server.good, [fakeCard({ id: 'm' })]),
  ];
  return { providers, server };
}

export async function playProvider(one: ProviderCase, problems: string[]): Promise<string> {
  const { providers, server } = await stageOf(one);
  const outcomes: string[] = [];
  try {
    const polyphony = await createPolyphony({ providers, plugins: [], environment: false, config: CONFIG });
    for (const streamed of [false, true]) outcomes.push(await called(polyphony, one, streamed, problems));
    await checkMoney(polyphony, problems);
    await checkGoodCall(polyphony, problems);
    await polyphony.close();
  } catch (error) {
    const code = codeOf(error, problems, 'provider' in one);
    outcomes.push(code);
    if (!('mayBeRefused' in one && one.mayBeRefused)) problems.push(`could not be made, used or closed: ${code}`);
  }
  if (server !== undefined && !(await server.idle(SOCKETS_GONE_MS))) problems.push('a socket is still open');
  server?.close();
  if ('polluted' in {} || Object.keys(Object.prototype).length > 0)
    problems.push('the prototype of all objects changed');
  return [...new Set(outcomes)].join(', ');
}

async function called(polyphony: Polyphony, one: ProviderCase, streamed: boolean, problems: string[]): Promise<string> {
  const start = performance.now();
  const ended = await ending(polyphony, one, streamed, problems);
  const ms = performance.now() - start;
  if (ms > LONGEST_CALL_MS) problems.push(`the call took ${Math.round(ms)} ms`);
  const kind = ended === 'answer' ? 'answer' : 'error';
  if (one.ends !== undefined && one.readerWaitsMs === undefined && kind !== one.ends) {
    problems.push(`${streamed ? 'streamed' : 'whole'}: ended with ${ended}, not with an ${one.ends}`);
  }
  return ended;
}

/** `answer`, or the code of the error. */
async function ending(polyphony: Polyphony, one: ProviderCase, streamed: boolean, problems: string[]): Promise<string> {
  const tools = (one.tools ?? []).map((name) => ({ name, inputSchema: { type: 'object' } }));
  const request = {
    messages: [{ role: 'user' as const, content: 'Say fine' }],
    model: { id: 'bad/m' },
    ...(tools.length === 0 ? {} : { tools }),
  };
  try {
    if (!streamed) checkAnswer(await polyphony.gateway.generate(request, { scopes: SCOPES }), problems);
    else if (one.readerWaitsMs === undefined) {
      await collect(polyphony.gateway.stream(request, { scopes: SCOPES }), {
        trace: { attempts: [] },
        signal: new AbortController().signal,
      });
    } else await readLazily(polyphony, request, one.readerWaitsMs);
    return 'answer';
  } catch (error) {
    if (String(error).includes(PROVIDER_KEY)) problems.push('the error shows the key');
    return codeOf(error, problems, 'provider' in one);
  }
}

async function readLazily(polyphony: Polyphony, request: object, waitsMs: number): Promise<void> {
  const asked = request as Parameters<Polyphony['gateway']['stream']>[0];
  for await (const event of polyphony.gateway.stream(asked, { scopes: SCOPES })) {
    if (event.type === 'route') continue;
    await new Promise((resolve) => setTimeout(resolve, waitsMs));
    break;
  }
}

const isMoney = (cost: unknown): boolean => cost === null || (Number.isSafeInteger(cost) && Number(cost) >= 0);

function checkAnswer(response: ModelResponse, problems: string[]): void {
  const { costNanoUsd, usage, attempts } = response;
  if (!isMoney(costNanoUsd)) problems.push(`the cost is ${String(costNanoUsd)}`);
  // The settings of an account may search a few times.
  if ((usage.searches ?? 0) > 8) problems.push(`${usage.searches} searches are counted that nobody asked for`);
  for (const attempt of attempts) {
    if (!isMoney(attempt.costNanoUsd)) problems.push(`an attempt costs ${String(attempt.costNanoUsd)}`);
  }
  for (const [field, count] of Object.entries(usage)) {
    const isCount = count === undefined || (Number.isSafeInteger(count) && Number(count) >= 0);
    if (typeof count !== 'object' && !isCount) problems.push(`usage.${field} is ${String(count)}`);
  }
}

/** What the caps have counted is what the ledger tells. */
async function checkMoney({ stores }: Polyphony, problems: string[]): Promise<void> {
  await stores.ledger.flush();
  let sum = 0;
  for await (const { costNanoUsd } of stores.ledger.rows()) {
    if (!isMoney(costNanoUsd)) problems.push(`a row of the ledger costs ${String(costNanoUsd)}`);
    sum += costNanoUsd ?? 0;
  }
  const counter = (await stores.keyValue.get('budget:tenant:payer')) ?? 0;
  if (counter !== sum) problems.push(`the cap has counted ${String(counter)}, the ledger ${sum}`);
}

async function checkGoodCall(polyphony: Polyphony, problems: string[]): Promise<void> {
  try {
    const messages = [{ role: 'user' as const, content: 'Say fine' }];
    const response = await polyphony.gateway.generate({ messages, model: { id: 'good/m' } }, { scopes: SCOPES });
    if (textOf(response) !== 'fine') problems.push(`the good call was answered with ${textOf(response).slice(0, 50)}`);
  } catch (error) {
    problems.push(`the good call after it: ${codeOf(error, problems)}`);
  }
}
