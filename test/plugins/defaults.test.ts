import { fakeClock } from 'polyphony/testing';
import { describe, expect, it } from 'vitest';
import { defaultPlugins } from '../../plugins/defaults.ts';
import { createPolyphony } from '../../src/polyphony.ts';

const namesOf = async (...given: Parameters<typeof defaultPlugins>) =>
  (await defaultPlugins(...given)).map(({ name }) => name);

describe('defaultPlugins', () => {
  const always = ['escalation', 'validators', 'judge', 'files', 'files-search', 'calculate'];

  it('answers without a key, climbs when asked, reads and computes; it fetches only when told to', async () => {
    expect(await namesOf({})).toEqual(['embedded', ...always]);
    expect(await namesOf({}, { tools: { http: true } })).toEqual(['embedded', ...always, 'http']);
  });

  it('writes and sends only where the config opens something', async () => {
    const request = { hosts: ['api.example.org'] };
    expect(await namesOf({}, { tools: { write: { folder: 'out' } } })).toEqual(['embedded', ...always, 'files-write']);
    const plugins = await defaultPlugins({}, { tools: { request } });
    expect(plugins.flatMap(({ tools = [] }) => tools.map(({ name }) => name))).toEqual([
      'read_file',
      'list_files',
      'read_rows',
      'calculate',
      'http_request',
    ]);
    const both = await defaultPlugins({}, { tools: { http: true, request } });
    expect(both.at(-1)?.tools?.map(({ name }) => name)).toEqual(['http_get', 'http_request']);
  });

  it('roots the file tools', async () => {
    const plugins = await defaultPlugins({}, { tools: { folder: 'plugins' } });
    const list = plugins.flatMap(({ tools = [] }) => tools).find(({ name }) => name === 'list_files');
    const context = {
      signal: new AbortController().signal,
      idempotencyKey: 'k',
      clock: fakeClock(),
      runId: 'run',
      nodeId: 'a',
    };
    expect(await list?.run({ pattern: 'defaults.ts' }, context)).toMatchObject({ files: ['defaults.ts'] });
  });

  it('escalates by the config, and refuses one that names no evaluator', async () => {
    const escalate = { evaluator: 'validators', to: ['balanced' as const] };
    const plugins = await defaultPlugins({}, { escalate });
    const polyphony = await createPolyphony({ plugins });
    const messages = [{ role: 'user', content: 'Summarise: The cat sat on the mat. It was warm.' }] as const;
    const response = await polyphony.gateway.generate({ messages });
    expect(response.escalation).toMatchObject({ evaluator: 'validators', rung: 0 });
    await polyphony.close();
    const wrong = await defaultPlugins({}, { escalate: { ...escalate, evaluator: 'none' } });
    await expect(createPolyphony({ plugins: wrong })).rejects.toMatchObject({ code: 'invalid-config' });
  });
});
