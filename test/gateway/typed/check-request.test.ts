/** What is wrong with a request is said before anything is routed or sent. */
import { describe, expect, it } from 'vitest';
import type { Gateway } from '../../../src/core/gateway.ts';
import { fakeProvider } from '../../../src/testing/fakes.ts';
import { harness } from '../harness.ts';

const provider = fakeProvider({});
const { gateway } = harness({ providers: [provider] });
const messages = [{ role: 'user', content: 'Good day' }];
const TOOL = { name: 'weather', inputSchema: { type: 'object' } };
const said = (content: unknown, role: unknown = 'user') => ({ messages: [{ role, content }] });

/** The same request by every way into the gateway. */
const ways: readonly (readonly [string, (request: never) => unknown])[] = [
  ['generate', (request) => gateway.generate(request)],
  [
    'call',
    (request) =>
      gateway.call(
        typeof request === 'object' && request !== null
          ? ({ operation: 'chat', ...(request as object) } as never)
          : request,
      ),
  ],
  [
    'stream',
    async (request) => {
      for await (const _ of gateway.stream(request));
    },
  ],
  [
    'explain',
    async (request) =>
      gateway.explain(
        typeof request === 'object' && request !== null
          ? ({ operation: 'chat', ...(request as object) } as never)
          : request,
      ),
  ],
];

