/** `providerOptions` are merged by one rule on every wire: what we set in the same object or list stays. */
import { describe, expect, test } from 'vitest';
import { chat } from './attempts.ts';
import { CHAT_WIRES, said } from './chat-wires.ts';

type Json = Record<string, unknown>;

const tools = [{ name: 'f', description: 'F', inputSchema: { type: 'object', properties: { a: { type: 'string' } } } }];
const request = chat('Hi', { temperature: 0.5, topK: 5, maxOutputTokens: 99, stop: ['x'], tools });

/** Something of the caller's for every object and list of a body, at every depth. */
function addition(value: unknown): unknown {
  if (Array.isArray(value)) return [{ theirs: 1 }];
  const fields = Object.entries(value as Json).filter(([, field]) => typeof field === 'object' && field !== null);
  return { ...Object.fromEntries(fields.map(([name, field]) => [name, addition(field)])), theirs: 1 };
}

function expected(value: unknown): unknown {
  if (Array.isArray(value)) return [...value, { theirs: 1 }];
  if (typeof value !== 'object' || value === null) return value;
  return {
    ...Object.fromEntries(Object.entries(value).map(([name, field]) => [name, expected(field)])),
    theirs: 1,
  };
}

describe.each(CHAT_WIRES)('on the wire of $name', (wire) => {
  test('objects are merged at every depth, and lists appended', async () => {
    const plain = await said(wire, request);
    const { body } = await said(wire, request, addition(plain.body) as Json);
    expect(body).toEqual(expected(plain.body));
  });

  test('anything else takes the place of ours', async () => {
    const plain = await said(wire, request);
    const given = Object.fromEntries(Object.keys(plain.body).map((name) => [name, 'theirs']));
    const { body } = await said(wire, request, given);
    expect(body).toEqual(given);
  });

  test('options of another provider are not sent', async () => {
    const plain = await said(wire, request);
    const { text } = await said(wire, { ...request, providerOptions: { another: { theirs: 1 } } });
    expect(text).toBe(plain.text);
  });
});
