/** Two servers, a polyphony over them, and calls whose time is moved by hand. */

import { openaiCompatible } from '../../plugins/providers/openai-compatible.ts';
import { chaos } from '../../plugins/testing/chaos.ts';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { ModelEvent } from '../../src/core/model/model.ts';
import type { Provider } from '../../src/core/model/provider.ts';
import { textOf } from '../../src/core/model/response.ts';
import { usdToNano } from '../../src/core/money/money.ts';
import type { LedgerRow } from '../../src/core/stores.ts';
import { createPolyphony, type Polyphony } from '../../src/index.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeCard, fakeClock, fakeRuntime } from '../../src/testing/fakes.ts';
import { PROVIDER_KEY, WIRES } from '../hostile/providers/wires.ts';
import { countedClock, createDriver } from './driver.ts';
import { good } from './plays.ts';
import type { CallSettings, Scenario, Seen, StreamRequest, World } from './scenario.ts';
import { startServer } from './servers.ts';

/** The longest that any call may take on the clock, in milliseconds. */
const LONGEST_MS = 600_000;
export const SCOPE = { kind: 'tenant', id: 'payer', capNanoUsd: usdToNano(10) } as const;

const CONFIG = {
  retry: { retries: 1, baseMs: 100, maxMs: 5000 },
  timeouts: { firstTokenMs: 5000, answerMs: 8000, idleMs: 3000, totalMs: 40_000 },
  routes: { main: { chain: ['first/m', 'second/m'] } },
} as const;

async function providersOf(scenario: Scenario, first: string, second: string): Promise<readonly Provider[]> {
  const { wire = 'chat', keys, card, concurrency, alone } = scenario;
  const models = [fakeCard({ ...card, id: 'm' })];
  const one =
    keys === undefined && concurrency === undefined
      ? await WIRES[wire].provider('first', first, models)
      : openaiCompatible({
          id: 'first',
          baseURL: first,
          models,
          apiKeys: keys ?? [PROVIDER_KEY],
          concurrency: concurrency ?? 64,
        });
  if (alone === true) return [one];
  return [one, await WIRES[wire].provider('second', second, [fakeCard({ id: 'm' })])];
}

export interface OpenWorld extends World {
  readonly rows: () => Promise<readonly LedgerRow[]>;
  readonly counter: () => Promise<number>;
  /** Timers that somebody waits for. */
  readonly awaited: () => number;
  readonly close: () => Promise<void>;
}

export async function openWorld(scenario: Scenario, problems: string[]): Promise<OpenWorld> {
  const { wire = 'chat', first: play = good(), second: other = good(), rules, config, alone } = scenario;
  const { clock, awaited } = countedClock(fakeClock());
  const runtime = { ...fakeRuntime(7), clock };
  const driver = await createDriver(clock, scenario.patienceMs);
  const first = await startServer({ wire, play, clock, driver });
  const second = await startServer({ wire, play: other, clock, driver });
  const routes = alone === true ? { main: { chain: ['first/m'] } } : CONFIG.routes;
  const stores = memoryStores({ clock });
  const polyphony = await createPolyphony({
    providers: await providersOf(scenario, first.url, second.url),
    plugins: rules === undefined ? [] : [chaos({ rules, seed: 7 })],
    defaults: false,
    environment: false,
    config: { ...CONFIG, routes, ...config },
    runtime,
    stores,
  });
  const begin = (settings: CallSettings = {}): Promise<Seen> =>
    called({ scenario, polyphony, runtime, rowsOf }, settings);
  const rows = async (): Promise<readonly LedgerRow[]> => {
    await stores.ledger.flush();
    const all: LedgerRow[] = [];
    for await (const row of stores.ledger.rows()) all.push(row);
    return all;
  };
  const rowsOf = async (callId: string): Promise<readonly LedgerRow[]> =>
    (await rows()).filter((row) => row.callId === callId).reverse();
  return {
    polyphony,
    runtime,
    driver,
    first,
    second,
    problems,
    begin,
    call: (settings) => driver.until(begin(settings), LONGEST_MS),
    expect(holds, problem) {
      if (!holds) problems.push(problem);
    },
    rows,
    counter: async () => Number((await stores.keyValue.get('budget:tenant:payer')) ?? 0),
    awaited,
    async close() {
      driver.close();
      await Promise.all([first.close(), second.close()]);
    },
  };
}

interface Caller {
  readonly scenario: Scenario;
  readonly polyphony: Polyphony;
  readonly runtime: World['runtime'];
  readonly rowsOf: (callId: string) => Promise<readonly LedgerRow[]>;
}

interface Reading {
  readonly events: ModelEvent[];
  text: string;
  by: string | undefined;
  left: boolean;
  readonly warnings: string[];
}

async function called(caller: Caller, settings: CallSettings): Promise<Seen> {
  const { scenario, runtime, rowsOf } = caller;
  const { options = {} } = settings;
  const id = options.id ?? runtime.ids('call');
  const start = runtime.clock.monotonic();
  const reading: Reading = { events: [], text: '', by: undefined, left: false, warnings: [] };
  const request: StreamRequest = {
    messages: [{ role: 'user', content: 'Good day.' }],
    model: { route: 'main' },
    ...scenario.request,
    ...settings.request,
  };
  let ending: Seen['ending'];
  try {
    await read(caller, settings, request, { scopes: [SCOPE], ...options, id }, reading);
    ending = reading.left ? 'left' : reading.by === 'first' ? 'answer' : 'failover';
  } catch (error) {
    ending = error instanceof PolyphonyError ? error.code : 'foreign';
    thrown.set(id, error);
  }
  const ms = runtime.clock.monotonic() - start;
  const seen: Seen = {
    ending,
    text: reading.text,
    ms,
    rows: await rowsOf(id),
    warnings: reading.warnings,
    events: reading.events,
  };
  if (thrown.has(id)) errors.set(seen, thrown.get(id));
  thrown.delete(id);
  return seen;
}

const thrown = new Map<string, unknown>();
const errors = new WeakMap<Seen, unknown>();
/** What the call failed with. */
export const errorOfCall = (seen: Seen): unknown => errors.get(seen);

async function read(
  { scenario, polyphony }: Caller,
  settings: CallSettings,
  request: StreamRequest,
  options: CallSettings['options'],
  reading: Reading,
): Promise<void> {
  if (!(settings.streamed ?? scenario.streamed ?? true)) {
    const response = await polyphony.gateway.generate(request, options);
    reading.text = textOf(response);
    reading.by = response.target.provider;
    reading.warnings.push(...response.warnings.map(({ code }) => code));
    return;
  }
  for await (const event of polyphony.gateway.stream(request, options) as AsyncIterable<ModelEvent>) {
    reading.events.push(event);
    if (event.type === 'route') reading.by = event.target.provider;
    else if (event.type === 'text-delta') reading.text += event.text;
    else if (event.type === 'restart') reading.text = '';
    else if (event.type === 'warning') reading.warnings.push(event.warning.code);
    if (reading.events.length !== settings.leaveAfter) continue;
    reading.left = true;
    break;
  }
}
