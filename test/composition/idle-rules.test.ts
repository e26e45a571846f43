/** A rule that nothing can act on is an error before anything is paid, wherever it stands, and says what to add. */
import { afterEach, describe, expect, it } from 'vitest';
import { judge } from '../../plugins/escalation/judge.ts';
import type { Plan, Polyphony } from '../../src/index.ts';
import { createPolyphony } from '../../src/index.ts';
import { fakeProvider } from '../../src/testing/index.ts';

let polyphony: Polyphony | undefined;
afterEach(async () => {
  await polyphony?.close();
  polyphony = undefined;
});

async function open(withPlugin: boolean) {
  const provider = fakeProvider({ script: () => 'x' });
  polyphony = await createPolyphony({
    providers: [provider],
    ...(withPlugin ? {} : { plugins: [judge()], defaults: false }),
  });
  return { polyphony, provider };
}

const RULE = { evaluator: 'judge', to: ['premium'] };
const messages = [{ role: 'user', content: 'x' }] as const;
const planWith = (escalate: unknown): Plan =>
  ({ version: 1, nodes: [{ id: 'a', use: 'llm', in: { prompt: 'x' }, escalate }], output: '{{a.text}}' }) as Plan;

const WRONG = [
  ['a threshold in percent', { ...RULE, below: 70 }, /below.* 70/],
  ['a negative threshold', { ...RULE, below: -0.1 }, /below.*-0\.1/],
  ['no rung', { ...RULE, to: [] }, /to/],
  ['an empty evaluator', { ...RULE, evaluator: '' }, /evaluator/],
] as const;

describe('a rule for escalation', () => {
  it('needs the plugin in a plan', async () => {
    const { polyphony: p, provider } = await open(false);
    await expect(p.run(planWith(RULE))).rejects.toMatchObject({
      code: 'invalid-plan',
      message: expect.stringContaining('add escalation()'),
    });
    expect(provider.seen).toHaveLength(0);
  });
  it('needs the plugin in a request', async () => {
    const { polyphony: p, provider } = await open(false);
    const refused = { code: 'invalid-request', message: expect.stringContaining('add escalation()') };
    await expect(p.gateway.generate({ messages, escalate: RULE })).rejects.toMatchObject(refused);
    const read = async () => {
      for await (const _event of p.gateway.stream({ messages, escalate: RULE }));
    };
    await expect(read()).rejects.toMatchObject(refused);
    const plain = await p.gateway.generate({ messages, escalate: false });
    expect(plain).toMatchObject({ finishReason: 'stop' });
    expect(plain.escalation).toBeUndefined();
    expect(provider.seen).toHaveLength(1);
  });
  it('needs the plugin in the config', async () => {
    const made = createPolyphony({ plugins: [judge()], defaults: false, config: { escalate: RULE } });
    await expect(made).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining('add escalation()'),
    });
  });
  it.each(WRONG)('cannot have %s, in a plan or in a request', async (_name, rule, message) => {
    const { polyphony: p, provider } = await open(true);
    await expect(p.run(planWith(rule))).rejects.toThrow(message);
    await expect(p.gateway.generate({ messages, escalate: rule })).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringMatching(message),
    });
    expect(provider.seen).toHaveLength(0);
  });
  it('is acted on where the plugin is', async () => {
    const { polyphony: p } = await open(true);
    await expect(p.run(planWith(RULE))).resolves.toMatchObject({ status: 'done' });
  });
});
