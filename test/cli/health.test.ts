/** What `polyphony health` asks, and what it says. */
import { describe, expect, it } from 'vitest';
import { loopback } from '../kit/loopback.ts';
import { folderWith, start } from './call.ts';

const answer = {
  choices: [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
};
const server = (status: number) =>
  loopback((received, response) => {
    response.writeHead(received.method === 'GET' ? status : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(received.method === 'GET' ? { data: [{ id: 'mine' }] } : answer));
  });
const health = (url: string, ...more: readonly string[]) =>
  start(['health', ...more], { folder: folderWith(), environment: { POLYPHONY_BASE_URL: `${url}/v1` } }).ended;

describe('health', () => {
  it('asks the free endpoint of each provider, and no model', async () => {
    const { url, received } = await server(200);
    const { code, out } = await health(url, '--json');
    expect(JSON.parse(out)).toMatchObject({ providers: [{ provider: 'openai-compatible', ok: true }] });
    expect(code).toBe(0);
    expect(received.every(({ method }) => method === 'GET')).toBe(true);
  });

  it('fails where one does not answer, and says why', async () => {
    const { url } = await server(503);
    const { code, out } = await health(url);
    expect(out).toMatch(/openai-compatible +fails +\d+ +overloaded/);
    expect(code).toBe(1);
  });

  it('asks no server of the user in a sweep', async () => {
    const { url, received } = await server(200);
    const { code, out } = await health(url, '--sweep', '--json');
    expect([code, JSON.parse(out).models]).toEqual([0, []]);
    expect(received.every(({ method }) => method === 'GET')).toBe(true);
  });

  it('says that a sweep has no model to ask, and that a budget bounds nothing else', async () => {
    const { url } = await server(200);
    expect((await health(url, '--sweep')).err).toContain('no model is hosted, so the sweep asked none');
    const { code, err } = await health(url, '--budget', '1');
    expect([code, err]).toEqual([2, expect.stringContaining('add --sweep')]);
  });
});
