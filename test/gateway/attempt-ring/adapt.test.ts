import { describe, expect, it } from 'vitest';
import type { Capability, ChatRequest } from '../../../src/core/model/model.ts';
import { fakeCard, fakeProvider } from '../../../src/testing/fakes.ts';
import { harness, user } from '../harness.ts';

async function sent(capabilities: readonly Capability[], request: Omit<ChatRequest, 'operation'>) {
  const provider = fakeProvider({ models: [fakeCard({ id: 'm', capabilities })] });
  const { gateway, run } = harness({ providers: [provider] });
  const response = await run(gateway.generate(request));
  const got = provider.seen[0]?.request;
  if (got?.operation !== 'chat') throw new Error('no chat request was sent');
  return { request: got, warnings: response.warnings };
}

const schema = { type: 'object', properties: { b: {}, a: {} } };
const system = {
  messages: [
    { role: 'system' as const, content: 'be brief' },
    { role: 'user' as const, content: 'hi' },
  ],
};

describe('adapt', () => {
  it('puts a schema into the prompt, behind the system messages, in its own key order', async () => {
    const { request, warnings } = await sent(['text', 'system'], { ...system, output: { type: 'json', schema } });
    expect(request.output).toBeUndefined();
    expect(request.messages.map(({ role }) => role)).toEqual(['system', 'system', 'user']);
    expect(request.messages[1]?.content).toContain(JSON.stringify(schema));
    expect(warnings.map(({ code }) => code)).toContain('schema-in-prompt');
  });

  it('keeps JSON mode where there is one, and leaves native schemas alone', async () => {
    const mode = await sent(['text', 'system', 'json-mode'], { ...user(), output: { type: 'json', schema } });
    expect(mode.request.output).toEqual({ type: 'json' });
    const native = await sent(['text', 'system', 'json-schema'], { ...user(), output: { type: 'json', schema } });
    expect(native.request.output).toEqual({ type: 'json', schema });
    expect(native.warnings).toEqual([]);
  });

  it('drops parameters that the model does not take, one warning a capability', async () => {
    const parameters = {
      temperature: 0,
      topP: 0.5,
      topK: 3,
      seed: 1,
      stop: ['x'],
      presencePenalty: 1,
      frequencyPenalty: 1,
    };
    const { request, warnings } = await sent(['text', 'system', 'seed'], { ...user(), ...parameters });
    expect(request).toMatchObject({ ...user(), seed: 1 });
    for (const name of ['temperature', 'topP', 'topK', 'stop', 'presencePenalty', 'frequencyPenalty'])
      expect(request).not.toHaveProperty(name);
    expect(warnings).toHaveLength(4);
    expect(warnings[1]?.message).toBe('fake/m does not support topP or topK: dropped from the request.');
  });

  it('sends system messages as the user where the model knows none', async () => {
    const { request, warnings } = await sent(['text'], system);
    expect(request.messages.map(({ role }) => role)).toEqual(['user', 'user']);
    expect(warnings.map(({ code }) => code)).toEqual(['system-as-user']);
  });
});
