/** The checks that compare an answer with what its question asks for. A right answer must cost nothing. */
import fc from 'fast-check';
import type { ChatRequest, Message } from 'polyphony';
import { describe, expect, it } from 'vitest';
import { askedExpression } from '../../../plugins/escalation/validators/asked-expression.ts';
import { judgedAnswer as judged } from '../../bench/judged-answer.ts';

type Case = readonly [question: string, answer: string, earlier?: readonly Message[]];

function expectFine(cases: readonly Case[]): void {
  for (const [question, answer, earlier] of cases) {
    it(`${question.slice(-60)} ${answer.slice(0, 60)}`, () =>
      expect(judged(question, answer, earlier)).toEqual({ score: 1, calibrated: false, reasons: [] }));
  }
}

function expectFlawed(cases: readonly Case[], reason: RegExp): void {
  for (const [question, answer, earlier] of cases) {
    it(`${question.slice(-60)} ${answer.slice(0, 60)}`, () => {
      const { score, reasons } = judged(question, answer, earlier);
      expect(score).toBeLessThan(0.7);
      expect(reasons.join('; ')).toMatch(reason);
    });
  }
}

const system = (content: string): Message[] => [{ role: 'system', content }];

describe('questions for yes or no that are answered by neither', () => {
  expectFlawed(
    [
      ['Is 87 a prime number? Answer yes or no.', '87 is a number.'],
      ['Is 87 a prime number? Answer with yes or no only.', 'Maybe.'],
      ['Is 87 a prime number? (yes/no)', 'It depends.'],
      ['Yes or no: does mercury conduct electricity?', 'A silvery metal.'],
      ['Does mercury conduct electricity? Reply "yes" or "no".', 'Mercury'],
      ['Can penguins fly? Please answer yes or no.', 'Yes or no.'],
      ['Ist Bern eine Stadt? Antworte mit ja oder nein.', 'Bern'],
      ['True or false: Oslo is in Norway.', 'A capital.'],
      ['Is the sun a star?', 'The sun.'],
      ['Is the light on? Answer "yes" or "no" only.', 'The light.'],
      ['Hi, is Oslo in Norway?', 'Pasta'],
      ['Question: Is Oslo in Norway?\nAnswer:', 'Pasta'],
      ['Was the bridge opened before 1900?', 'Banana.'],
      ['Is Oslo in Norway?', 'Oslo'],
      ['Is Oslo in Norway?', '42'],
      ['Do spiders have eight legs?', 'The weather is lovely today.'],
      ['Did the company make a profit in spring?', 'Blue.'],
      ['Text: The shop opens at nine.\nQuestion: Does the shop open at ten?', 'Purple elephants.'],
      ['Is Oslo in Norway?', 'Probably.', system('Answer every question with yes or no.')],
    ],
    /yes or no/,
  );
});

