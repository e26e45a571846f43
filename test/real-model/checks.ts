/** Facts that hold whatever a real model says: it rambles, is cut, ignores its instructions, and takes seconds. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPolyphony, type Polyphony, PolyphonyError, type Provider } from 'polyphony';
import { embedded } from 'polyphony/plugins/providers/embedded';
import { openaiCompatible } from 'polyphony/plugins/providers/openai-compatible';
import { z } from 'zod';
import { evaluatePlanner } from '../eval/evaluate.ts';
import { reportOf } from '../eval/report.ts';
import { TASKS } from '../eval/tasks/index.ts';
import type { ServedModel } from './server.ts';

const NAME = 'smollm2-135m';
const MODEL = `local/${NAME}`;
const LONG = 'Write a very long story about a harbour.';
/** Between the end of a call and the moment at which the server sees that nobody listens. */
const FREED_MS = 5000;
const PLANNER_MS = 20_000;

type Check = (polyphony: Polyphony, served: ServedModel) => Promise<void>;

/** The model, with as long answers as a check can wait for. */
function localModel({ baseURL }: ServedModel, maxOutputTokens: number): Provider {
  const price = { input: 1, output: 2, source: 'made up, so that costs can be checked' };
  const capabilities = [
    'text',
    'streaming',
    'system',
    'stop',
    'temperature',
    'seed',
    'json-mode',
    'json-schema',
    'planning',
  ] as const;
  const card = { id: NAME, tier: 'fast', contextTokens: 4096, maxOutputTokens, price, capabilities } as const;
  return openaiCompatible({ id: 'local', baseURL, models: [card], concurrency: 4 });
}

export function openWith(served: ServedModel, maxOutputTokens = 300, planner = MODEL): Promise<Polyphony> {
  return createPolyphony({
    providers: [localModel(served, maxOutputTokens), embedded()],
    config: { planner: { model: planner, rounds: 1 }, limits: { run: { plannerCalls: 4 } } },
  });
}

const failure = async (promise: Promise<unknown>): Promise<PolyphonyError> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert(error instanceof PolyphonyError, 'it did not fail');
  return error;
};

async function freed(served: ServedModel): Promise<void> {
  for (let waited = 0; waited < FREED_MS; waited += 100) {
    if ((await served.busySlots()) === 0) return;
    await sleep(100);
  }
  assert.fail('the server still works on an answer that nobody wants');
}

async function rowsOf(polyphony: Polyphony): Promise<number> {
  let rows = 0;
  for await (const _ of polyphony.stores.ledger.rows()) rows += 1;
  return rows;
}

const Town = z.object({ name: z.string(), kind: z.enum(['town', 'capital']), large: z.boolean() });

