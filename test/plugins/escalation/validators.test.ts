import fc from 'fast-check';
import type { Call, ChatRequest, ModelResponse } from 'polyphony';
import { describe, expect, it } from 'vitest';
import { equationsOf } from '../../../plugins/escalation/validators/arithmetic.ts';
import { validatorsEvaluator } from '../../../plugins/escalation/validators.ts';

function judged(
  question: string,
  answer: string,
  request: Partial<ChatRequest> = {},
  told: Partial<ModelResponse> = {},
) {
  const call: Call = {
    id: 'call',
    request: { operation: 'chat', messages: [{ role: 'user', content: question }], ...request },
    signal: new AbortController().signal,
    purpose: 'answer',
    scopes: [],
    trace: { attempts: [] },
  };
  const response: ModelResponse = {
    target: { provider: 'p', model: 'm' },
    content: answer === '' ? [] : [{ type: 'text', text: answer }],
    finishReason: 'stop',
    usage: { input: 1, output: 1 },
    costNanoUsd: 0,
    attempts: [],
    warnings: [],
    ...told,
  };
  const evaluation = validatorsEvaluator.evaluate(call, response);
  if (!('score' in evaluation)) throw new TypeError('validators answers at once');
  return evaluation;
}

const schema = { type: 'object', properties: { label: { enum: ['spam', 'ham'] } }, required: ['label'] };
const json: Partial<ChatRequest> = { output: { type: 'json', schema } };
const report = `The board met on 3 May. ${'It discussed the plans for the coming year at some length. '.repeat(8)}Sales were 1,250 units.`;

const coded: Partial<ChatRequest> = {
  output: {
    type: 'json',
    schema: { type: 'object', properties: { code: { type: 'string', pattern: '^A' } }, required: ['code'] },
  },
};

describe('nothing is wrong with', () => {
  const fine: Record<string, readonly [string, string, Partial<ChatRequest>?]> = {
    'a short answer': ['What is the capital of France?', 'Paris'],
    'a choice': ['Which is the largest: A, B or C?', 'The answer is A'],
    'a list that ends without a stop': ['Name two primes.', '- two\n- three'],
    'right arithmetic': ['Tom has 3 boxes of 4 pens. How many pens?', '3 * 4 = 12 pens.'],
    'arithmetic with marks': ['', 'So 1,000 × 2 = $2,000, and \\(6 \\div 4 = 1.5\\); 10/3 ≈ 3.'],
    'valid JSON': ['Label it.', '{"label":"spam"}', json],
    'JSON under a pattern, which is not judged here': ['Code?', '{"code":"B-1"}', coded],
    'JSON in a fence': ['Label it.', '```json\n{"label":"ham"}\n```', json],
    'code after many blanks': ['Write it.', `Here:\n\`\`\`${' '.repeat(262_144)}`.concat('\n```\n')],
    'code of many open comments': ['Write it.', `\`\`\`js\n${'/*'.repeat(131_072)}\n\`\`\`\n`],
    code: ['Write it.', 'Here:\n```js\nconst a = { b: "}" }; // )\n```\n'],
    'figures and quotes of the given text': [
      `${report}\nSummarise.`,
      'It reports "It discussed the plans for the coming year" and 1250 units.',
    ],
  };
  for (const [name, [question, answer, request]] of Object.entries(fine)) {
    it(name, () => expect(judged(question, answer, request)).toEqual({ score: 1, calibrated: false, reasons: [] }));
  }
});

describe('below 0.7', () => {
  const flawed: Record<string, readonly [string, string, Partial<ChatRequest>?, Partial<ModelResponse>?]> = {
    empty: ['q', ''],
    'JSON that breaks the rest of a schema with a pattern': ['Code?', '{"kode":"A-1"}', coded],
    blank: ['q', ' \n'],
    refused: ['q', "I'm sorry, but I can't help with that."],
    'a refusal by the provider': ['q', 'no', {}, { refusal: 'no' }],
    cut: ['q', 'The first of', {}, { finishReason: 'length' }],
    'stopped within a sentence': ['q', 'The total is 15 + 25 = <<15+2'],
    unsure: ['q', 'The price cannot be determined from the text.'],
    'wrong arithmetic': ['q', 'That makes 3 * 4 = 13 pens.'],
    'no number where one is asked': ['Tom has 3 boxes of 4 pens. How many pens?', 'He has a good number of pens.'],
    'half a bird': ['5 birds and half of 3 more. How many birds?', '5 + 3 / 2 = 6.5'],
    'a result from nowhere': [
      'Tom has 3 boxes of 4 pens and 2 more. How many?',
      '3 * 4 = 12, 12 + 2 = 14. The answer is 20.',
    ],
    'no JSON': ['Label it.', 'It is spam.', json],
    'a label that is not allowed': ['Label it.', '{"label":"eggs"}', json],
    'an open code block': ['q', '```js\nlet a = 1;'],
    'unbalanced code': ['q', '```js\nfoo(1;\n```'],
    'broken JSON in a block': ['q', '```json\n{"a":1,}\n```'],
    'the same again and again': ['q', 'This sentence comes again and again. '.repeat(6)],
    'an invented quote': [`${report}\nSummarise.`, 'It says "we shall dismiss everyone in the autumn".'],
    'doubted by its own model': ['q', 'Paris', {}, { confidence: 0.4 }],
  };
  for (const [name, [question, answer, request, told]] of Object.entries(flawed)) {
    it(name, () => {
      const { score, reasons } = judged(question, answer, request, told);
      expect(score).toBeLessThan(0.7);
      expect(reasons.length).toBeGreaterThan(0);
    });
  }
});