describe('questions for yes or no that are answered, and questions that are none', () => {
  expectFine([
    ['Is 87 a prime number? Answer yes or no.', 'No.'],
    ['Is 87 a prime number? Answer yes or no.', 'no'],
    ['Is 87 a prime number? Answer yes or no.', '**No**, because 87 is divisible by 3.'],
    ['Is 87 a prime number? Answer yes or no.', 'The answer is no.'],
    ['Is 87 a prime number? Answer yes or no.', '87 is not a prime number.'],
    ['Is 29 a prime number? Answer yes or no.', '29 is a prime number.'],
    ['Is 29 a prime number? (yes/no)', 'True'],
    ['Is 29 a prime number? (yes/no)', 'Y'],
    ['Can penguins fly? Please answer yes or no.', "They can't."],
    ['Is it raining? Answer yes or no, or unknown if you cannot tell.', 'Unknown'],
    ['Is it raining? Answer yes, no or maybe.', 'Maybe'],
    ["Don't just answer yes or no: is coffee healthy?", 'In moderate amounts coffee is healthy for most adults.'],
    ['Ist Bern eine Stadt? Antworte mit ja oder nein.', 'Ja.'],
    ['Is Oslo in Norway?', 'It is.'],
    ['Is Oslo in Norway?', 'Yes, Oslo is its capital.'],
    ['Is Oslo in Norway?', 'Oslo is the capital of Norway.'],
    ['Is Oslo in Norway?', 'Absolutely!'],
    ['Is Oslo in Norway?', 'Of course.'],
    ['Is Oslo in Norway?', 'That’s right.'],
    ['Is Oslo in Norway?', '✓'],
    ['Is Oslo in Norway?', 'はい'],
    ['Is Oslo in Norway?', 'Correct.', system('Answer every question with yes or no.')],
    ['True or false: Oslo is in Norway.', 'True.'],
    ['Is Sydney the capital of Australia?', 'Canberra is.'],
    ['Is Sydney the capital of Australia?', 'The capital is Canberra.'],
    ['Is the bank closed?', 'Open.'],
    ['Question: Is Oslo in Norway?\nAnswer:', 'Yes'],
    ['She had to answer yes or no. What colour was the car?', 'Blue'],
    ['Translate to Italian: Is the soup hot?', 'La zuppa scotta?'],
    ['Rephrase: Please answer yes or no.', 'Kindly decide.'],
    ['Is this spam? Answer yes or no.', 'Spam'],
    ['Is it raining?', 'Sunny at the moment, with a light breeze.'],
    ['Does this plan make sense?', 'Sounds good to me.'],
    ['Is the meeting today?', 'Tomorrow.'],
    ['Is the meeting at 3?', 'At 4.'],
    ['Is a whale a fish?', 'A mammal, actually.'],
    ['Is the soup hot?', 'Hot.'],
    ['Is the Earth flat?', 'The Earth is round.'],
    ['Is 17 even?', '17 is odd.'],
    ['Does water boil at 100 degrees?', 'It depends on the pressure.'],
    ['Do cats like milk?', 'Many do, but it often upsets them.'],
    ['Are tomatoes fruits?', 'Botanically they are fruits.'],
    ['Should the bridge be closed?', 'Only in winter.'],
    ['Is the car red or blue?', 'Blue.'],
    ['Can you name a river in France?', 'The Loire'],
    ['Could you translate "dog" to French?', 'Chien'],
    ['Is there a good museum in Oslo?', 'The Munch museum.'],
    ['Do you know who painted it?', 'Munch'],
    ['Does the store have any fruit?', 'Apples and pears.'],
    ['Is this code right? Mend it: let a = ;', 'let a = 1;'],
    ['Is it late? What time is it?', 'Noon.'],
    ['What is the capital of Norway?', 'Oslo'],
    ['Write a poem with the words yes or no.', 'Roses bloom.'],
    ['Who won?', 'Norway'],
  ]);
});

describe('expressions with another result', () => {
  expectFlawed(
    [
      ['What is 18 * 24?', '422'],
      ['What is 18 * 24?', 'The answer is 442.'],
      ['What is 18 × 24?', '18 × 24 is 434.'],
      ["What's 18 times 24?", '18 times 24 equals 423.'],
      ['14 + 6 * 3 =', '60'],
      ['14 + 6 * 3', '60'],
      ['14+6*3=?', '**60**'],
      ['Calculate: (7 - 2) * 9', 'It is 47.'],
      ['Compute 1,250 + 825. Answer with the number only.', '2,085'],
      ['How much is 96 / 8?', '14'],
      ['What is 2.5 * 4.2?', '10.4'],
      ['What is 30 - 48?', '18'],
      ['What is 48 - 30?', '-18'],
      ['What is the result of 5 * 1?', '5 * 1 is 6'],
      ['What is 100-37?', '73'],
      ['Q: What is 3^4?\nA:', '64'],
      ['What is 10 / 3?', '3.43'],
      ['Can you tell me what 9 plus 16 is?', '9 plus 16 is 24.'],
      ['Was ist 18 * 24?', '422'],
      ['What do you get if you compute 18 + 24?', '43'],
      ['What is "18 + 24"?', '43'],
    ],
    /asks for/,
  );
});

