/**
 * A cut, filtered or broken answer is never a whole one, on every wire, streamed and whole: a node does not take it, no tool
 * runs with what is left of its arguments, and a longer answer is asked for once, within all bounds.
 */
import { describe, expect, it } from 'vitest';
import { createPolyphony, type PlanNode, type RunResult, type Tool } from '../../src/index.ts';
import { loopback } from '../kit/loopback.ts';
import { type Said, WIRES } from './wire-answers.ts';

type Form = 'stream' | 'whole';

interface Outcome {
  readonly result: RunResult;
  readonly limits: readonly unknown[];
  readonly paidWith: readonly unknown[];
}

/** Runs one node against a server that gives the answers in order, the last one again and again. */
async function outcomeOf(
  wireName: string,
  form: Form,
  answers: readonly Said[],
  node: Partial<PlanNode> = {},
): Promise<Outcome> {
  const wire = WIRES[wireName];
  if (wire === undefined) throw new Error(`no wire ${wireName}`);
  let asked = 0;
  const server = await loopback((_, response) => {
    const said = answers[Math.min(asked, answers.length - 1)] ?? { ending: 'stop' as const };
    asked += 1;
    response.end(wire[form](said));
  });
  const paidWith: unknown[] = [];
  const pay: Tool = {
    name: 'pay',
    description: 'Pays a bill.',
    input: { type: 'object', properties: { to: { type: 'string' }, euros: { type: 'number' } } },
    run: async (input) => {
      paidWith.push(input);
      return 'paid';
    },
  };
  const polyphony = await createPolyphony({
    providers: [wire.provider(server.url)],
    plugins: [{ name: 'till', tools: [pay] }],
    config: { retry: { retries: 0 } },
  });
  try {
    const plan = {
      version: 1 as const,
      nodes: [{ id: 'a', use: 'llm', in: { prompt: 'Go on.' }, ...node }],
      output: '{{a}}',
    };
    const handle = await polyphony.start(plan);
    const result = await handle.result();
    const limits = server.received.map(({ body }) => wire.limitOf(JSON.parse(body)));
    return { result, limits, paidWith };
  } finally {
    await polyphony.close();
  }
}

const FORMS: readonly Form[] = ['stream', 'whole'];
const ALL = Object.keys(WIRES).flatMap((wire) => FORMS.map((form) => [wire, form] as const));
const typed: Partial<PlanNode> = { out: { towns: 'string[]' } };
const half: Said = { text: '{"towns":["Ghent","Bru', ending: 'length' };
const whole: Said = { text: '{"towns":["Ghent","Bruges"]}', ending: 'stop' };

describe.each(ALL)('%s, %s', (wire, form) => {
  it('asks once more with more room for JSON that was cut', async () => {
    const { result, limits } = await outcomeOf(wire, form, [half, whole], typed);
    expect(result).toMatchObject({ status: 'done', output: { towns: ['Ghent', 'Bruges'] } });
    expect(result.nodes[0]?.meta?.warnings.map(({ code }) => code)).toContain('output-repaired');
    expect(limits).toHaveLength(2);
    expect(limits[1]).toBe(900);
  });

  it('fails with output-cut when the second answer is cut too', async () => {
    const { result, limits } = await outcomeOf(wire, form, [half], typed);
    expect(result).toMatchObject({ status: 'failed', error: { code: 'output-cut' } });
    expect(limits).toHaveLength(2);
    expect(result.usage.output).toBe(10);
  });

  it('asks for no more than the caller allows', async () => {
    const { result, limits } = await outcomeOf(wire, form, [half, whole], {
      ...typed,
      in: { prompt: 'Go on.', maxTokens: 60 },
    });
    expect(result.error).toMatchObject({ code: 'output-cut', message: expect.stringContaining('"maxTokens"') });
    expect(limits).toHaveLength(1);
  });

  it('keeps cut text, with a warning and a fact', async () => {
    const { result } = await outcomeOf(wire, form, [{ text: 'Ghent and Bru', ending: 'length' }]);
    expect(result).toMatchObject({ status: 'done', output: { text: 'Ghent and Bru' } });
    expect(result.nodes[0]?.meta).toMatchObject({ finishReason: 'length', warnings: [{ code: 'output-cut' }] });
  });

  it('takes no filtered answer, with and without words', async () => {
    for (const text of ['Ghent and', whole.text, undefined]) {
      const said: Said = text === undefined ? { ending: 'filter' } : { text, ending: 'filter' };
      const { result } = await outcomeOf(wire, form, [said]);
      expect(result).toMatchObject({ status: 'failed', error: { code: 'content-policy' } });
    }
  });

  it('takes no answer that ended with an error, with and without words', async () => {
    for (const text of ['Ghent and', undefined]) {
      const said: Said = text === undefined ? { ending: 'error' } : { text, ending: 'error' };
      const { result } = await outcomeOf(wire, form, [said]);
      expect(result).toMatchObject({ status: 'failed', error: { code: 'truncated' } });
    }
  });

  it('takes no thoughts for an answer', async () => {
    const { result } = await outcomeOf(wire, form, [{ thought: 'Ghent, then Bruges.', ending: 'stop' }]);
    expect(result).toMatchObject({ status: 'failed', error: { code: 'truncated' } });
  });

  it('asks once more when the thoughts took all the room', async () => {
    const { result } = await outcomeOf(wire, form, [
      { thought: 'Ghent, then', ending: 'length' },
      { text: 'Ghent.', ending: 'stop' },
    ]);
    expect(result).toMatchObject({ status: 'done', output: { text: 'Ghent.' } });
  });

  it.each(['{"to":"Ann","euros":1', ''])('runs no tool whose arguments were cut: %j', async (text) => {
    const cut: Said = { call: { name: 'pay', arguments: text }, ending: 'length' };
    const { result, paidWith } = await outcomeOf(
      wire,
      form,
      [
        cut,
        { call: { name: 'pay', arguments: '{"to":"Ann","euros":12}' }, ending: 'stop' },
        { text: 'Paid.', ending: 'stop' },
      ],
      { in: { prompt: 'Pay Ann.', tools: ['pay'] } },
    );
    expect(paidWith).toEqual([{ to: 'Ann', euros: 12 }]);
    expect(result).toMatchObject({ status: 'done', output: { text: 'Paid.' } });
  });
});

describe.each(Object.keys(WIRES).filter((name) => WIRES[name]?.cutsArguments))('%s', (wire) => {
  it('runs no tool whose arguments are half a JSON, whatever the reason of the end', async () => {
    const { result, paidWith } = await outcomeOf(
      wire,
      'stream',
      [
        { call: { name: 'pay', arguments: '{"to":"Ann","eu' }, ending: 'stop' },
        { text: 'I could not pay.', ending: 'stop' },
      ],
      { in: { prompt: 'Pay Ann.', tools: ['pay'] } },
    );
    expect(paidWith).toEqual([]);
    expect(result).toMatchObject({ status: 'done', output: { text: 'I could not pay.' } });
  });
});
