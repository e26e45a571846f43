/** Names of tools, as other systems write them, reach every server in a form that it accepts, and come back as they were. */
import fc from 'fast-check';
import type { ModelRequest } from 'polyphony';
import { renamedTools, USUAL_TOOL_NAMES } from 'polyphony/kit';
import { describe, expect, test } from 'vitest';
import { chat } from './attempts.ts';
import { CHAT_WIRES, said } from './chat-wires.ts';

const inputSchema = { type: 'object', properties: { a: { type: 'string' } } } as const;
const toolsOf = (...names: string[]) => names.map((name) => ({ name, description: name, inputSchema }));

const NAMES = [
  'findFlights',
  'ticket-price',
  'Weather',
  'crm.contacts/list',
  '2fa',
  'a:b',
  `${'long-'.repeat(20)}name`,
];

describe.each(CHAT_WIRES)('on the wire of $name', (wire) => {
  test.each(NAMES)('%s is called by its own name, in the next turn too', async (name) => {
    const first = await said(wire, chat('Hi', { tools: toolsOf(name) }));
    const sent = first.text.match(/"name":"([^"]+)"/)?.[1] ?? '';
    expect(sent).toMatch(RULES[wire.name] ?? /./);

    const called = await said(wire, chat('Hi', { tools: toolsOf(name) }), undefined, wire.answer(sent));
    const call = called.response.content.find((part) => part.type === 'tool-call');
    expect(call).toMatchObject({ name, arguments: { a: '1' } });

    const result = { type: 'tool-result', id: call?.type === 'tool-call' ? call.id : '', name, content: 'r' } as const;
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: called.response.content },
      { role: 'tool', content: [result] },
    ] as const;
    const next = await said(wire, chat(messages, { tools: toolsOf(name) }));
    const names = [...next.text.matchAll(/"(?:name|tool_name)":"([^"]+)"/g)].map(([, found]) => found);
    expect(names.length).toBeGreaterThan(1);
    expect(new Set(names)).toEqual(new Set([sent]));
  });
});

/** What the servers document. */
const RULES: Readonly<Record<string, RegExp>> = {
  'chat completions': /^[a-zA-Z0-9_-]{1,64}$/,
  responses: /^[a-zA-Z0-9_-]{1,64}$/,
  anthropic: /^[a-zA-Z0-9_-]{1,64}$/,
  google: /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/,
  bedrock: /^[a-zA-Z0-9_-]{1,64}$/,
  cohere: /^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/,
};

describe('renamed tools', () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9_.:/-]{1,80}$/);

  test('are accepted, distinct, and the same in every turn', () => {
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 12 }), (names) => {
        const request = chat('Hi', { tools: toolsOf(...names) });
        const sent = sentNames(renamedTools(request, USUAL_TOOL_NAMES)?.request ?? request);
        for (const one of sent) expect(one).toMatch(USUAL_TOOL_NAMES);
        expect(new Set(sent).size).toBe(names.length);
        const later = chat(
          [
            { role: 'user', content: 'Hi' },
            { role: 'assistant', content: [{ type: 'tool-call', id: 'c', name: names[0] ?? '', arguments: {} }] },
          ],
          { tools: toolsOf(...names) },
        );
        expect(sentNames(renamedTools(later, USUAL_TOOL_NAMES)?.request ?? later)).toEqual(sent);
        names.forEach((one, index) => {
          if (USUAL_TOOL_NAMES.test(one)) expect(sent[index]).toBe(one);
        });
      }),
    );
  });

  test('cost nothing where every name is accepted', () => {
    expect(renamedTools(chat('Hi', { tools: toolsOf('a', 'b-c') }), USUAL_TOOL_NAMES)).toBeUndefined();
  });

  test('are forced by the name that is sent', () => {
    const request = chat('Hi', { tools: toolsOf('a.b'), toolChoice: { name: 'a.b' } });
    expect(renamedTools(request, USUAL_TOOL_NAMES)?.request).toMatchObject({ toolChoice: { name: 'a_b' } });
  });

  test('have their own names in every form of the answer', async () => {
    const renamed = renamedTools(chat('Hi', { tools: toolsOf('a.b') }), USUAL_TOOL_NAMES);
    async function* events() {
      yield { type: 'tool-call-delta', index: 0, id: 'c', name: 'a_b', delta: '' } as const;
      yield { type: 'tool-call', call: { type: 'tool-call', id: 'c', name: 'a_b', arguments: {} } } as const;
      yield { type: 'tool-call', call: { type: 'tool-call', id: 'd', name: 'other', arguments: {} } } as const;
    }
    const names: string[] = [];
    for await (const event of renamed?.restore(events()) ?? []) {
      names.push(event.type === 'tool-call' ? event.call.name : event.type === 'tool-call-delta' ? event.name : '');
    }
    expect(names).toEqual(['a.b', 'a.b', 'other']);
  });
});

const sentNames = (request: ModelRequest): string[] =>
  request.operation === 'chat' ? (request.tools ?? []).map((tool) => tool.name) : [];
