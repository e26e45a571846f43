/**
 * The laws of passages.
 *
 * 1. Whatever a folder becomes, a search finds exactly what stands in it now, with its place.
 * 2. A text is embedded once, however often its files change, are renamed, or come back.
 * 3. What fails or is killed between repeats at most the part that was under way; nothing that was kept is embedded again.
 * 4. A run that goes on after its process died counts what that process paid, to the last row of the ledger.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { searchTools } from '../../plugins/tools/files-search.ts';
import type { RunResult } from '../../src/core/run/engine.ts';
import type { Stores } from '../../src/core/stores.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { seededRandom } from '../../src/testing/fakes.ts';
import { compiled } from '../compiled.ts';
import { embedding, passagesPlan, TEXT_COST } from './passages-plan.ts';

const folder = mkdtempSync(join(tmpdir(), 'polyphony-passages-'));
const children = new Set<ChildProcess>();
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Lives until it has ended by itself, or is killed when it has embedded so often, and a moment later. */
function live(
  args: readonly string[],
  kill?: { readonly afterCalls: number; readonly afterMs: number },
): Promise<void> {
  const file = compiled('test/laws/passages-child.ts');
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  return new Promise((settle, reject) => {
    let [calls, errors] = [0, ''];
    child.stdout.on('data', (chunk: Buffer) => {
      const before = calls;
      calls += chunk.toString().split('\n').length - 1;
      if (kill === undefined || calls < kill.afterCalls || before >= kill.afterCalls) return;
      setTimeout(() => child.kill('SIGKILL'), kill.afterMs);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.on('close', (code, signal) => {
      children.delete(child);
      if (signal === 'SIGKILL' || code === 0) settle();
      else reject(new Error(`the child ended with ${code}: ${errors}`));
    });
  });
}

interface Hit {
  readonly text: string;
  readonly source: string;
  readonly start: number;
  readonly end: number;
}
interface Output {
  readonly hits: readonly Hit[];
  readonly ranking: string;
  readonly embedded: number;
}

const QUESTION = 'which one?';
const texts = fc.stringMatching(/^[abc]{1,3}( [abc]{1,2}){0,3}$/);
const folders = fc.array(fc.dictionary(fc.constantFrom('a.md', 'b.txt', 'c'), texts, { minKeys: 1 }), {
  minLength: 1,
  maxLength: 5,
});

async function follow(stores: Stores, states: readonly Readonly<Record<string, string>>[], fails: readonly boolean[]) {
  const embedded: string[] = [];
  let calls = 0;
  const plugin = embedding((given) => {
    calls += 1;
    if (fails[calls % fails.length] === true) throw new Error('Not now.');
    for (const text of given) if (text !== QUESTION) embedded.push(text);
  });
  const polyphony = await createPolyphony({ plugins: [plugin, searchTools()], stores, defaults: false });
  for (const state of states) {
    const documents = Object.entries(state).map(([source, text]) => ({ source, text }));
    const run = await polyphony.start(passagesPlan, { question: QUESTION, documents });
    const result = await run.result();
    if (result.error !== undefined) continue;
    const { hits, ranking } = result.output as Output;
    expect(ranking).toBe('hybrid');
    expect(hits.map(({ source }) => source).sort()).toEqual(Object.keys(state).sort());
    for (const { text, source, start, end } of hits) expect(state[source]?.slice(start, end)).toBe(text);
  }
  await polyphony.close();
  return embedded;
}

describe.each([
  ['memory', () => memoryStores()],
  ['SQLite', (name: string) => sqliteStores({ path: join(folder, `${name}.db`) })],
] as const)('passages in %s', (name, make) => {
  it('are those of the folder, each embedded once', async () => {
    let number = 0;
    await fc.assert(
      fc.asyncProperty(folders, fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }), async (states, fails) => {
        number += 1;
        const embedded = await follow(make(`${name} ${number}`), states, [false, ...fails]);
        expect(embedded.length).toBe(new Set(embedded).size);
      }),
      { numRuns: name === 'memory' ? 60 : 15 },
    );
  });
});

interface Line {
  readonly life: number;
  readonly texts?: readonly string[];
  readonly result?: RunResult;
}

describe('a killed process', () => {
  const PART = 100;
  const DOCUMENTS = 730;
  it('embeds again at most what was under way', { timeout: 240_000 }, async () => {
    const random = seededRandom(20_261_129);
    const [database, log] = [join(folder, 'killed.db'), join(folder, 'killed.log')];
    const args = (life: number): string[] => [database, log, 'killed', String(life), String(DOCUMENTS)];
    let kills = 0;
    for (; kills < 5; kills += 1) {
      await live(args(kills), { afterCalls: 1 + (kills % 3), afterMs: Math.floor(random() * 15) });
    }
    await live(args(kills));
    const lines = readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
    const result = lines.find((line) => line.result !== undefined)?.result;
    expect(result?.output).toMatchObject({ ranking: 'hybrid' });
    const calls = lines.filter((line) => line.texts !== undefined);
    const parts = calls.filter((line) => line.texts?.[0] !== QUESTION);
    const kept = new Set<string>();
    for (const [at, { life, texts: part = [] }] of parts.entries()) {
      for (const text of part) expect(kept.has(text), `${text} in life ${life}`).toBe(false);
      expect(part.length).toBeLessThanOrEqual(PART);
      // The next call of a life is made when the part before it is committed.
      const next = calls[calls.indexOf(parts[at] as Line) + 1];
      if (next === undefined || next.life === life) for (const text of part) kept.add(text);
    }
    const all = new Set(parts.flatMap((line) => line.texts ?? []));
    expect(all.size).toBe(DOCUMENTS);
    // The run counts what its dead processes have paid, and what nobody knows the end of at its estimate: all of the ledger.
    const { ledger, close } = sqliteStores({ path: database });
    let [paid, uncertain] = [0, 0];
    for await (const row of ledger.rows({ scope: { kind: 'run', id: 'killed' } })) {
      paid += row.costNanoUsd ?? 0;
      if (row.uncertain === true) uncertain += 1;
    }
    await close();
    expect(uncertain).toBeLessThanOrEqual(kills);
    expect(result?.costNanoUsd).toBe(paid);
    expect(paid).toBeGreaterThanOrEqual(calls.reduce((sum, { texts = [] }) => sum + texts.length, 0) * TEXT_COST);
  });
});
