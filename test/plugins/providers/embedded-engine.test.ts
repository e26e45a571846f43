import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answer } from '../../../plugins/providers/embedded/answers.ts';
import { classify } from '../../../plugins/providers/embedded/classification.ts';
import { compare } from '../../../plugins/providers/embedded/comparison.ts';
import { summarise } from '../../../plugins/providers/embedded/summary.ts';
import { keyTerms } from '../../../plugins/providers/embedded/terms.ts';
import { toIsoDate } from '../../../plugins/providers/embedded/text/dates.ts';
import { entities, numbers } from '../../../plugins/providers/embedded/text/entities.ts';
import { guessLanguage, sentences, stem, words } from '../../../plugins/providers/embedded/text/language.ts';
import { readBlocks, unwrap } from '../../../plugins/providers/embedded/text/markdown.ts';
import { read } from '../../../plugins/providers/embedded/text/passages.ts';

const QUEUE = `# Queue

[![build](https://example.com/badge.svg)](https://example.com)

A queue that runs promises with bounded concurrency.

## Install

\`\`\`sh
npm install queue
\`\`\`

## Concurrency

The concurrency of the queue bounds how many promises run at once. The default concurrency is 4 promises.
A promise that fails does not stop the queue. The [events](https://example.com/events) of the queue tell when a promise starts and ends.

| option | default |
|---|---|
| timeout | 30 seconds |

## History

Maria Lopez wrote the first version in March 2019 because older queues lost promises. The licence is MIT.`;

const BAKERY = `The bakery opens at six and sells rye bread. Rye bread needs two days of sourdough.
The baker heats the oven with oak. Customers praise the crust of the bread.`;

describe('language', () => {
  test.each([
    ['The cat sat on the mat and it was happy.', 'en'],
    ['Der Hund und die Katze sind nicht im Haus.', 'de'],
    ['Le chat est dans la maison avec les enfants.', 'fr'],
    ['El perro está en la casa con los niños.', 'es'],
    ['Il gatto è nella casa con gli amici.', 'it'],
    ['O gato não está em casa com os amigos.', 'pt'],
    ['De hond is niet in het huis met een kat.', 'nl'],
    ['東京は日本の首都です。', 'ja'],
    ['北京是中国的首都。', 'zh'],
    ['서울은 한국의 수도입니다.', 'ko'],
    ['', 'en'],
  ])('%j is %s', (text, language) => {
    expect(guessLanguage(text)).toBe(language);
  });

  test('sentences survive abbreviations, decimals and quotes', () => {
    const text = 'Dr. Smith paid $3.50, e.g. for tea. He left! "Why?" she asked. See node.js.';
    expect(sentences(text)).toEqual([
      'Dr. Smith paid $3.50, e.g. for tea.',
      'He left!',
      '"Why?" she asked.',
      'See node.js.',
    ]);
  });

  test('German dates stay whole', () => {
    const text = 'Das Paket wurde am 3. März 2024 beschlossen. Es gilt.';
    expect(sentences(text, 'de')).toEqual(['Das Paket wurde am 3. März 2024 beschlossen.', 'Es gilt.']);
    expect(answer(read(text), 'Wann wurde das Paket beschlossen?').text).toContain('3. März 2024');
  });

  test('Japanese words come apart without spaces', () => {
    expect(words('東京に住む', 'ja')).toContain('東京');
  });

  test('forms of a word meet in one stem', () => {
    expect(new Set(['charge', 'charges', 'charged', 'charging'].map((word) => stem(word, 'en'))).size).toBe(1);
    expect(stem('queries', 'en')).toBe(stem('query', 'en'));
  });
});

describe('markdown', () => {
  test('code, tables, headings and badges are no prose', () => {
    const kinds = readBlocks(QUEUE).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'code')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'row')).toHaveLength(2);
    expect(readBlocks(QUEUE).every(({ text }) => !text.includes('badge.svg'))).toBe(true);
  });

  test('links and emphasis unwrap, what stands in backticks is kept', () => {
    expect(unwrap('See **the** [docs](https://a.b/c) of `<T>` and *more*.')).toBe('See the docs of <T> and more.');
  });
});

describe('summarise', () => {
  test.each(['fast', 'thorough'] as const)('%s keeps order, quotes, and says what the text is', (effort) => {
    const { sentences: found } = summarise(read(QUEUE), { sentences: 3, effort });
    expect(found).toHaveLength(3);
    expect(found[0]).toBe('A queue that runs promises with bounded concurrency.');
    const places = found.map((sentence) => QUEUE.replace(/\[|\]\([^)]*\)/g, '').indexOf(sentence));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(found.join(' ')).not.toMatch(/npm install|30 seconds/);
  });

  test('repeated sentences are taken once', () => {
    const twice = `${BAKERY}\n\n${BAKERY}`;
    const { sentences: found } = summarise(read(twice), { sentences: 6, effort: 'thorough' });
    expect(new Set(found).size).toBe(found.length);
  });

  test('words bound the length', () => {
    const { text } = summarise(read(QUEUE), { sentences: 20, words: 25 });
    expect(text.split(' ').length).toBeLessThanOrEqual(25);
  });

  test('nothing gives nothing', () => {
    expect(summarise(read(''))).toEqual({ text: '', sentences: [], confidence: 0 });
  });

  test('a megabyte is read within its bounds', () => {
    const long = Array.from(
      { length: 9000 },
      (_, n) => `Sentence ${n} speaks of topic ${n % 97} and of ships at sea, in the harbour.`,
    );
    const { sentences: found } = summarise(read(long.join('\n\n').repeat(2)), { effort: 'thorough' });
    expect(found).toHaveLength(3);
  });
});