describe('expressions with their result, and questions that are none', () => {
  expectFine([
    ['What is 18 * 24?', '432'],
    ['What is 18 * 24?', 'The answer is 432.'],
    ['What is 18 * 24?', '18 * 24 = 432'],
    ['What is 18 × 24?', '18 × 24 is **432**.'],
    ['What is 18 * 24?', 'Four hundred thirty-two.'],
    ['What is 18 * 24?', '432, because 18 * 20 = 360 and 18 * 4 = 72.'],
    ['What is 18 * 24?', '432 (which is 6 times 72)'],
    ['What is 18 * 24?', 'It is a good question.'],
    ["What's 18 times 24?", '18 times 24 equals 432.'],
    ['14 + 6 * 3 =', '32'],
    ['Calculate: (7 - 2) * 9', '45'],
    ['Compute 1,250 + 825.', '2075'],
    ['Compute 1,250 + 825.', '2,075'],
    ['Compute 1,250 + 825.', '2.075'],
    ['Compute 1,250 + 825.', '2 075'],
    ['What is 30 - 48?', '-18'],
    ['What is 30 - 48?', '−18'],
    ['What is 30 - 48?', 'minus 18'],
    ['What is 30 - 48?', '30 - 48 = -18'],
    ['What is 10 / 3?', '3.33'],
    ['What is 10 / 3?', '3,33'],
    ['What is 10 / 3?', '3 remainder 1'],
    ['What is 10 / 3?', '3 1/3'],
    ['What is 10 / 3?', '10/3'],
    ['What is 4/6 + 1/6?', '5/6'],
    ['What is 4/6 + 1/6?', '\\(\\frac{5}{6}\\)'],
    ['What is 1 / 4?', '25%'],
    ['What is 1000 * 2500?', '2.5 million'],
    ['What is 1000 * 2500?', '2.5e6'],
    ['What is 9/11?', 'The attacks of 2001 on New York.'],
    ['What is 50-50?', 'An even split between 2 sides.'],
    ['What is 24/7?', 'Open at 1 and at 2 at night.'],
    ['What is 4x4?', 'A car with 2 driven axles.'],
    ['What is 10 / 3? Round to the nearest whole number.', '3'],
    ['What is 17 mod 5?', '2'],
    ['What is 20% of 50?', '10'],
    ['What is 3 + x?', '3 + x'],
    ['What is 2 + 3 apples?', '5 apples'],
    ['What is 6 plus 2 times 3?', '24'],
    ['Call 555-1234', 'I called 2 times.'],
    ['What is 2024-01-05?', 'A Friday in week 1.'],
    ['What is 5?', 'A prime, as 7 is.'],
  ]);

  it('finds every sum and product that is off, and none that is right', () => {
    const operand = fc.integer({ min: 0, max: 99_999 });
    fc.assert(
      fc.property(
        operand,
        operand,
        fc.constantFrom('+', '-', '*'),
        fc.integer({ min: 1, max: 500 }),
        (a, b, sign, off) => {
          const value = sign === '+' ? a + b : sign === '-' ? a - b : a * b;
          for (const question of [
            `What is ${a} ${sign} ${b}?`,
            `${a} ${sign} ${b} =`,
            `Calculate ${a} ${sign} ${b}.`,
          ]) {
            expect(askedExpression(question)?.value).toBe(value);
            expect(judged(question, `${value}`).score).toBe(1);
            expect(judged(question, `The answer is ${value}.`).score).toBe(1);
            expect(judged(question, `${value + off}`).score).toBeLessThan(0.7);
            expect(judged(question, `The answer is ${value + off}.`).score).toBeLessThan(0.7);
          }
        },
      ),
    );
  });

  it('evaluates nothing but short arithmetic', () => {
    expect(askedExpression(`What is ${'('.repeat(90)}1 + 1${')'.repeat(90)}?`)).toBeUndefined();
    expect(askedExpression(`What is ${'1 + '.repeat(200)}1?`)).toBeUndefined();
    expect(askedExpression('What is 1 / 0?')).toBeUndefined();
    expect(askedExpression('What is process.exit(1)?')).toBeUndefined();
  });
});

const story =
  'Nadia met Viktor at the station in Lyon on Sunday. Viktor gave her a map, and the two walked to the river.';
const letter =
  'Text: The parcel was sent by Mr Ferreira to the office in Graz. His assistant, Paulina Holm, signed for it.';

describe('names that are not in the given text', () => {
  expectFlawed(
    [
      [`${story} Who did Nadia meet?`, 'Oskar'],
      [`${story} Who did Nadia meet?`, 'She met Oskar.'],
      [`${story}\n\nWho gave Nadia a map?`, 'Oskar.'],
      [`${story}\n\nWhere did Nadia meet Viktor?`, 'In Marseille.'],
      [`Read this: "${story}" Which city did Nadia meet Viktor in?`, 'Marseille'],
      [`According to the text, who gave Nadia a map?\n\n${story}`, 'Oskar'],
      [`${letter}\nQuestion: Who signed for the parcel?`, 'Ingrid Bauer'],
      [`${letter}\nQuestion: Who sent the parcel?`, 'Mr Lindqvist'],
      [`${letter}\nQuestion: Where was the parcel sent?`, 'The answer is Salzburg.'],
      ['Tom works for Acme. Eva works for Globex.\n\nWhich company does Eva work for?', 'Initech'],
      ['Tom lives in Bern with Eva. Who lives with Tom?', 'Oskar'],
      ['Who gave Nadia a map?', 'Oskar', [{ role: 'user', content: story }]],
    ],
    /not in the given text/,
  );
});

