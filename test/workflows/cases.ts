/** What each workflow that a script can answer is given, is told by its models, and has to make of it. */
import { expect } from 'vitest';
import { PIXEL, type PictureService, type Rule } from './pool.ts';

export interface Case {
  readonly name: string;
  /** In words, as somebody would type it. */
  readonly request: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly rules: readonly Rule[];
  readonly pictures?: readonly PictureService[];
  /** What a person answers, by the node that asks. */
  readonly answers?: Readonly<Record<string, string>>;
  readonly output: unknown;
}

const HANDBOOK = 'examples/material/handbook';

export const CASES: readonly Case[] = [
  {
    name: 'illustrate',
    request: 'Make a picture of a lighthouse in the fog',
    input: { wish: 'a lighthouse in the fog' },
    pictures: ['stability', 'together', 'replicate', 'fal'],
    rules: [
      {
        asked: ['fast', 'Write the prompt of a picture', 'a lighthouse in the fog'],
        answer: { prompt: 'A lighthouse on a pier, dense fog, dim lamp, oil painting', without: '' },
      },
      {
        asked: ['Describe this picture', `data:image/png;base64,${PIXEL}`],
        answer: { title: 'The lamp', text: 'A lighthouse whose lamp is dim in the fog.', fits: true },
      },
    ],
    output: {
      image: { type: 'base64', data: PIXEL, mediaType: 'image/png' },
      title: 'The lamp',
      text: 'A lighthouse whose lamp is dim in the fog.',
      fits: true,
      prompt: 'A lighthouse on a pier, dense fog, dim lamp, oil painting',
    },
  },
  {
    name: 'research',
    request: 'Find out from the three texts of the handbook what happens to a late book, and cite them',
    input: {
      question: 'What happens when a book is late?',
      sources: [`${HANDBOOK}/loans.md`, `${HANDBOOK}/rooms.md`, `${HANDBOOK}/membership.txt`],
    },
    rules: [
      { asked: ['fast', 'Sum up in three sentences', 'fifty cents a day'], answer: 'It costs fifty cents a day.' },
      { asked: ['fast', 'Sum up in three sentences'], answer: 'These passages say nothing about late books.' },
      // The cheap model is not sure, so a better one is asked.
      {
        asked: ['fast', 'Hold these summaries', 'fifty cents a day'],
        answer: { agreed: [], disputed: [], confidence: 0.3 },
      },
      {
        asked: ['premium', 'Hold these summaries', 'fifty cents a day'],
        answer: { agreed: [], disputed: ['Only one source names the fee.'], confidence: 0.9 },
      },
      {
        asked: ['premium', 'Write a report', 'loans.md', 'Only one source names the fee.'],
        answer: `A late book costs fifty cents a day [${HANDBOOK}/loans.md:7-9].`,
      },
    ],
    output: {
      report: `A late book costs fifty cents a day [${HANDBOOK}/loans.md:7-9].`,
      confidence: 0.9,
      disputed: ['Only one source names the fee.'],
      citations: expect.arrayContaining([`${HANDBOOK}/loans.md:7-9`]),
    },
  },
  {
    name: 'support',
    request: 'Answer this letter: the lamp of order 4471 came broken, I want my money back',
    input: { letter: 'The lamp of order 4471 came broken. I want my money back.', pattern: `${HANDBOOK}/*` },
    rules: [
      { asked: ['fast', 'Classify this letter'], answer: { label: 'other', confidence: 0.4 } },
      { asked: ['premium', 'Classify this letter'], answer: { label: 'refund', confidence: 0.95 } },
    ],
    answers: { review: 'refund' },
    output: { kind: 'refund', confidence: 0.95, reply: null, refund: 'refund', sources: expect.any(Array) },
  },
  {
    name: 'translate-review',
    request: 'Translate "The keeper lit the lamp." into German, and have the translation checked',
    input: { text: 'The keeper lit the lamp.', language: 'German' },
    rules: [
      { asked: ['fast', 'You are a translator', 'Remarks on it: []'], answer: 'Der Halter zündete die Lampe.' },
      { asked: ['fast', 'You are a translator', 'keeper is Wärter'], answer: 'Der Wärter zündete die Lampe an.' },
      { asked: ['premium', 'You review', 'Halter'], answer: { score: 4, remarks: ['keeper is Wärter'] } },
      { asked: ['premium', 'You review', 'Wärter'], answer: { score: 9, remarks: [] } },
    ],
    output: { text: 'Der Wärter zündete die Lampe an.', score: 9, remarks: [] },
  },
  {
    name: 'code-review',
    request: 'Review the diff in examples/material/change.diff',
    input: { diff: 'examples/material/change.diff' },
    rules: [
      {
        asked: ['fast', 'for faults', 'lateFee'],
        answer: {
          findings: [{ file: 'src/fees.ts', line: 5, severity: 'high', text: 'The fee may exceed the price.' }],
        },
      },
      {
        asked: ['fast', 'for safety', 'receipt'],
        answer: {
          findings: [{ file: 'src/fees.ts', line: 8, severity: 'high', text: 'A name may leave the folder.' }],
        },
      },
      {
        asked: ['fast', 'has no test'],
        answer: { findings: [{ file: 'src/fees.ts', line: 1, severity: 'low', text: 'The constant is not tested.' }] },
      },
      {
        asked: ['premium', 'Does this remark', 'The constant is not tested.'],
        answer: { holds: false, reason: 'It did not change.' },
      },
      { asked: ['premium', 'Does this remark'], answer: { holds: true, reason: 'The line shows it.' } },
    ],
    output: {
      confirmed: [
        {
          file: 'src/fees.ts',
          line: 5,
          severity: 'high',
          text: 'The fee may exceed the price.',
          holds: true,
          reason: 'The line shows it.',
        },
        {
          file: 'src/fees.ts',
          line: 8,
          severity: 'high',
          text: 'A name may leave the folder.',
          holds: true,
          reason: 'The line shows it.',
        },
      ],
      rejected: 1,
    },
  },
  {
    name: 'extract',
    request: 'Make a table of the invoices in examples/material/invoices',
    input: { pattern: 'examples/material/invoices/2026-04*.txt' },
    rules: [
      {
        asked: ['fast', 'Extract the invoice number', 'LL-5518'],
        answer: { invoice_number: 'LL-5518', date: '2026-03-19', customer: 'Reading Room', total: 324 },
      },
    ],
    output: {
      rows: [
        {
          file: 'examples/material/invoices/2026-044.txt',
          invoice_number: 'LL-5518',
          date: '2026-03-19',
          customer: 'Reading Room',
          total: 324,
        },
      ],
      failed: [],
    },
  },
];
