/** Tools that a provider runs itself stand beside the caller's, on every wire that has some. */
import { createPolyphony, type ProviderTool } from 'polyphony';
import { describe, expect, test } from 'vitest';
import { loopback } from '../../kit/loopback.ts';
import { CHAT_WIRES, type ChatWire } from './chat-wires.ts';

type Json = Record<string, unknown>;
const mine = {
  name: 'mine',
  description: 'Mine',
  inputSchema: { type: 'object', properties: { a: { type: 'string' } } },
};

async function asked(wire: ChatWire, own: ProviderTool, tools: readonly (typeof mine)[] = [mine]) {
  const server = await loopback((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(wire.answer()));
  });
  const provider = wire.make(server.url);
  const polyphony = await createPolyphony({ providers: [provider], plugins: [], defaults: false });
  const model = `${provider.id}/${wire.model}`;
  const messages = [{ role: 'user', content: 'Hi' }] as const;
  const error = await polyphony.gateway.generate({ model, messages, tools: [own, ...tools] }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  await polyphony.close();
  const sent = server.received.at(-1);
  return { error, id: provider.id, headers: sent?.headers, body: JSON.parse(sent?.body ?? '{}') as Json };
}

const toolsOf = (body: Json): readonly Json[] =>
  (body.tools ?? (body.toolConfig as Json | undefined)?.tools ?? []) as readonly Json[];

const SEARCHES: Readonly<Record<string, Json>> = {
  'chat completions': { type: 'web_search', limit: 3 },
  responses: { type: 'web_search', limit: 3 },
  anthropic: { type: 'web_search_20250305', name: 'web_search', limit: 3 },
  google: { googleSearch: { limit: 3 } },
  bedrock: { systemTool: { name: 'nova_grounding', limit: 3 } },
};

const wires = CHAT_WIRES.filter(({ name }) => name in SEARCHES);

describe.each(wires)('$name', (wire) => {
  const search: ProviderTool = { type: 'provider', name: 'web-search', options: { limit: 3 } };

  test('sends its own search beside the tool of the caller', async () => {
    const { body, error } = await asked(wire, search);
    expect(error).toBeUndefined();
    expect(toolsOf(body)).toContainEqual(SEARCHES[wire.name]);
    expect(JSON.stringify(toolsOf(body))).toContain('"mine"');
  });

  test('sends its own search alone', async () => {
    const { body } = await asked(wire, search, []);
    expect(toolsOf(body)).toEqual([SEARCHES[wire.name]]);
  });

  test('refuses the tool of another provider before sending', async () => {
    const { error, body } = await asked(wire, { ...search, provider: 'another' });
    expect(error).toMatchObject({ code: 'unsupported' });
    expect(body).toEqual({});
  });
});

test.each(CHAT_WIRES.filter(({ name }) => !(name in SEARCHES)))('$name has no such tools', async (wire) => {
  const { error } = await asked(wire, { type: 'provider', name: 'web-search' });
  expect(error).toMatchObject({ code: 'unsupported' });
});

test('a tool in a preview switches the preview on', async () => {
  const anthropic = CHAT_WIRES.find(({ name }) => name === 'anthropic') as ChatWire;
  const { headers } = await asked(anthropic, { type: 'provider', name: 'code-execution' });
  expect(headers?.['anthropic-beta']).toContain('code-execution');
  const { body } = await asked(anthropic, { type: 'provider', name: 'bash_20250124' });
  expect(toolsOf(body)).toContainEqual({ type: 'bash_20250124', name: 'bash' });
});

test('a plan offers both', async () => {
  const wire = CHAT_WIRES[0] as ChatWire;
  const server = await loopback((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(wire.answer()));
  });
  const tools = [{ name: 'Image-Search', description: 'd', input: { type: 'object' }, run: async () => 1 }];
  const polyphony = await createPolyphony({
    providers: [wire.make(server.url)],
    plugins: [{ name: 'mine', tools }],
    defaults: false,
  });
  const named = ['Image-Search', { type: 'provider', name: 'web-search' }];
  const node = { id: 'a', use: 'llm', in: { prompt: 'Hi', tools: named } };
  const run = await polyphony.run({ version: 1, nodes: [node], output: '{{a.text}}' });
  expect(run).toMatchObject({ status: 'done', output: 'ok' });
  const body = JSON.parse(server.received.at(-1)?.body ?? '{}') as Json;
  expect(toolsOf(body)).toMatchObject([{ function: { name: 'Image-Search' } }, { type: 'web_search' }]);
  await polyphony.close();
});