const wrong: readonly (readonly [unknown, string])[] = [
  [{ messages, temprature: 0.5 }, 'A chat request has no field "temprature": did you mean "temperature"? It may have '],
  [{ messages, max_output_tokens: 5 }, 'did you mean "maxOutputTokens"?'],
  [{ messages, promt: 'x' }, 'did you mean "prompt"?'],
  [{ messages, zzzzzzzz: 1 }, 'A chat request has no field "zzzzzzzz": it may have '],
  [{ messages, model: { teir: 'fast' } }, 'did you mean "tier"?'],
  [{ messages, limits: { retrys: 1 } }, 'did you mean "retries"?'],
  [{ messages, limits: { ms: Number.NaN } }, 'limits.ms is NaN, but it must be a number of at least 0'],
  [{ messages, limits: { p95Ms: '300' } }, 'limits.p95Ms is "300", but it must be a number of at least 0'],
  [{ messages, limits: { accuracy: -1 } }, 'limits.accuracy is -1, but it must be a number from 0 to 1'],
  [{ messages, limits: { accuracy: 90 } }, 'limits.accuracy is 90, but it must be a number from 0 to 1'],
  [{ messages, limits: { usd: '0.1' } }, 'limits.usd is "0.1", but it must be a number of US dollars from 0 to'],
  [{ messages, limits: { retries: 1.5 } }, 'limits.retries is 1.5, but it must be a whole number of at least 0'],
  [{ messages, limits: 5 }, 'limits is 5: give an object of fields'],
  [
    { messages, sensitivity: 'regulatd' },
    'sensitivity is "regulatd", but it must be one of public, internal, personal',
  ],
  [{ messages, sensitivity: 'regulatd' }, 'Did you mean "regulated"?'],
  [said([{ type: 'text' }]), 'Part 0 of message 0 (text): its text is undefined, but it must be a text.'],
  [
    said([{ type: 'text', text: 'a' }, { type: 'image' }]),
    'Part 1 of message 0 (image): its source is undefined, but it',
  ],
  [
    said([{ type: 'file', source: { type: 'base64', data: 'x' } }]),
    'it must be { type: "base64", data, mediaType } or',
  ],
  [
    said([{ type: 'tool-call', name: 't', arguments: {} }], 'assistant'),
    '(tool-call): its id is undefined, but it must',
  ],
  [said([{ type: 'tool-call', id: 'c', name: 't' }], 'assistant'), '(tool-call): its arguments is undefined, but it'],
  [said([{ type: 'tool-result', id: 'c', result: 'x' }], 'tool'), '(tool-result): its content is undefined, but it'],
  [said([{ type: 'tool-result', id: 'c', content: [{ type: 'text' }] }], 'tool'), 'a text, or a list of parts with a'],
  [{ messages, tools: [null] }, 'A tool cannot be null: give { name, description, inputSchema }.'],
  [{ messages, toolChoice: 'maybe' }, 'toolChoice is "maybe", but it must be one of auto, none, required, or { name }'],
  [{ messages, requires: { retention: 'zero' } }, 'requires.retention is "zero", but it must be "none".'],
  [{ messages, requires: { regions: 'eu' } }, 'requires.regions is "eu", but it must be a list of texts'],
  [{ messages, requires: { languages: 'en' } }, 'requires.languages is "en", but it must be a list of texts'],
  [{ messages, requires: 'eu' }, 'requires is "eu": give an object of fields'],
  [{ messages, model: 5 }, 'The field "model" cannot be 5: give a name'],
  [{ messages, model: { tier: 'fst' } }, 'model.tier is "fst", but it must be one of fast, balanced, premium. Did you'],
  [{ messages, model: { can: ['text', 'tool'] } }, 'model.can has "tool", but it must be a list of some of text'],
  [{ messages, model: { can: 'tools' } }, 'model.can is "tools", but it must be a list of some of text'],
  [{ messages, optimise: 'speed' }, 'optimise is "speed", but it must be one of cost, latency, quality, balanced.'],
  [
    { messages, onStreamFailure: 'retry' },
    'onStreamFailure is "retry", but it must be one of error, restart, continue',
  ],
  [{ messages, temperature: 'hot' }, 'temperature is "hot", but it must be a number'],
  [{ messages, maxOutputTokens: -4 }, 'maxOutputTokens is -4, but it must be a whole number of at least 1'],
  [{ messages, toolsInPrompt: 'x' }, 'toolsInPrompt is "x", but it must be true or false'],
  [{ messages, hedge: { afterMs: -1 } }, 'hedge.afterMs is -1, but it must be a number of milliseconds above 0'],
  [{ messages, escalate: 'judge' }, 'escalate is "judge", but it must be false or a rule, such as'],
  [
    { messages, escalate: { evaluator: 'judge', to: ['premium'], context: 'draft' } },
    'escalate.context is "draft", but',
  ],
  [{ messages, serviceTier: 'batch' }, "for a call that may wait write urgency: 'batch' into its options"],
  [{ messages, toolChoice: 'requird' }, 'toolChoice is "requird", but it must be one of auto, none, required, or'],
  [{ messages, toolChoice: 'requird' }, 'Did you mean "required"?'],
  [
    { messages, tools: [TOOL], toolChoice: { name: 'wether' } },
    'toolChoice names "wether", which is not among the tools',
  ],
  [{ messages, tools: [TOOL], toolChoice: { name: 'wether' } }, 'did you mean "weather"? use one of weather.'],
  [{ messages, toolChoice: { name: 'weather' } }, 'toolChoice requires a tool, but the request has no tools'],
  [{ messages, tools: [], toolChoice: 'required' }, 'toolChoice requires a tool, but the request has no tools'],
  [{ messages, toolChoice: { tool: 'a' } }, 'toolChoice is an object, but it must be one of auto'],
  [{ messages, reasoning: 'high' }, 'reasoning is "high", but it must be an object, such as { effort: "high" }'],
  [{ messages, reasoning: { effort: 'hihg' } }, 'reasoning.effort is "hihg", but it must be one of none, minimal'],
  [{ messages, reasoning: { budgetTokens: '5' } }, 'reasoning.budgetTokens is "5", but it must be a whole number'],
  [{ messages, providerOptions: { acme: 'x' } }, 'providerOptions is an object, but it must be an object of fields by'],
  [{ messages, answerTokens: 0 }, 'answerTokens is 0, but it must be a whole number of at least 1'],
  [{ messages, repeatedCharacters: 'x' }, 'repeatedCharacters is "x", but it must be a whole number'],
  [{ messages, output: { type: 'jsn' } }, 'jsn'],
  [{ messages, tools: [{ name: 'a', inputSchema: {}, strict: 'no' }] }, 'A tool: strict is "no", but it must be true'],
  [{ messages, model: { task: 5 } }, 'model.task is 5, but it must be a text'],
  [{ messages, requires: { region: [] } }, 'did you mean "regions"?'],
  [{ messages, escalate: { evaluater: 'judge', to: [] } }, 'did you mean "evaluator"?'],
  [{ messages, output: { type: 'json', shema: {} } }, 'did you mean "schema"?'],
  [{ messages, reasoning: { efort: 'low' } }, 'did you mean "effort"?'],
  [
    { messages, tools: [{ name: 'a', inputShema: {} }] },
    'A tool has no field "inputShema": did you mean "inputSchema"?',
  ],
  [{ messages, tools: [{ name: 'a' }] }, 'The tool "a" has no "inputSchema"'],
  [{ messages, tools: [{ inputSchema: {} }] }, 'The name of a tool cannot be undefined'],
  [{ messages, tools: {} }, 'The field "tools" must be a list'],
  [{ messages: [] }, 'nothing is asked: give it "prompt", or "messages"'],
  [{}, 'nothing is asked'],
  [{ messages: 'Good day' }, 'The field "messages" cannot be "Good day"'],
  [{ messages: [null] }, 'Message 0 cannot be null'],
  [{ messages: ['Good day'] }, 'Message 0 cannot be "Good day"'],
  [said('x', 'usr'), 'Message 0 has the role "usr": did you mean "user"? use one of system, user, assistant, tool.'],
  [said('x', 'developer'), 'did you mean "system"?'],
  [said('x', 7), 'Message 0 has the role 7: use one of'],
  [said('x', 'constructor'), 'Message 0 has the role "constructor"'],
  [{ messages: [...messages, { role: 'user', text: 'x' }] }, 'Message 1 has no field "text"'],
  [said(undefined), 'The content of message 0 cannot be undefined'],
  [said({ type: 'text', text: 'x' }), 'The content of message 0 cannot be an object'],
  [said([{ type: 'txt', text: 'x' }]), 'Message 0 has a part of the type "txt": did you mean "text"?'],
  [said(['x']), 'Message 0 has a part of the type "x"'],
  [said(''), 'Message 0 of the user is empty'],
  [said([]), 'Message 0 of the user is empty'],
  ['Good day', 'A request cannot be'],
  [null, 'A request cannot be null'],
];

