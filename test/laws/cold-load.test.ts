/** A process that makes one call loads no part of the gateway that its config does not need; a later config brings what it needs. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { fakeCard, fakeProvider } from '../../src/testing/fakes.ts';
import { compiled } from '../compiled.ts';

const HOOKS = `data:text/javascript,${encodeURIComponent(`
import { writeSync } from 'node:fs';
export async function load(url, context, next) {
  writeSync(2, 'LOADED ' + url + '\\n');
  return next(url, context);
}`)}`;
const REGISTER = `data:text/javascript,${encodeURIComponent(`
import { register } from 'node:module';
register(${JSON.stringify(HOOKS)});`)}`;

/** The files that a process loads until it has one answer of the embedded engine. */
function loadedBy(config?: Config): readonly string[] {
  const url = (source: string): string => JSON.stringify(pathToFileURL(compiled(source)).href);
  const code = `
    const { createPolyphony } = await import(${url('src/index.ts')});
    const { default: embedded } = await import(${url('plugins/providers/embedded.ts')});
    const config = ${JSON.stringify(config) ?? 'undefined'};
    const polyphony = await createPolyphony({ plugins: [embedded], defaults: false, ...(config && { config }) });
    const { text } = await polyphony.gateway.generate({ prompt: 'Summarise in one sentence.\\n\\nA process begins. It answers.' });
    if (text === '') throw new Error('an empty answer');
    await polyphony.close();`;
  const child = spawnSync(process.execPath, ['--import', REGISTER, '--input-type=module', '--eval', code], {
    encoding: 'utf8',
  });
  if (child.status !== 0) throw new Error(child.stderr);
  return child.stderr.split('\n').filter((line) => line.startsWith('LOADED '));
}

/** Whether a process that sends one request has the whole of undici, and which files of it. */
function loadedByRequest(): readonly string[] {
  const transport = JSON.stringify(pathToFileURL(compiled('src/gateway/transport/transport.ts')).href);
  const code = `
    const { createServer } = await import('node:http');
    const { createRequire } = await import('node:module');
    const { createTransport } = await import(${transport});
    const server = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const url = 'http://127.0.0.1:' + server.address().port;
    const http = createTransport();
    const { body } = await http.request({ url, method: 'GET', headers: {}, signal: new AbortController().signal });
    for await (const _ of body);
    await http.close();
    server.close();
    const files = Object.keys(createRequire(${transport}).cache).filter((file) => /[\\\\/]undici[\\\\/]/.test(file));
    console.log(files.some((file) => /undici[\\\\/]index\\.js$/.test(file)));
    console.log(files.join('\\n'));`;
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return child.stdout.trim().split('\n');
}

const EXTRAS =
  /\/gateway\/(?:batches\/|candidates\/candidates|warm\/|webhooks|create-gateway|money\/price-updates|transport\/(?:http|connections|exchange)\.)/;
const HEAVY = /\/(?:undici|pino|zod|cel-js|libsql|croner|commander)\//;

describe('law: a cold process', () => {
  it('loads nothing that its one call does not need', () => {
    const loaded = loadedBy();
    expect(loaded.length).toBeGreaterThan(100);
    expect(loaded.filter((file) => EXTRAS.test(file) || HEAVY.test(file))).toEqual([]);
    expect(loaded.length).toBeLessThan(440);
  }, 120_000);

  it('loads of the library for HTTP what one request needs', () => {
    const [whole, ...parts] = loadedByRequest();
    expect(whole).toBe('false');
    expect(parts.length).toBeGreaterThan(5);
    expect(parts.filter((file) => /\/lib\/(?:mock|web\/fetch|interceptor)\//.test(file))).toEqual([]);
  }, 120_000);

  it('loads no schema of the config for a command without one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'polyphony-cold-'));
    try {
      const given = ['--import', REGISTER, compiled('src/cli/main.ts'), 'spend'];
      const child = spawnSync(process.execPath, given, { cwd: folder, encoding: 'utf8' });
      const loaded = child.stderr.split('\n').filter((line) => line.startsWith('LOADED '));
      expect(child.status).toBe(0);
      expect(loaded.filter((file) => file.includes('/stores/sqlite.'))).toHaveLength(1);
      expect(loaded.filter((file) => /\/zod\/|\/config-schema\./.test(file))).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 120_000);

  it('loads what its config needs', () => {
    const loaded = loadedBy({
      candidates: { next: { of: 'embedded/extractive', model: 'embedded/planner', share: 0 } },
    });
    expect(loaded.filter((file) => file.includes('/gateway/candidates/candidates'))).toHaveLength(1);
  }, 120_000);

  it('gets with a later config what that needs', async () => {
    const models = [fakeCard({ id: 'one' }), fakeCard({ id: 'two' })];
    const polyphony = await createPolyphony({ providers: [fakeProvider({ models })], plugins: [], defaults: false });
    const { gateway } = polyphony;
    expect([gateway.batches, gateway.candidates?.()]).toEqual([undefined, []]);
    expect(() => gateway.decideCandidate?.('next', 'promoted')).toThrow('no candidate called "next"');
    const candidates = { next: { of: 'fake/one', model: 'fake/two', share: 1 } };
    await polyphony.reconfigure({ batches: {}, candidates });
    expect(await gateway.batches?.list()).toEqual([]);
    expect(gateway.candidates?.()).toMatchObject([{ candidate: 'next', state: 'trying' }]);
    expect((await gateway.generate({ prompt: 'hi' })).target.model).toBe('two');
    await polyphony.close();
  });
});