describe('validators', () => {
  it("does not believe the model's praise", () => {
    expect(judged('q', '3 * 4 = 13', {}, { confidence: 1 }).score).toBeLessThan(0.7);
  });

  it('notes invented figures, half-empty forms and unused numbers', () => {
    expect(judged(`${report}\nSummarise.`, 'Sales were 9,999 units.').reasons[0]).toContain('9999');
    const open: Partial<ChatRequest> = { output: { type: 'json' } };
    expect(judged('q', '{"a":null,"b":"","c":1}', open).reasons[0]).toContain('2 of 3 fields');
    expect(judged('3 boxes, 4 pens, 7 lids. How many?', '3 * 4 = 12').reasons[0]).toContain('never uses 7');
  });

  it('always scores between 0 and 1, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: fc.constantFrom(...'0123456789=+-*/(). x\n`{}"') }),
        (a, b) => {
          const { score } = judged(`${a} how many 1 2`, a + b);
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it('recomputes what a text states', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 9999 }),
        fc.integer({ min: 1, max: 999 }),
        fc.integer({ min: 1, max: 50 }),
        (a, b, off) => {
          expect(equationsOf(`so ${a} + ${b} = ${a + b}.`)).toMatchObject([{ right: true, computed: a + b }]);
          expect(equationsOf(`so ${a} x ${b} = ${a * b + off} things`)).toMatchObject([
            { right: false, computed: a * b },
          ]);
        },
      ),
    );
    expect(equationsOf('1. 2 + 3 = 5\n- 4 + 5 = 9')).toMatchObject([{ right: true }, { right: true }]);
    expect(equationsOf('20% of 50 = 10, x = 3, a == b, 5 = 5')).toEqual([]);
    expect(equationsOf(`${'('.repeat(5000)}1+1${')'.repeat(5000)} = 2`)).toEqual([]);
  });
});

describe('a typed answer that states its own confidence', () => {
  const asking = (confidence: object): Partial<ChatRequest> => ({
    output: { type: 'json', schema: { type: 'object', properties: { label: { type: 'string' }, confidence } } },
  });
  const number = { type: 'number' } as const;

  it.each([0, 0.3, 0.69, 1])('scores at most %s', (confidence) => {
    const { score, reasons = [] } = judged('Label it.', JSON.stringify({ label: 'spam', confidence }), asking(number));
    expect(score).toBe(confidence);
    expect(reasons).toEqual(confidence < 1 ? [`the model reports a confidence of ${confidence}`] : []);
  });

  it('never scores more for it, nor less than for what the provider reports', () => {
    const stated = '{"label":"spam","confidence":0.9}';
    expect(judged('Label it.', stated, asking(number), { confidence: 0.2 }).score).toBe(0.2);
    expect(judged('Label it.', stated, asking(number), { finishReason: 'length' }).score).toBeLessThan(0.5);
  });

  it.each<[string, object, unknown]>([
    ['on another scale', number, 85],
    ['below the scale', number, -1],
    ['as a text', { type: 'string' }, '0.1'],
    ['that is missing', number, undefined],
  ])('is judged without one %s', (_what, declared, confidence) => {
    const text = JSON.stringify({ label: 'spam', confidence });
    expect(judged('Label it.', text, asking(declared)).score).toBe(1);
  });

  it('is judged without one that nobody asked for', () => {
    expect(judged('Label it.', '{"label":"spam","confidence":0.1}', json).reasons).not.toContain(
      'the model reports a confidence of 0.1',
    );
    expect(judged('How sure are you?', '{"confidence":0.1}').score).toBe(1);
  });
});