describe.each(ways)('%s', (_, ask) => {
  it.each(wrong)('refuses %j', async (request, message) => {
    const failed = (async () => ask(request as never))();
    await expect(failed).rejects.toMatchObject({ code: 'invalid-request', message: expect.stringContaining(message) });
    expect(provider.seen).toEqual([]);
  });
});

describe('other operations', () => {
  it.each<[keyof Gateway, object, string]>([
    [
      'embed',
      { input: ['a'], dimension: 3 },
      'An embedding request has no field "dimension": did you mean "dimensions"?',
    ],
    ['image', { prompt: 'a', sise: '1x1' }, 'An image request has no field "sise": did you mean "size"?'],
    ['moderate', { inputs: [] }, 'A moderation request has no field "inputs": did you mean "input"?'],
    ['rerank', { query: 'a', documents: [], topp: 1 }, 'A rerank request has no field "topp": did you mean "top"?'],
    ['embed', { input: 'a' }, 'input is "a", but it must be a list of texts'],
    ['image', { prompt: 'a', size: 5 }, 'size is 5, but it must be a text'],
    ['moderate', { input: 'a' }, 'input is "a", but it must be a list of parts'],
    ['rerank', { query: 'a', documents: 'b' }, 'documents is "b", but it must be a list of texts'],
    ['call', { operation: 'chat', prompt: 'a' }, '"prompt" is taken by generate and stream only: give messages'],
    ['call', { operation: 'chatt' }, 'There is no operation "chatt": did you mean "chat"?'],
    ['call', {}, 'There is no operation undefined'],
  ])('%s refuses %j', async (name, request, message) => {
    const ask = gateway[name] as (request: object) => Promise<unknown>;
    await expect(ask(request)).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining(message),
    });
  });

  it.each<[string, object]>([
    ['is among the tools', { tools: [TOOL], toolChoice: { name: 'weather' } }],
    [
      'may be one of the provider',
      { tools: [{ type: 'provider', name: 'web-search' }], toolChoice: { name: 'web_search' } },
    ],
    ['may come from its options', { providerOptions: { fake: { tools: [] } }, toolChoice: { name: 'web_search' } }],
    ['is none', { toolChoice: 'none' }],
  ])('a tool that is chosen and %s is not refused', async (_, request) => {
    const before = provider.seen.length;
    await gateway.generate({ messages, ...request } as never);
    expect(provider.seen).toHaveLength(before + 1);
  });

  it('options of a misspelt provider are refused before anything is sent, and those of another one are not', async () => {
    const before = provider.seen.length;
    const options = (id: string) => ({ prompt: 'a', providerOptions: { [id]: { seed: 1 } } });
    const message = 'providerOptions are for a provider "fakee", which is not registered. Did you mean "fake"?';
    for (const ask of [ways[0], ways[2]])
      await expect((async () => ask?.[1](options('fakee') as never))()).rejects.toMatchObject({
        code: 'invalid-request',
        message: expect.stringContaining(message),
      });
    await expect(gateway.embed({ input: ['a'], providerOptions: { fakee: {} } })).rejects.toThrow(message);
    expect(provider.seen).toHaveLength(before);
    await gateway.generate(options('elsewhere'));
    expect(provider.seen).toHaveLength(before + 1);
  });

  it('a field that is undefined is not there', async () => {
    const request = { messages, temperature: undefined, anything: undefined };
    const before = provider.seen.length;
    await gateway.generate(request as never);
    expect(provider.seen).toHaveLength(before + 1);
  });

  it.each<[object, string]>([
    [{ signal: 'x' }, 'A call: signal is "x", but it must be an AbortSignal'],
    [{ purpose: 'judg' }, 'A call: purpose is "judg", but it must be one of answer, planner, judge'],
    [{ priority: 'high' }, 'A call: priority is "high", but it must be one of critical, normal, background'],
    [{ isAwaited: true }, 'A call: isAwaited is true, but it must be a function'],
    [{ trace: [] }, 'A call: trace is a list, but it must be the trace of another call'],
  ])('a call is not made with %j', async (options, message) => {
    await expect(gateway.generate({ prompt: 'a' }, options)).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining(message),
    });
    await expect(gateway.generate({ prompt: 'a' }, 5 as never)).rejects.toThrow('A call cannot have 5 for its fields');
  });

  it('options of a call are named with the nearest, too', async () => {
    await expect(gateway.generate({ prompt: 'a' }, { sesion: 'x' } as never)).rejects.toThrow(
      'did you mean "session"?',
    );
  });
});

