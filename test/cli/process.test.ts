/** The command as a process: what signals, kills and closed pipes leave behind. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { deferred } from '../kit/loopback.ts';
import { folderWith, type Started, start } from './call.ts';

const chain = {
  version: 1,
  goal: 'a chain',
  nodes: [
    { id: 'one', use: 'llm', in: { prompt: 'ask one' } },
    { id: 'two', use: 'llm', in: { prompt: 'ask two after {{one.text}}' } },
    { id: 'three', use: 'llm', in: { prompt: 'ask three after {{two.text}}' } },
  ],
  output: '{{three.text}}',
};
const OUTPUT = 'said three';

// The tests run side by side, so the servers live until the last of them is over.
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A model that holds back its answer to `held` until it is let go, and remembers what it was asked. */
async function model(held: string) {
  const gate = deferred();
  const reached = deferred();
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await textOf(request);
    const word = /ask (\w+)/.exec(body)?.[1] ?? '';
    asked.push(word);
    if (word === held) {
      reached.resolve();
      await gate.promise;
    }
    const message = { role: 'assistant', content: `said ${word}` };
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
    const stream = body.includes('"stream":true');
    response.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' });
    const whole = {
      id: 'x',
      object: 'chat.completion',
      model: 'm',
      choices: [{ index: 0, message, finish_reason: 'stop' }],
      usage,
    };
    const chunk = {
      ...whole,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta: message, finish_reason: 'stop' }],
    };
    response.end(stream ? `data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n` : JSON.stringify(whole));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const folder = folderWith({ 'chain.plan.json': chain });
  const environment = { POLYPHONY_BASE_URL: `http://127.0.0.1:${port}/v1`, POLYPHONY_MODELS: 'm' };
  return {
    gate,
    reached: reached.promise,
    asked,
    command: (...given: string[]) => start(given, { folder, environment }),
  };
}

const runIdOf = (text: string): string => /run_[0-9a-f]+/.exec(text)?.[0] ?? '';
const document = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

async function sees(started: Started, words: string): Promise<void> {
  while (!started.text.out.includes(words) && !started.text.err.includes(words)) await pause(20);
}

describe.concurrent('a run of the command', () => {
  it('killed in its middle gives the same output when it is resumed, and nothing is asked twice that was finished', async () => {
    const { gate, reached, asked, command } = await model('two');
    const killed = command('run', 'chain.plan.json', '--events');
    await reached;
    await sees(killed, '"node-finished"');
    killed.child.kill('SIGKILL');
    expect((await killed.ended).code).toBe(137);
    gate.resolve();
    const runId = runIdOf(killed.text.out);
    const resumed = await command('runs', 'resume', runId, '--json').ended;
    expect(document(resumed.out)).toMatchObject({ runId, status: 'done', output: OUTPUT });
    expect(resumed.code).toBe(0);
    expect(asked.filter((word) => word === 'one')).toHaveLength(1);
    expect(asked.filter((word) => word === 'two')).toHaveLength(2);
    expect(asked.filter((word) => word === 'three')).toHaveLength(1);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'stopped by %s ends with 130, prints one document, and can be resumed at once',
    async (signal) => {
      const { gate, reached, asked, command } = await model('two');
      const stopped = command('run', 'chain.plan.json', '--json');
      await reached;
      stopped.child.kill(signal);
      const { code, out, err } = await stopped.ended;
      expect(code).toBe(130);
      expect(err).toContain('finished nodes are kept');
      const { runId, status } = document(out);
      expect(status).toBe('cancelled');
      gate.resolve();
      const resumed = await command('runs', 'resume', String(runId), '--json').ended;
      expect(resumed).toMatchObject({ code: 0, err: '' });
      expect(document(resumed.out)).toMatchObject({ status: 'done', output: OUTPUT });
      expect(asked.filter((word) => word === 'one')).toHaveLength(1);
    },
  );

  it('whose reader has gone stops, and is kept', async () => {
    const { gate, reached, command } = await model('two');
    const run = command('run', 'chain.plan.json', '--events');
    await reached;
    await sees(run, '"node-finished"');
    run.child.stdout?.destroy();
    gate.resolve();
    const { code, err } = await run.ended;
    expect([0, 130]).toContain(code);
    expect(err).not.toMatch(/EPIPE|\n\s+at /);
    const list = await command('runs', 'list', '--json').ended;
    expect(JSON.parse(list.out)).toMatchObject([{ runId: runIdOf(run.text.out) }]);
  });

  it('can be watched from another process, which ends as the run does', async () => {
    const { gate, reached, command } = await model('two');
    const run = command('run', 'chain.plan.json', '--events');
    await reached;
    await sees(run, '"node-finished"');
    const runId = runIdOf(run.text.out);
    const watching = command('runs', 'watch', runId, '--events');
    await sees(watching, '"node-finished"');
    gate.resolve();
    expect(await run.ended).toMatchObject({ code: 0 });
    const { code, out } = await watching.ended;
    expect(code).toBe(0);
    expect(out.trim().split('\n').at(-1)).toContain('"run-finished"');
  });

  it('can be cancelled from another process', async () => {
    const { gate, reached, command } = await model('two');
    const run = command('run', 'chain.plan.json', '--json');
    await reached;
    const list = await command('runs', 'list', '--json').ended;
    const [{ runId }] = JSON.parse(list.out) as [{ runId: string }];
    const cancelled = await command('runs', 'cancel', runId, '--json').ended;
    expect(cancelled.code).toBe(0);
    expect(JSON.parse(cancelled.out)).toEqual({ runId, cancelled: true, status: 'cancelled' });
    const { code, out } = await run.ended;
    expect({ code, status: document(out).status }).toEqual({ code: 130, status: 'cancelled' });
    gate.resolve();
  });

  it('that no price is known for is refused under a cap, with 4', async () => {
    const { asked, command } = await model('none');
    const { code, out, err } = await command('run', 'chain.plan.json', '--budget', '0.01', '--json').ended;
    expect({ code, error: document(out).error }).toMatchObject({ code: 4, error: { code: 'budget-exceeded' } });
    expect(err).toBe('');
    // The server is asked for its models, which has no body, and for nothing else.
    expect(asked.filter((body) => body !== '')).toEqual([]);
  });
});
