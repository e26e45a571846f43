/** Where the attempts happen: a folder with a secret beside it, a server that nobody may reach, tools that count, a model that obeys. */
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Attempt, CAPABILITIES, type JsonValue, type ModelEvent } from '../../../src/core/model/model.ts';
import type { Provider } from '../../../src/core/model/provider.ts';
import { definePlugin, defineTool, type Plugin } from '../../../src/index.ts';
import { fakeCard, finish } from '../../../src/testing/fakes.ts';
import { SECRET } from '../plans/material.ts';
import type { EscapeCase, World } from './escape-case.ts';

/** What one answer of the model costs at its price: 10 tokens at 1000 dollars a million, 5 at 2000. */
export const ANSWER_USD = 0.02;

export async function openWorld(root: string): Promise<World> {
  const [folder, out] = [join(root, 'open'), join(root, 'out')];
  for (const made of [folder, out]) mkdirSync(made, { recursive: true });
  writeFileSync(join(root, 'secret.txt'), `key,value\n${SECRET},1\n`);
  writeFileSync(join(folder, 'notes.txt'), 'Nothing to see.');
  writeFileSync(join(folder, '.env'), `KEY=${SECRET}`);
  symlinkSync(join(root, 'secret.txt'), join(folder, 'link.txt'));
  symlinkSync(root, join(folder, 'up'));
  symlinkSync(root, join(out, 'up'));
  const hits: string[] = [];
  const server = createServer((request, response) => {
    hits.push(request.url ?? '');
    const moves = request.url === '/moved';
    const { port } = server.address() as AddressInfo;
    response.writeHead(moves ? 302 : 200, moves ? { location: `http://localhost:${port}/private` } : {}).end(SECRET);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  const counts = { pings: 0, answers: 0, plannings: 0, open: 0, mostOpen: 0, longestPrompt: 0, leaked: false };
  const origin = `http://127.0.0.1:${port}`;
  return { root, folder, out, origin, port, hits, wired: [], ...counts, close: () => closed(server) };
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((done) => void server.close(() => done()));
}

/** Files outside of the folder that may be written. */
export const writtenOutside = ({ root }: World): readonly string[] =>
  readdirSync(root).filter((name) => !['open', 'out', 'secret.txt', 'store'].includes(name));

export const countingTools = (world: World, { lured, sideEffects }: EscapeCase, isGuarded: boolean): Plugin => {
  const declared = sideEffects === undefined ? true : sideEffects(isGuarded);
  return definePlugin({
    name: 'counting',
    tools: [
      defineTool({
        name: 'lure',
        description: 'Reads what a stranger wrote.',
        input: {},
        output: { text: 'string?', path: 'string?', url: 'string?', items: 'any' },
        sideEffects: false,
        run: () => ({ items: [], ...lured?.(world) }),
      }),
      defineTool({
        name: 'ping',
        description: 'Counts.',
        input: { n: 'any' },
        output: { n: 'integer', ok: 'boolean' },
        sideEffects: false,
        run: () => ({ n: ++world.pings, ok: false }),
      }),
      defineTool({
        name: 'wire_money',
        description: 'Pays.',
        input: { to: 'string', usd: 'number' },
        output: { receipt: 'string' },
        ...(declared === undefined ? {} : { sideEffects: declared }),
        run: ({ to }) => ({ receipt: `R-${world.wired.push(to)}` }),
      }),
    ],
  });
};

/** Answers with the plan, with what the case wants to be called, or with a word. */
export function obedientModel(world: World, one: EscapeCase, plan: unknown): Provider {
  let answered = 0;
  const card = fakeCard({
    id: 'one',
    tier: 'premium',
    contextTokens: 10_000_000,
    capabilities: CAPABILITIES,
    price: { input: 1000, output: 2000 },
  });
  async function* written(): AsyncGenerator<ModelEvent> {
    const [first, rest] = halves(plan);
    yield { type: 'text-delta', text: first };
    if (rest !== '') await untilSomethingStarted(world);
    yield { type: 'text-delta', text: rest };
    yield finish({ usage: { input: 10, output: 5 } });
  }
  async function* answer({ request, purpose }: Attempt): AsyncGenerator<ModelEvent> {
    const text = JSON.stringify(request);
    world.longestPrompt = Math.max(world.longestPrompt, text.length);
    world.leaked ||= text.includes(SECRET);
    if (purpose === 'planner') {
      world.plannings += 1;
      return yield* written();
    }
    world.answers += 1;
    // Others get a chance to be open at the same time.
    await sleep(1);
    const calls = one.calls?.(answered++, world) ?? [];
    for (const [index, { name, arguments: given }] of calls.entries()) {
      const call = { type: 'tool-call', id: `c${answered}-${index}`, name, arguments: given as JsonValue } as const;
      yield { type: 'tool-call', call };
    }
    if (calls.length === 0) yield { type: 'text-delta', text: 'ok' };
    yield finish({ reason: calls.length === 0 ? 'stop' : 'tool-calls' });
  }
  return {
    id: 'fake',
    models: [card],
    async *stream(attempt) {
      world.open += 1;
      world.mostOpen = Math.max(world.mostOpen, world.open);
      try {
        yield* answer(attempt);
      } finally {
        world.open -= 1;
      }
    },
  };
}

/** A text is cut at the mark `|`, a plan behind its first node. */
function halves(plan: unknown): readonly [string, string] {
  const text = typeof plan === 'string' ? plan : JSON.stringify(plan);
  const at = text.indexOf('|');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

const MOST_TURNS = 60;

async function untilSomethingStarted(world: World): Promise<void> {
  const happened = (): number =>
    world.wired.length + world.hits.length + writtenOutside(world).length + readdirSync(world.out).length;
  const before = happened();
  for (let turn = 0; turn < MOST_TURNS && happened() === before; turn += 1) await sleep(3);
}