export const CHECKS: Readonly<Record<string, Check>> = {
  async 'an answer has text, usage and a cost'({ gateway }) {
    const response = await gateway.generate({
      model: MODEL,
      prompt: 'Name a fruit.',
      maxOutputTokens: 20,
      temperature: 0,
    });
    assert(response.text.length > 0 && response.usage.input > 0 && response.usage.output > 0);
    assert.equal(response.costNanoUsd, response.usage.input * 1000 + response.usage.output * 2000);
  },

  async 'a stream says what the whole answer says'({ gateway }) {
    const request = {
      model: MODEL,
      prompt: 'Name three animals.',
      maxOutputTokens: 24,
      temperature: 0,
      cache: 'skip',
    } as const;
    let text = '';
    let last: unknown;
    for await (const event of gateway.stream(request)) {
      if (event.type === 'text-delta') text += event.text;
      last = event.type;
    }
    assert.equal(last, 'finish');
    assert.equal(text, (await gateway.generate(request)).text);
  },

  async 'an answer that is cut says so, and is no object'({ gateway }) {
    const cut = await gateway.generate({ model: MODEL, prompt: LONG, maxOutputTokens: 7 });
    assert.equal(cut.finishReason, 'length');
    assert.equal(cut.usage.output, 7);
    const error = await failure(
      gateway.generate({ model: MODEL, prompt: 'Oslo as JSON', output: Town, maxOutputTokens: 3 }),
    );
    assert.equal(error.code, 'invalid-output');
    assert.match(error.message, /maxOutputTokens/);
  },

  async 'an object is typed, whole and in pieces'({ gateway }) {
    const request = {
      model: MODEL,
      prompt: 'Describe Oslo as JSON.',
      output: Town,
      temperature: 0,
      maxOutputTokens: 120,
    } as const;
    const { object } = await gateway.generate(request);
    assert(Town.safeParse(object).success);
    let pieces = 0;
    for await (const event of gateway.stream({ ...request, cache: 'skip' })) {
      if (event.type === 'partial-object') pieces += 1;
      if (event.type === 'object') assert.deepEqual(event.object, object);
    }
    assert(pieces > 1, `${pieces} pieces`);
  },

  async 'a call that is cancelled frees the server'({ gateway }, served) {
    const control = new AbortController();
    const read = async (): Promise<void> => {
      let pieces = 0;
      const stream = gateway.stream({ model: MODEL, prompt: LONG }, { signal: control.signal });
      for await (const { type } of stream) if (type === 'text-delta' && ++pieces === 3) control.abort();
    };
    assert.equal((await failure(read())).code, 'cancelled');
    await freed(served);
  },

  async 'a deadline holds and frees the server'({ gateway }, served) {
    const started = Date.now();
    const read = async (): Promise<void> => {
      for await (const _ of gateway.stream({ model: MODEL, prompt: LONG, limits: { ms: 400, retries: 0 } }));
    };
    // Streamed, because this server finishes a whole answer even when nobody waits for it.
    const error = await failure(read());
    assert.equal(error.code, 'timeout');
    assert(Date.now() - started < 5000);
    await freed(served);
  },

  async 'sixteen calls queue for four slots, each is answered and booked once'(polyphony, served) {
    const before = await rowsOf(polyphony);
    let most = 0;
    let asking = true;
    const watching = (async () => {
      for (; asking; await sleep(100)) most = Math.max(most, await served.busySlots());
    })();
    const calls = Array.from({ length: 16 }, (_, index) =>
      polyphony.gateway.generate({ model: MODEL, prompt: `Say ${index}.`, maxOutputTokens: 6, cache: 'skip' }),
    );
    const answers = await Promise.all(calls).finally(() => {
      asking = false;
    });
    await watching;
    assert.equal(answers.length, 16);
    assert(most <= 4);
    assert.equal((await rowsOf(polyphony)) - before, 16);
  },

  async 'a doubtful answer climbs, and both rungs are paid'({ gateway }) {
    const response = await gateway.generate({
      model: MODEL,
      prompt: 'Summarise this: The ferry leaves at nine. It carries cars. The crossing takes an hour.',
      maxOutputTokens: 4,
      escalate: { evaluator: 'validators', below: 0.7, to: ['embedded/thorough'] },
    });
    assert.equal(response.escalation?.rungs.length, 2);
    assert.equal(response.attempts.length, 2);
    assert((response.costNanoUsd ?? 0) > 0);
  },

  async 'a run passes answers on'(polyphony) {
    const ask = (prompt: string) => ({ prompt, maxTokens: 16, temperature: 0 });
    const run = await polyphony.run({
      version: 1,
      nodes: [
        { id: 'first', use: 'llm', model: { id: MODEL }, in: ask('Name a fruit.') },
        { id: 'second', use: 'llm', model: { id: MODEL }, in: ask('Describe {{first.text}}') },
      ],
      output: '{{second.text}}',
    });
    assert.equal(run.status, 'done');
    assert((run.costNanoUsd ?? 0) > 0);
  },

  async 'a run that is cancelled ends and frees the server'(polyphony, served) {
    const handle = await polyphony.start({
      version: 1,
      nodes: [{ id: 'story', use: 'llm', model: { id: MODEL }, in: { prompt: LONG } }],
      output: '{{story.text}}',
    });
    for await (const event of handle.events()) if (event.type === 'node-delta') handle.cancel('enough');
    assert.equal((await handle.result()).status, 'cancelled');
    await freed(served);
  },

  async 'a model that cannot plan fails after its only round, or when nobody waits longer, and is booked'(_, served) {
    const polyphony = await openWith(served, 48);
    try {
      // Reading what a planner is told takes this model most of a minute on a busy machine.
      const signal = AbortSignal.timeout(PLANNER_MS);
      const error = await failure(polyphony.plan('Read two files, compare them and list five terms.', { signal }));
      assert.equal(error.code, signal.aborted ? 'cancelled' : 'invalid-plan');
      const calls = await rowsOf(polyphony);
      assert.equal(calls, 1);
    } finally {
      await polyphony.close();
    }
  },

  async 'a request becomes a plan, and its nodes are answered by the model'(_, served) {
    const polyphony = await openWith(served, 40, 'embedded/planner');
    try {
      const text = 'The ferry leaves at nine. It carries cars. The crossing takes an hour.';
      const run = await polyphony.run(`Summarise in one sentence: ${text}`);
      assert.equal(run.status, 'done');
      assert(JSON.stringify(run.output).length > 20);
      const answered: string[] = [];
      for await (const { purpose, target, costNanoUsd } of polyphony.stores.ledger.rows()) {
        if (purpose !== 'planner') answered.push(`${target.provider}/${target.model}`);
        if (purpose !== 'planner') assert((costNanoUsd ?? 0) > 0);
      }
      assert(answered.length > 0 && answered.every((model) => model === MODEL), answered.join());
    } finally {
      await polyphony.close();
    }
  },

  async 'the evaluation of planners measures it, whatever it writes'(_, served) {
    const evaluated = await evaluatePlanner({
      // The request without tools has the shortest prompt, which takes this model most of its time.
      tasks: TASKS.filter(({ id }) => id === 'haiku'),
      providers: [localModel(served, 48)],
      config: { planner: { model: MODEL, rounds: 1 } },
      seconds: PLANNER_MS / 1000,
    });
    const report = reportOf(evaluated);
    assert.equal(report.measured, 1, evaluated[0]?.outcome);
    assert.equal(report.model, MODEL);
    assert(report.inputTokens > 0 && report.score >= 0 && report.score <= 1);
    assert(report.costNanoUsd !== null && report.costNanoUsd > 0);
  },
};
