/** Plays recordings against our providers, end to end: loopback server, transport, provider, wire format, `collect`. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Attempt, ModelRequest, Provider, Transport } from 'polyphony';
import { collect } from 'polyphony/kit';
import { providerContext } from 'polyphony/testing';
import { readComplete } from '../../src/core/model/complete.ts';
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
export const DATA = join(RECORDINGS, 'data');
export const haveRecordings = existsSync(join(RECORDINGS, 'replay.mjs'));

/** @throws when the file is none, no JSON, or lists no fixtures */
export function readIndex(file = join(RECORDINGS, 'index.json')): readonly Fixture[] {
  const { fixtures } = JSON.parse(readFileSync(file, 'utf8')) as { readonly fixtures?: readonly Fixture[] };
  if (Array.isArray(fixtures)) return fixtures;
  throw new Error(`${file} has no list "fixtures".`);
}

/** The replay server, reading its fixtures from `data`. */
export async function startReplay(data = DATA): Promise<ReplayServer> {
  const replay = (await import(pathToFileURL(join(RECORDINGS, 'replay.mjs')).href)) as Replay;
  /** Those that are asked for again and again: each is sent in many ways, some at once. */
  const kept = new Map<string, unknown>();
  const load = (id: string): unknown => {
    const known = kept.get(id);
    if (known !== undefined) return known;
    const [oldest] = kept.keys();
    if (kept.size >= KEPT && oldest !== undefined) kept.delete(oldest);
    const fixture = JSON.parse(readFileSync(fileOf(data, id), 'utf8')) as unknown;
    kept.set(id, fixture);
    return fixture;
  };
  return replay.start({ resolve: load });
}

const KEPT = 32;
const fileOf = (data: string, id: string): string => join(data, `${id.replaceAll('~', '/')}.json`);

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
    const stream = provider.stream(attempt, providerContext(transport));
    if (streaming !== false) return yield* stream;
    const { events, failure } = await readComplete(stream);
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

export interface CheckOptions {
  /** Where the files of the recordings are. @default those beside the replay server */
  readonly data?: string | undefined;
  readonly variants?: readonly string[];
}

/**
 * The first disagreement of a fixture over all ways to send it. What cannot be played is one too: its protocol has no
 * adapter, its file is missing, or it takes minutes.
 */
export async function checkFixture(
  fixture: Fixture,
  server: ReplayServer,
  transport: Transport,
  { data = DATA, variants = VARIANTS }: CheckOptions = {},
): Promise<Disagreement | undefined> {
  const { id, protocol } = fixture;
  const adapter = Object.hasOwn(ADAPTERS, protocol) ? ADAPTERS[protocol] : undefined;
  const unplayed = (field: string, expected: unknown, got: unknown): Disagreement => ({
    id,
    variant: '-',
    field,
    expected,
    got,
  });
  if (adapter === undefined) return unplayed('protocol', Object.keys(ADAPTERS), protocol);
  const bytes = statSync(fileOf(data, id), { throwIfNoEntry: false })?.size;
  if (bytes === undefined) return unplayed('file', fileOf(data, id), 'missing');
  try {
    for (const variant of variants) {
      const baseURL = server.base(id, inFewerPieces(variant, bytes));
      const provider = vendorProvider(fixture, baseURL, RECORDED_MODEL) ?? (await adapter.provider(baseURL));
      const attempt = attemptOf(provider, adapter.request, AbortSignal.timeout(LONGEST_MS), variant !== AT_ONCE);
      const found = difference(fixture.expected, await outcomeOf(provider, attempt, transport));
      if (found !== undefined) return { id, variant, ...found };
    }
  } catch (error) {
    return unplayed('run', 'to be compared', String(error));
  }
  return undefined;
}

/** Images in pieces of some bytes would take minutes and tell nothing more. */
function inFewerPieces(variant: string, bytes: number): string {
  return variant.includes('split=rand') && bytes > LARGE_BYTES ? `${variant},max=${Math.ceil(bytes / 250)}` : variant;
}

const LARGE_BYTES = 262_144;
const LONGEST_MS = 300_000;
