/** Plays recordings against our providers, end to end: loopback server, transport, provider, wire format, `collect`. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Attempt, ModelRequest, Provider, Transport } from 'polyphony';
import { collect } from 'polyphony/kit';
import { readWhole } from '../../src/core/whole.ts';
import { ADAPTERS, MODEL, RECORDED_MODEL } from './adapters.ts';
import { type Difference, difference, type Expected, type Outcome } from './compare.ts';
import { vendorProvider } from './vendors.ts';

export interface Fixture {
  readonly id: string;
  readonly protocol: string;
  /** The vendor. */
  readonly provider?: string;
  readonly streaming: boolean;
  readonly expected: Expected;
}

export interface ReplayServer {
  base(id: string, options?: string): string;
  stop(): Promise<void>;
}

interface Replay {
  start(options?: { readonly resolve?: (id: string) => unknown }): Promise<ReplayServer>;
}

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const RECORDINGS = join(resolve(root, process.env.POLYPHONY_SHARED ?? '../shared'), 'recordings');
export const haveRecordings = existsSync(join(RECORDINGS, 'replay.mjs'));

export const readIndex = (file = join(RECORDINGS, 'index.json')): readonly Fixture[] =>
  (JSON.parse(readFileSync(file, 'utf8')) as { readonly fixtures: readonly Fixture[] }).fixtures;

/** The replay server, reading its fixtures from `data`. */
export async function startReplay(data = join(RECORDINGS, 'data')): Promise<ReplayServer> {
  const replay = (await import(pathToFileURL(join(RECORDINGS, 'replay.mjs')).href)) as Replay;
  const load = (id: string): unknown =>
    JSON.parse(readFileSync(join(data, `${id.replaceAll('~', '/')}.json`), 'utf8')) as unknown;
  return replay.start({ resolve: load });
}

/** As it was recorded, to a caller who reads no event before the last. */
const AT_ONCE = 'at-once';

/** How the server sends each recording: every way must lead to the same result. */
export const VARIANTS = [
  '-',
  'split=event',
  'split=rand,seed=1',
  'split=rand,seed=2,max=40',
  'split=rand,seed=3,crlf=1',
  'crlf=1',
  'keepalive=1',
  'bom=1',
  'gzip=1',
  'split=rand,seed=4,gzip=1,crlf=1,keepalive=1,bom=1',
  AT_ONCE,
] as const;

export function attemptOf(provider: Provider, request: ModelRequest, signal: AbortSignal, streaming = true): Attempt {
  const target = { provider: provider.id, model: MODEL };
  return {
    id: 'call',
    request,
    signal,
    purpose: 'answer',
    scopes: [],
    trace: { attempts: [] },
    target,
    number: 1,
    streaming,
  };
}

/** One attempt, its response or what it threw; read event by event, or at once where nobody reads it as it comes. */
export async function outcomeOf(provider: Provider, attempt: Attempt, transport: Transport): Promise<Outcome> {
  const { target, streaming } = attempt;
  const spoken = async function* () {
    yield { type: 'route', target } as const;
    const stream = provider.stream(attempt, transport);
    if (streaming !== false) return yield* stream;
    const { events, failure } = await readWhole(stream);
    yield* events;
    if (failure !== undefined) throw failure.error;
  };
  try {
    return { response: await collect(spoken(), attempt) };
  } catch (error) {
    return { error };
  }
}

export interface Disagreement extends Difference {
  readonly id: string;
  readonly variant: string;
}

/** The first disagreement of a fixture over all ways to send it. */
export async function checkFixture(
  fixture: Fixture,
  server: ReplayServer,
  transport: Transport,
  variants: readonly string[] = VARIANTS,
): Promise<Disagreement | undefined> {
  const adapter = ADAPTERS[fixture.protocol];
  if (adapter === undefined) throw new Error(`There is no adapter for "${fixture.protocol}".`);
  for (const variant of variants) {
    const baseURL = server.base(fixture.id, variant);
    const provider = vendorProvider(fixture, baseURL, RECORDED_MODEL) ?? (await adapter.provider(baseURL));
    const attempt = attemptOf(provider, adapter.request, new AbortController().signal, variant !== AT_ONCE);
    const found = difference(fixture.expected, await outcomeOf(provider, attempt, transport));
    if (found !== undefined) return { id: fixture.id, variant, ...found };
  }
  return undefined;
}
