/** What was asked for is in the answer: so many points, every field, every file, and "nothing" where there is nothing. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { respond } from '../../../plugins/providers/embedded/engine.ts';
import { fieldsIn } from '../../../plugins/providers/embedded/fields/asked-fields.ts';
import { entities } from '../../../plugins/providers/embedded/text/entities.ts';
import { kinFinder } from '../../../plugins/providers/embedded/text/kin.ts';

const say = (content: string) => respond({ operation: 'chat', messages: [{ role: 'user', content }] }, 'fast');

const SENTENCES = [
  'The ferry reached the island before noon.',
  'Two bakers sold bread at the quay.',
  'A storm damaged the roof of the school.',
  'The council bought a new snow plough.',
  'Children planted seventy birches along the road.',
  'The museum opens a hall about amber.',
  'Fishermen reported a record of herring.',
];
const COUNTS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven'];

describe('points', () => {
  test('are as many as were asked for', () => {
    const wording = fc.constantFrom('bullet points', 'bullets', 'key points');
    fc.assert(
      fc.property(fc.shuffledSubarray(SENTENCES, { minLength: 2 }), wording, fc.boolean(), (sentences, noun, spelt) => {
        const count = Math.max(2, sentences.length - 1);
        const { text } = say(
          `Summarise this in ${spelt ? COUNTS[count - 1] : count} ${noun}:\n\n${sentences.join(' ')}`,
        );
        expect(text.split('\n')).toHaveLength(count);
        expect(text.split('\n').every((line) => line.startsWith('- '))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('come from clauses where there are too few sentences, and what is lacking is said', () => {
    const { text } = say(
      'Give me three bullet points: The mill was sold in May, and the new owner lives in Bergen; the wheel still turns.',
    );
    expect(text.split('\n')).toHaveLength(3);
    expect(say('Give me three bullet points: The mill was sold.').text).toBe(
      '- The mill was sold.\n\n(The text has only 1 point that can be quoted.)',
    );
  });
});

describe('fields', () => {
  const names = ['invoice number', 'customer', 'städte', 'due date', 'colour', '品名', 'e-mail'];
  test('are given or named as missing, each one', () => {
    const value = fc.stringMatching(/^[A-ZÄÖŁ][a-zäöł]{2,8}$/);
    const given = fc.record({ asked: fc.shuffledSubarray(names, { minLength: 2 }), has: fc.subarray(names), value });
    fc.assert(
      fc.property(given, ({ asked, has, value: word }) => {
        const lines = has.map((name, index) => `${name}: ${word}${index}`);
        const { text } = say(`Extract these fields: ${asked.join(', ')}\n\n${['A letter', ...lines].join('\n')}`);
        const expected = asked.map((name) =>
          has.includes(name) ? `${name}: ${word}${has.indexOf(name)}` : `${name}: not found in the text`,
        );
        expect(text.split('\n')).toEqual(expected);
      }),
    );
  });

  test.each([
    ['Extract the name and the total from a.txt', ['name', 'total']],
    ['Get sender, subject and date from this e-mail: Hi', ['sender', 'subject', 'date']],
    ['Extrahiere Name, Adresse und Telefonnummer aus dem Text', ['Name', 'Adresse', 'Telefonnummer']],
    ['Extrae el nombre, la fecha y el importe de la factura', ['nombre', 'fecha', 'importe']],
    ['Extract all dates', []],
    ['Extract the key points', []],
    ['Give me a recipe for soup', []],
    ['Summarise this text', []],
  ])('%s', (asked, fields) => {
    expect(fieldsIn(asked)).toEqual(fields);
  });

  test('a number of another kind is not taken for the one that was asked for', () => {
    const { text } = say('Extract phone and fax number from: Call us. Phone number: +44 20 7946 0018');
    expect(text).toBe('phone: +44 20 7946 0018\nfax number: not found in the text');
  });

  test('a schema that requires several missing values names all of them', () => {
    const schema = {
      type: 'object',
      properties: { email: { type: 'string', format: 'email' }, website: { type: 'string', format: 'uri' } },
      required: ['email', 'website'],
    };
    const request = {
      operation: 'chat' as const,
      messages: [{ role: 'user' as const, content: 'Extract the contact: The shop is closed.' }],
      output: { type: 'json' as const, schema },
    };
    expect(() => respond(request, 'fast')).toThrow(/"email", "website"/);
  });
});

test('a question is answered for each document that has an answer', () => {
  const { text, confidence } = say(
    'Who built it? Answer for each document.\n\n<document name="mill.md">The mill was built by Åsa Lindqvist.</document>\n<document name="dam.md">The dam is old.</document>',
  );
  expect(text).toBe('mill.md: The mill was built by Åsa Lindqvist.\ndam.md: The text does not answer this question.');
  expect(confidence).toBeLessThan(0.2);
});

test.each([
  'List all phone numbers in: We met in the garden and talked about roses.',
  'Extract all e-mail addresses and links from: There was cake for everybody.',
  'Classify as fruit or vehicle: The committee met in the hall.',
  'Question: Who paid for it?\n\nText: The tower is made of brick.',
  'Wer bezahlte die Orgel?\n\nDer Turm ist aus Backstein.',
  'What is the sum of tax?\n\ntown,people\nUlm,120\nBonn,330',
])('nothing is said to be found at a low confidence: %s', (asked) => {
  const { text, confidence } = say(asked);
  expect(text).toMatch(/\b(?:none|no|not|nothing)\b/);
  expect(confidence).toBeLessThanOrEqual(0.1);
});

test('names may begin and end with any letter', () => {
  const found = entities(
    'There Ōe Kenzaburō met Łukasz Żak, Đorđe Šarić and José Ibáñez. Bauer GmbH. Her desk',
    'name',
  );
  expect(found.map(({ text }) => text)).toEqual([
    'Ōe Kenzaburō',
    'Łukasz Żak',
    'Đorđe Šarić',
    'José Ibáñez',
    'Bauer GmbH',
  ]);
});

test.each([
  ['elected', ['election'], 'election'],
  ['leitet', ['leiteri'], 'leiteri'],
  ['construyó', ['construid'], 'construid'],
  ['contract', ['contrast'], undefined],
  ['community', ['commerce'], undefined],
])('%s has its family among %j', (stem, stems, kin) => {
  expect(kinFinder(new Map(stems.map((one) => [one, 1])))(stem)).toBe(kin);
});
