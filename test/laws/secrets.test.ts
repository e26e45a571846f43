/**
 * The law of secrets: keys are planted wherever a user can put one, and thrown from wherever something can throw. None is
 * found in what people or files get: errors with their causes and stacks, results, events, journals, the ledger, the log,
 * the health report, and the bytes of the database.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { escalation } from '../../plugins/escalation/escalation.ts';
import { openaiCompatible } from '../../plugins/providers/openai-compatible.ts';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { Plugin, Tool } from '../../src/core/plugin.ts';
import { createPolyphony, type Polyphony, type PolyphonyOptions } from '../../src/polyphony.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { createLogger } from '../../src/system/logger.ts';
import { fakeCard, fakeProvider } from '../../src/testing/fakes.ts';

const SECRETS = {
  key: 'plain-api-key-8113',
  header: 'header-value-8113',
  user: 'user-name-8113',
  password: 'pass word/8113',
  path: 'path-segment-8113',
  mixedPath: 'PlantedPathKey',
  wordsInPath: 'plantedPathWithoutDigits',
  lettersInPath: 'abcdefghijklmnopqrstuv',
  query: 'query-value-8113',
  variable: 'variable-value-8113',
  shape: 'sk-proj-abcdefgh8113ijkl',
};
const ENVIRONMENT = 'SEARCH_API_KEY';

let folder: string;
let server: Server;
let address: string;
let addressWithUser: string;
/** What anybody could see. */
let seen: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'polyphony-secrets-'));
  seen = [];
  process.env[ENVIRONMENT] = SECRETS.variable;
  server = createServer((request, response) => {
    // Repeats all that it was sent, as some servers do.
    const echo = { url: request.url, ...request.headers, userinfo: [SECRETS.user, SECRETS.password] };
    const status = request.headers['x-status'] ?? '500';
    const message = `${inspect(echo)} ${JSON.stringify(echo)} ${encodeURIComponent(JSON.stringify(echo))}`;
    response.writeHead(Number(status), { 'content-type': 'application/json', 'x-request-id': SECRETS.key });
    response.end(JSON.stringify({ error: { message, code: SECRETS.key, echo } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const user = `${SECRETS.user}:${encodeURIComponent(SECRETS.password)}`;
  const place = `127.0.0.1:${(server.address() as AddressInfo).port}/v1/${SECRETS.path}/${SECRETS.mixedPath}/${SECRETS.wordsInPath}/${SECRETS.lettersInPath}/?token=${SECRETS.query}`;
  address = `http://${place}`;
  addressWithUser = `http://${user}@${place}`;
});

afterEach(() => {
  delete process.env[ENVIRONMENT];
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function built(options: PolyphonyOptions): Promise<Polyphony> {
  const logger = await createLogger('debug', (line) => void seen.push(line));
  return createPolyphony({
    plugins: [],
    config: { retry: { retries: 0 } },
    logger,
    stores: sqliteStores({ path: join(folder, 'store.db') }),
    ...options,
  });
}

function see(value: unknown): void {
  seen.push(inspect(value, { depth: null, showHidden: true, maxStringLength: null }));
  if (value instanceof Error) seen.push(String(value.stack));
  else seen.push(JSON.stringify(value) ?? '');
}

/** Everything that a polyphony tells of what happened, then what it left on the disk. */
async function finish(polyphony: Polyphony): Promise<void> {
  for (const run of await polyphony.runs.list({ nested: true })) {
    see(run);
    see(await polyphony.runs.show(run.runId));
    for await (const event of polyphony.runs.replay(run.runId)) see(event);
  }
  for await (const row of polyphony.stores.ledger.rows()) see(row);
  see(polyphony.gateway.health());
  see(polyphony.gateway.statistics());
  await polyphony.close();
  for (const name of readdirSync(folder)) seen.push(readFileSync(join(folder, name), 'latin1'));
}

function expectNone(): void {
  const text = seen.join('\n');
  for (const [place, secret] of Object.entries(SECRETS)) {
    for (const form of [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    ]) {
      const at = text.indexOf(form);
      expect(at < 0 ? '' : `${place}: …${text.slice(Math.max(0, at - 200), at + 100)}`).toBe('');
    }
  }
}

const ask = { messages: [{ role: 'user' as const, content: 'hello' }] };

describe.each(['401', '429', '404', '400', '500', '307'])(
  'a server that repeats what it was sent, with status %s',
  (status) => {
    it.each(['a call', 'a stream', 'a run'])('%s', async (how) => {
      const provider = openaiCompatible({
        id: 'echo',
        baseURL: address,
        apiKey: SECRETS.key,
        headers: {
          'x-tenant': SECRETS.header,
          'x-status': status,
          'x-user': `Basic ${Buffer.from(`${SECRETS.user}:${SECRETS.password}`).toString('base64')}`,
        },
        models: [fakeCard({ id: 'm' })],
      });
      const polyphony = await built({ providers: [provider] });
      const plan: Plan = { version: 1, nodes: [{ id: 'm', use: 'llm', in: { prompt: 'hello' } }] };
      const work = {
        'a call': () => polyphony.gateway.generate(ask),
        'a stream': async () => {
          for await (const event of polyphony.gateway.stream(ask)) see(event);
        },
        'a run': async () => {
          const handle = await polyphony.start(plan);
          for await (const event of handle.events()) see(event);
          see(await handle.result());
          return polyphony.run(plan);
        },
      }[how];
      const error: unknown = await work?.().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(PolyphonyError);
      see(error);
      see(polyphony.gateway.explain({ operation: 'chat', ...ask }));
      await finish(polyphony);
      expect(seen.join('')).toContain('[scrubbed]');
      expectNone();
    });
  },
);

it('an address with a user and a password, which is refused where it is given or where it is read', async () => {
  const given = { id: 'echo', apiKey: SECRETS.key, models: [fakeCard({ id: 'm' })] };
  try {
    openaiCompatible({ ...given, baseURL: addressWithUser });
  } catch (error) {
    see(error);
  }
  const polyphony = await built({ providers: [openaiCompatible({ ...given, baseURL: () => addressWithUser })] });
  const error: unknown = await polyphony.gateway.generate(ask).catch((thrown: unknown) => thrown);
  see(error);
  await finish(polyphony);
  expect(seen.join('').match(/holds a user or a password/g)?.length).toBeGreaterThan(1);
  expectNone();
});

/** Ways in which programs throw what they should not. */
const THROWN: Readonly<Record<string, () => unknown>> = {
  'an error': () => new Error(`rejected: ${process.env[ENVIRONMENT]} and ${SECRETS.shape}`),
  'an error of ours': () =>
    new PolyphonyError('tool-failed', `rejected: ${SECRETS.shape}`, { details: { sent: { value: SECRETS.variable } } }),
  'an error with its request': () =>
    Object.assign(new Error('Request failed'), {
      config: { headers: { authorization: SECRETS.shape }, data: SECRETS.variable },
    }),
  'an error with a cause': () => new Error('outer', { cause: new Error(SECRETS.variable, { cause: SECRETS.shape }) }),
  'several errors': () => new AggregateError([new Error(SECRETS.variable)], SECRETS.shape),
  'a text': () => `rejected: ${SECRETS.variable}`,
  'an object': () => ({ authorization: SECRETS.shape, body: SECRETS.variable }),
};

const RAISERS: Readonly<Record<string, (thrown: () => unknown) => PolyphonyOptions>> = {
  'a tool': (thrown) => ({ plugins: [{ name: 'p', tools: [toolThat(thrown)] }], providers: [fakeProvider({})] }),
  'a layer': (thrown) => ({
    plugins: [
      {
        name: 'p',
        request: {
          place: { before: 'cache' },
          handle: () => {
            throw thrown();
          },
        },
      },
    ],
    providers: [fakeProvider({})],
  }),
  'a provider': (thrown) => ({ providers: [fakeProvider({ script: () => [{ fail: thrown() as Error }] })] }),
  'an evaluator': (thrown) => ({
    plugins: [
      escalation({ policy: { evaluator: 'strict', to: ['fake/one'] } }),
      {
        name: 'p',
        evaluators: [
          {
            name: 'strict',
            evaluate: () => {
              throw thrown();
            },
          },
        ],
      },
    ],
    providers: [fakeProvider({})],
  }),
  'a listener': (thrown) => ({
    plugins: [
      {
        name: 'p',
        onEvent: () => {
          throw thrown();
        },
      },
    ],
    providers: [fakeProvider({})],
  }),
};

function toolThat(thrown: () => unknown): Tool {
  return {
    name: 'fails',
    description: 'Fails.',
    input: { type: 'object' },
    run: async () => {
      throw thrown();
    },
  };
}

const PLAN: Plan = {
  version: 1,
  nodes: [
    { id: 'm', use: 'llm', in: { prompt: 'hello' } },
    { id: 't', use: 'tool:fails', needs: ['m'] },
  ],
};
const CALL_ONLY: Plan = { version: 1, nodes: [{ id: 'm', use: 'llm', in: { prompt: 'hello' } }] };

describe.each(Object.entries(RAISERS))('%s that throws', (who, options) => {
  it.each(Object.entries(THROWN))('%s', async (_name, thrown) => {
    const polyphony = await built(options(thrown));
    const handle = await polyphony.start(who === 'a tool' ? PLAN : CALL_ONLY);
    for await (const event of handle.events()) see(event);
    see(await handle.result());
    await polyphony.gateway.generate(ask).catch(see);
    await finish(polyphony);
    expectNone();
  });
});

it('a plugin whose setup throws', async () => {
  for (const thrown of Object.values(THROWN)) {
    const plugin: Plugin = {
      name: 'p',
      setup: () => {
        throw thrown();
      },
    };
    await built({ plugins: [plugin] }).catch(see);
  }
  expectNone();
});
