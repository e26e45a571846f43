/** A conversation that is too long for every window: what is left out of it, and by whose count. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import type { Attempt, Capability, ChatRequest, Message } from '../../src/core/model/model.ts';
import type { ModelCard, Provider } from '../../src/core/model/provider.ts';
import { withoutMiddle } from '../../src/gateway/attempt-ring/adapt/fit-context.ts';
import { needsOf } from '../../src/gateway/calls/requirements.ts';
import { fakeCard, fakeProvider, finish, type ScriptStep } from '../../src/testing/fakes.ts';
import { errorOf, harness, text } from '../gateway/harness.ts';

const CAPABILITIES: readonly Capability[] = ['text', 'system'];

function one(
  script: (attempt: Attempt) => readonly ScriptStep[] | string,
  config: Config,
  card: Partial<ModelCard> = {},
  more: Partial<Provider> = {},
) {
  const models = [fakeCard({ id: 'm', capabilities: CAPABILITIES, ...card })];
  const provider = fakeProvider({ models, script, ...more });
  return { provider, ...harness({ providers: [provider], config }) };
}

const chatOf = (attempt: Attempt | undefined): ChatRequest => {
  if (attempt?.request.operation !== 'chat') throw new Error('no chat was sent');
  return attempt.request;
};

describe('law: fitting a conversation', () => {
  const unit = fc.record({
    kind: fc.constantFrom('user', 'assistant', 'system', 'tools'),
    size: fc.integer({ min: 1, max: 50 }),
  });
  const conversation = fc.array(unit, { minLength: 1, maxLength: 20 }).map((units) =>
    units.flatMap(({ kind, size }, index): Message[] => {
      const content = `${index} ${'x'.repeat(size)}`;
      if (kind !== 'tools') return [{ role: kind as 'user', content }];
      const ids = [`${index}a`, `${index}b`];
      return [
        { role: 'assistant', content: ids.map((id) => ({ type: 'tool-call', id, name: 'f', arguments: {} })) },
        // Not every server wants the results directly behind their calls.
        ...(size % 3 === 0 ? [{ role: 'user', content } as const] : []),
        ...ids.map((id): Message => ({ role: 'tool', content: [{ type: 'tool-result', id, content }] })),
      ];
    }),
  );
  const lengthOf = (message: Message): number => JSON.stringify(message.content).length;
  const idsOf = (messages: readonly Message[], type: string): string[] =>
    messages.flatMap(({ content }) =>
      typeof content === 'string'
        ? []
        : content.flatMap((part) => (part.type === type && 'id' in part ? [part.id] : [])),
    );

  it('keeps pairs whole, the newest always, and system messages longer than all others', () => {
    fc.assert(
      fc.property(conversation, fc.integer({ min: 0, max: 3000 }), (messages, excess) => {
        const { messages: kept, left, leftTokens, fits } = withoutMiddle(messages, excess, lengthOf);
        expect(kept.length + left).toBe(messages.length);
        expect(idsOf(kept, 'tool-call').sort()).toEqual(idsOf(kept, 'tool-result').sort());
        expect(leftTokens).toBe(
          messages.filter((one) => !kept.includes(one)).reduce((sum, one) => sum + lengthOf(one), 0),
        );
        expect(fits).toBe(leftTokens >= excess);
        const newest = messages.filter(({ role }) => role !== 'system').at(-1);
        if (newest !== undefined) expect(kept).toContain(newest);
        const said = kept.filter(({ role }) => role !== 'system');
        const system = (all: readonly Message[]): number => all.filter(({ role }) => role === 'system').length;
        // Everything else that may go has gone before the first system message.
        if (system(kept) < system(messages)) expect(said.length).toBeLessThanOrEqual(3);
      }),
    );
  });

  const long = (count: number): Message[] => [
    { role: 'system', content: 'Be brief.' },
    ...Array.from(
      { length: count },
      (_, index): Message => ({
        role: index % 2 === 0 ? 'user' : 'assistant',
        content: `${index}: ${'word '.repeat(100)}`,
      }),
    ),
    { role: 'user', content: 'And now?' },
  ];
  const small = { contextTokens: 4000, maxOutputTokens: 500 };

  it('happens only where it is allowed and no window is large enough, and says what it left out', async () => {
    const off = one(() => 'x', {}, small);
    expect((await errorOf(off.run(off.gateway.generate({ messages: long(60) })))).code).toBe('no-route');
    const made = one(() => 'x', { adapt: { fit: 'middle-out' } }, small);
    const { warnings } = await made.run(made.gateway.generate({ messages: long(60) }));
    const sent = chatOf(made.provider.seen[0]).messages;
    expect(warnings).toMatchObject([{ code: 'context-fitted' }]);
    expect(warnings[0]?.message).toContain(`${62 - sent.length} of 62 messages were left out`);
    expect(sent[0]?.content).toBe('Be brief.');
    expect(sent[1]?.content).toContain('0: ');
    expect(sent.at(-1)?.content).toBe('And now?');
    const short = await made.run(made.gateway.generate({ messages: long(4) }));
    expect(short.warnings).toEqual([]);
    expect(chatOf(made.provider.seen[1]).messages).toHaveLength(6);
    const { candidates } = made.gateway.explain({ operation: 'chat', messages: long(60) });
    expect(candidates[0]?.adaptations?.[0]).toContain('messages were left out');
    const never = await errorOf(
      made.run(made.gateway.generate({ messages: [{ role: 'user', content: 'word '.repeat(20_000) }] })),
    );
    expect(never.code).toBe('context-window');
    expect(made.provider.seen).toHaveLength(2);
    const large = fakeProvider({ id: 'large', models: [fakeCard({ id: 'l', price: { input: 99, output: 99 } })] });
    const both = harness({
      providers: [made.provider, large],
      config: { adapt: { fit: 'middle-out' }, optimise: 'cost' },
    });
    expect((await both.run(both.gateway.generate({ messages: long(60) }))).target.provider).toBe('large');
  });

  it('believes the free count of the provider more than an estimate, and does without one that fails', async () => {
    const counts: number[] = [];
    const count =
      (factor: number) =>
      async ({ request }: Attempt): Promise<number> => {
        const tokens = JSON.stringify((request as ChatRequest).messages).length * factor;
        counts.push(tokens);
        return tokens;
      };
    const generous = one(() => 'x', { adapt: { fit: 'middle-out' } }, small, { countTokens: count(0.01) });
    await generous.run(generous.gateway.generate({ messages: long(60) }));
    expect(chatOf(generous.provider.seen[0]).messages).toHaveLength(62);
    const dear = one(() => 'x', { adapt: { fit: 'middle-out' } }, small, { countTokens: count(0.5) });
    const { warnings } = await dear.run(dear.gateway.generate({ messages: long(60) }));
    expect(warnings[0]?.message).toContain('counted by the provider');
    expect(counts.at(-1)).toBeLessThanOrEqual(3500);
    const failing = one(() => 'x', { adapt: { fit: 'middle-out' } }, small, {
      countTokens: () => Promise.reject(new Error('down')),
    });
    const estimated = await failing.run(failing.gateway.generate({ messages: long(60) }));
    expect(estimated.warnings[0]?.message).toContain('by an estimate');
  });

  it.each([0.5, 3])(
    'goes by what was learned of the model where nobody counts: %d tokens for one of our own',
    async (ratio) => {
      const roughly = (attempt: Attempt): number => ratio * needsOf(chatOf(attempt)).size.roughTokens;
      const script = (attempt: Attempt): readonly ScriptStep[] => [
        text('x'),
        finish({ usage: { input: Math.round(roughly(attempt)), output: 1 } }),
      ];
      const learned = one(script, { adapt: { fit: 'middle-out' } }, small);
      for (let call = 0; call < 500; call += 1) await learned.run(learned.gateway.generate({ messages: long(3) }));
      const request = { operation: 'chat', messages: long(60) } as const;
      const [candidate] = learned.gateway.explain(request).candidates;
      const { warnings } = await learned.run(learned.gateway.generate(request));
      const sent = learned.provider.seen.at(-1);
      if (sent === undefined) throw new Error('nothing was sent');
      const tokens = roughly(sent);
      // A quarter is kept free on top, since no two texts are alike.
      expect(tokens).toBeLessThanOrEqual(3500 / 1.2);
      expect(tokens).toBeGreaterThan(3500 / 1.5);
      expect(candidate?.adaptations).toEqual(warnings.map(({ message }) => message));
    },
  );
});
