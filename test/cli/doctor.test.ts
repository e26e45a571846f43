/** The doctor at servers of one's own: what it asks of them, and what it says. */
import { describe, expect, it } from 'vitest';
import { loopback } from '../kit/loopback.ts';
import { child } from '../plugins/tools/mcp/opened.ts';
import { folderWith, start } from './call.ts';

const answer = {
  choices: [{ index: 0, message: { role: 'assistant', content: 'A call comes back.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
};
const server = (models: unknown) =>
  loopback((received, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(received.path === '/v1/models' ? models : answer));
  });
const doctor = (environment: Readonly<Record<string, string>>) =>
  start(['doctor'], { folder: folderWith(), environment }).ended;

describe('doctor', () => {
  it('passes at a local server whose model has no price, and says so', async () => {
    const { url, received } = await server({ data: [{ id: 'mine' }] });
    const { code, out } = await doctor({ POLYPHONY_BASE_URL: `${url}/v1` });
    expect(out).toMatch(/✓ providers +openai-compatible \(1 model\)/);
    expect(out).toMatch(/✓ call +openai-compatible\/mine answered; its price is unknown/);
    expect(code).toBe(0);
    expect(received.map(({ path }) => path)).toEqual(['/v1/models', '/v1/chat/completions']);
  });

  it('says of a folder that cannot be made what to do', async () => {
    const { code, out } = await start(['doctor', '--store', '/proc/polyphony/a.db'], { folder: folderWith() }).ended;
    expect(out).toMatch(/✗ disk +\/proc\/polyphony cannot be made \(.+\): choose another place with --store\n/);
    expect(code).toBe(1);
  });

  it('says nothing of a price where the server is declared free', async () => {
    const { url } = await server({ data: [{ id: 'mine' }] });
    const { code, out } = await doctor({ POLYPHONY_BASE_URL: `${url}/v1`, POLYPHONY_FREE: '1' });
    expect(out).toMatch(/✓ call +openai-compatible\/mine answered\n/);
    expect(code).toBe(0);
  });

  it('names the tools and the MCP servers that the config brings', async () => {
    const tools = { http: true, write: { folder: 'out' } };
    const mcp = { crm: child('good', { tools: ['echo', 'post'] }) };
    const folder = folderWith({ 'polyphony.yaml': { tools, mcp } });
    const { code, out } = await start(['doctor'], { folder }).ended;
    expect(out).toMatch(/✓ mcp +crm \(2 tools: echo, post\)\n/);
    expect(out).toMatch(
      /✓ plugins +the built-in ones; the tools http_get, write_file, write_rows; the MCP servers crm\n/,
    );
    expect(code).toBe(0);
  });

  it('tells of names in the config that no provider has, and passes all the same', async () => {
    const config = {
      aliases: { cheap: 'embedded/fst', good: 'embedded/fast', other: 'cheap' },
      candidates: { v2: { of: 'cheap', model: 'nope/large' } },
      budgets: [
        { scope: 'provider', id: 'opnai', usd: 1 },
        { scope: 'tenant', id: 'acme', usd: 1 },
      ],
      models: {
        'embedded/fast': { lifecycle: { stage: 'stable', replacedBy: 'embedded/thorogh' } },
        'acme/old': { lifecycle: { stage: 'stable', replacedBy: 'acme/new' } },
      },
      connect: ['embeded'],
      fallbacks: { prompts: [{ from: '*', to: 'embedded/thorough', text: 'Be short.' }] },
    };
    const { code, out } = await start(['doctor'], { folder: folderWith({ 'polyphony.yaml': config }) }).ended;
    expect(out).toMatch(
      /✓ names +no provider here has aliases\.cheap "embedded\/fst" \(did you mean embedded\/fast\?\), candidates\.v2\.model "nope\/large", models\.embedded\/fast\.lifecycle\.replacedBy "embedded\/thorogh" \(did you mean embedded\/thorough\?\), budgets "opnai", connect "embeded" \(did you mean embedded\?\): they do nothing here\n/,
    );
    expect(code).toBe(0);
  });

  it('fails where an MCP server offers no tools, and without any says so', async () => {
    const folder = folderWith({ 'polyphony.yaml': { mcp: { gone: { command: '/nowhere/at/all' } } } });
    const { code, out } = await start(['doctor'], { folder }).ended;
    expect(out).toMatch(/✗ mcp +gone offers no tools: with --log warn the reason is shown\n/);
    expect(code).toBe(1);
    const { out: none } = await doctor({});
    expect(none).toMatch(/✓ plugins +only the built-in ones\n/);
    expect(none).not.toContain('mcp');
  });

  it('fails where no provider lists a model, with the remedy', async () => {
    const { code, out } = await doctor({ OLLAMA_HOST: 'http://127.0.0.1:9' });
    expect(out).toMatch(/✗ providers +no provider lists a model: start the server/);
    expect(code).toBe(1);
  });
});