describe('names of the given text, and questions that go beyond it', () => {
  expectFine([
    [`${story} Who did Nadia meet?`, 'Viktor'],
    [`${story} Who did Nadia meet?`, 'Nadia met Viktor.'],
    [`${story} Who did Nadia meet?`, 'A friend'],
    [`${story}\n\nWho gave Nadia a map?`, 'Viktor gave it to her.'],
    [`${story}\n\nWho gave Nadia a map?`, 'Viktor!'],
    [`${story}\n\nWhere did Nadia meet Viktor?`, 'In Lyon, France.'],
    [`${story}\n\nWhere did Nadia meet Viktor?`, 'At the station'],
    [`${story}\n\nWhere did Nadia meet Viktor?`, 'France'],
    [`${story}\n\nWho met Nadia? A: Oskar, B: Viktor`, 'B'],
    [`${story}\n\nWhich country did Nadia meet Viktor in?`, 'France'],
    [`${story}\n\nWhich language is this text written in?`, 'English'],
    [`${story}\n\nWho is the president of France?`, 'Emmanuel Macron'],
    [`${story}\n\nWho is the author of this text?`, 'Balzac'],
    [`${story}\n\nWhen did Nadia meet Viktor?`, 'Sunday'],
    [`${letter}\nQuestion: Who signed for the parcel?`, 'Paulina Holm'],
    [`${letter}\nQuestion: Who signed for the parcel?`, 'Holm.'],
    [`${letter}\nQuestion: Who signed for the parcel?`, "Mr Ferreira's assistant"],
    [`${letter}\nQuestion: Who sent the parcel?`, 'Mr. Ferreira'],
    [`${letter}\nQuestion: Who sent the parcel?`, 'The sender.'],
    [`${letter}\nQuestion: What is the mood of the text?`, 'Neutral'],
    ['We visited the Louvre in Paris and saw the Mona Lisa. Who painted the Mona Lisa?', 'Leonardo da Vinci'],
    ['Who wrote Hamlet?', 'William Shakespeare'],
    ['Who wrote Hamlet?', 'Shakespeare', system('You are a helpful assistant of Acme. Write in short sentences.')],
    ['Q: Who discovered radium? A: Marie Curie\nQ: Who discovered penicillin?', 'Alexander Fleming'],
    ['I visited Germany with Tom last year and it was lovely. Who is the chancellor of Germany?', 'Olaf Scholz'],
    ['Here is a poem: "Shall I compare thee to a summer\'s day? Thou art more lovely". Who wrote it?', 'Shakespeare'],
  ]);
});

describe('the checks of questions', () => {
  const json: Partial<ChatRequest> = { output: { type: 'json' } };

  it('leave structured answers to their schema', () => {
    expect(judged('Is Oslo in Norway? Answer yes or no.', '{"a":1}', [], json).score).toBe(1);
    expect(judged('What is 2 + 2?', '{"a":5}', [], json).score).toBe(1);
  });

  it('read hostile questions and answers in linear time', () => {
    const pieces = [
      'is ',
      '? ',
      'yes or no ',
      '1 + ',
      '(',
      '9',
      ' ',
      '\n',
      'Anna ',
      '"',
      '-',
      'what is ',
      'hi ',
      'the ',
      '1 1',
      '1,1',
      'answer ',
    ];
    for (const piece of pieces) {
      for (const answer of ['No', '5', 'Oskar', piece.repeat(100), piece.repeat(4000)]) {
        for (const end of ['', '?', ' Is it? Answer yes or no.', ' Who is it?']) {
          const started = process.cpuUsage();
          judged(`${piece.repeat(20_000)}${end}`, answer);
          judged(`${piece.repeat(70)}${end}`, answer);
          const { user, system: kernel } = process.cpuUsage(started);
          expect((user + kernel) / 1000, JSON.stringify([piece, answer.slice(0, 20), end])).toBeLessThan(250);
        }
      }
    }
  });
});