describe('keyTerms', () => {
  test('name what the text is about, best first, without repeats', () => {
    const terms = keyTerms(read(QUEUE), 6).map(({ term }) => term.toLowerCase());
    expect(terms.slice(0, 4).join(' ')).toMatch(/queue/);
    expect(terms.join(' ')).toMatch(/promise/);
    expect(new Set(terms).size).toBe(terms.length);
  });
});

describe('classify', () => {
  const tickets: [string, string][] = [
    ['My card was charged twice, please refund me.', 'billing'],
    ['The app crashes with an error when I log in.', 'tech'],
    ['Where is my parcel? The courier never delivered it.', 'shipping'],
  ];
  test.each(tickets)('%j is %s', (text, label) => {
    const found = classify(text, ['billing', 'tech', 'shipping']);
    expect(found.label).toBe(label);
    expect(found.confidence).toBeGreaterThan(0.6);
    expect(found.evidence).not.toBe('');
  });

  test('negated praise is no praise', () => {
    expect(classify('I do not like this, it is not good.', ['positive', 'negative']).label).toBe('negative');
  });

  test('descriptions of labels count', () => {
    const labels = [
      { name: 'A', description: 'cats, dogs and other pets' },
      { name: 'B', description: 'engines and cars' },
    ];
    expect(classify('The dog sleeps.', labels)).toMatchObject({ label: 'A', supported: ['A'] });
  });

  test('without evidence the confidence is chance, and the label for others is taken', () => {
    expect(classify('The sky is blue.', ['x', 'y', 'z', 'w'])).toMatchObject({ confidence: 0.25, supported: [] });
    expect(classify('The sky is blue.', ['billing', 'other']).label).toBe('other');
  });

  test('scores add up to one over the given labels only', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 6 }),
        (text, labels) => {
          const { label, scores } = classify(text, labels);
          expect(labels).toContain(label);
          expect(Object.values(scores).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 6);
        },
      ),
    );
  });
});

describe('answer', () => {
  const reading = read(QUEUE);
  test.each([
    ['What is the default concurrency?', /default concurrency is 4/],
    ['Who wrote the first version?', /Maria Lopez/],
    ['When was the first version written?', /March 2019/],
    ['Why did Maria Lopez write it?', /because older queues lost promises/],
    ['What is the default timeout?', /30 seconds/],
    ['How do I install the queue?', /npm install queue/],
    ['What does it say about the licence?', /MIT/],
  ])('%s', (question, expected) => {
    const found = answer(reading, question);
    expect(found.text).toMatch(expected);
    expect(found.confidence).toBeGreaterThan(0.4);
  });

  test.each([
    'Who won the world cup?',
    'Does it support Windows phones?',
    'Does the queue support Windows phones?',
    'What?',
    '',
  ])('does not answer %j', (question) => {
    expect(answer(reading, question)).toMatchObject({ found: false, text: '' });
  });
});

describe('compare', () => {
  test('tells what is shared and what is not', () => {
    const other = QUEUE.replaceAll('queue', 'pool').replaceAll('Queue', 'Pool');
    const close = compare([
      { name: 'queue', reading: read(QUEUE) },
      { name: 'pool', reading: read(other) },
    ]);
    const far = compare([
      { name: 'queue', reading: read(QUEUE) },
      { name: 'bakery', reading: read(BAKERY) },
    ]);
    expect(close.similarity).toBeGreaterThan(0.6);
    expect(far.similarity).toBeLessThan(0.1);
    expect(close.shared.join(' ')).toMatch(/concurrency/);
    expect(far.shared).toEqual([]);
    expect(far.documents[1]?.distinct.join(' ').toLowerCase()).toMatch(/bread/);
    expect(BAKERY.replace(/\s+/g, ' ')).toContain(far.documents[1]?.typical.split('. ')[0]);
  });
});

describe('entities', () => {
  const text =
    'On 12 March 2026 Anna Schmidt (anna@example.com, +49 170 1234567) paid $1,249.99, 19 % tax, order ORD-482. See https://a.b/c.';
  test.each([
    ['email', ['anna@example.com']],
    ['phone', ['+49 170 1234567']],
    ['date', ['12 March 2026']],
    ['money', ['$1,249.99']],
    ['identifier', ['ORD-482']],
    ['url', ['https://a.b/c']],
    ['name', ['Anna Schmidt']],
  ] as const)('%s', (kind, expected) => {
    expect(entities(text, kind).map((entity) => entity.text)).toEqual(expected);
  });

  test('numbers keep units and scales, and are none inside words', () => {
    expect(
      numbers('1.5 million users, 19 %, $20, three cats, v8engine').map(({ value, unit }) => [value, unit]),
    ).toEqual([
      [1_500_000, 'users'],
      [19, '%'],
      [20, '$'],
      [3, ''],
    ]);
  });

  test.each([
    ['12 March 2026', '2026-03-12'],
    ['March 12th, 2026', '2026-03-12'],
    ['31.12.2025', '2025-12-31'],
    ['13/02/2025', '2025-02-13'],
    ['02/03/2025', undefined],
    ['31.02.2025', undefined],
  ])('%s is %s', (text, iso) => {
    expect(toIsoDate(text)).toBe(iso);
  });
});