describe('other methods', () => {
  const target = { provider: 'fake', model: 'a' };
  it.each<[string, () => unknown, string]>([
    ['onEvent', () => gateway.onEvent?.('x' as never), 'The listener of onEvent is "x", but it must be a function'],
    [
      'reviveCredentials',
      () => gateway.reviveCredentials('fakee'),
      'There is no provider "fakee". Did you mean "fake"?',
    ],
    ['reviveCredentials', () => gateway.reviveCredentials('zzz'), 'The providers are: fake.'],
    [
      'rate',
      () => gateway.rate?.('fake/a' as never, 'code', 1),
      'What is rated is "fake/a", but it must be the target',
    ],
    ['rate', () => gateway.rate?.(target, '', 1), 'The field of work is "", but it must be a text'],
    [
      'rate',
      () => gateway.rate?.(target, 'structurd', 1),
      'There is no field of work "structurd". Did you mean "structured"?',
    ],
    ['report', () => gateway.report?.('c', { scor: 1 } as never), 'has no field "scor": did you mean "score"?'],
    [
      'report',
      () => gateway.report?.(5 as never, { score: 1 }),
      'The id of an answered call is 5, but it must be a text',
    ],
  ])('%s refuses what it would not heed', (_, ask, message) => {
    expect(ask).toThrow(
      expect.objectContaining({ code: 'invalid-request', message: expect.stringContaining(message) }),
    );
  });

  it("rate takes a field of work of one's own", () => {
    expect(() => gateway.rate?.(target, 'contracts', 1)).not.toThrow();
  });
});
