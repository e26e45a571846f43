/** Requests that the engine was improved on. */
import type { Request } from './judge.ts';

const APPLES =
  'The cooperative sold 310 tonnes of apples this year. Rain in May delayed the harvest by two weeks. The new cold store opened in August. Members elected Ines Caldeira as chair. Exports to Norway doubled. A cider press is planned for next year.';
const TABLE = 'city,people,area\nUlm,126000,118.7\nBonn,331000,141.1\nTrier,112000,117.1';

export const TUNED: readonly Request[] = [
  // Summaries
  { ask: `Summarise in one sentence: ${APPLES}`, want: 'answer', lines: 1, holds: ['.'] },
  { ask: `Give me three bullet points: ${APPLES}`, want: 'answer', lines: 3, holds: [/^- .+\n- .+\n- .+$/] },
  { ask: `Summarise this text in 4 bullet points.\n\n${APPLES}`, want: 'answer', lines: 4, holds: [/^- /] },
  { ask: `What are the two main points of this text?\n\n${APPLES}`, want: 'answer', lines: 2 },
  { ask: `Turn this into five bullets: ${APPLES}`, want: 'answer', lines: 5 },
  {
    ask: 'Summarise report.md in three bullet points',
    files: true,
    want: 'answer',
    holds: [/- .+\\n- .+\\n- /],
    lacks: [/\\n- .+\\n- .+\\n- /],
  },
  {
    ask: 'Summarise every file in notes/',
    files: true,
    want: 'answer',
    holds: ['lisbon', /building|Marta/, 'tea room'],
  },
  { ask: `TL;DR ${APPLES}`, want: 'answer', lines: 1 },
  // Fields
  {
    ask: 'Extract the name, the e-mail address and the phone number from contact.txt',
    files: true,
    want: 'answer',
    holds: ['Anneliese Groß', 'a.gross@bauer.example', '+49 221 5550134'],
  },
  {
    ask: 'Extract name, email, phone and fax number from contact.txt',
    files: true,
    want: 'answer',
    holds: ['Anneliese Groß', 'a.gross@bauer.example', /"missing":\["fax/],
  },
  {
    ask: 'Extract invoice number, date and total.\n\nInvoice number: INV-2231\nDate: 3 May 2024\nThank you for your order.',
    want: 'answer',
    holds: ['INV-2231', '3 May 2024', /total.*not found/i],
  },
  {
    ask: 'Extract the following fields: title, author, year\n\nTitle: The Salt Road\nAuthor: Þóra Ýr\nPublisher: Nordlys',
    want: 'answer',
    holds: ['The Salt Road', 'Þóra Ýr', /year.*not found/i],
  },
  {
    ask: 'Extract customer, city and due date from: Customer: Łukasz Wójcik. City: Łódź. Due date: 12.11.2025',
    want: 'answer',
    holds: ['Łukasz Wójcik', 'Łódź', '12.11.2025'],
  },
  { ask: 'Get all email addresses from contact.txt', files: true, want: 'answer', holds: ['a.gross@bauer.example'] },
  {
    ask: 'Extract all dates from: The fair starts on 2 June 2025 and ends on 2025-06-05.',
    want: 'answer',
    holds: ['2 June 2025', '2025-06-05'],
    lines: 2,
  },
  { ask: 'List all phone numbers in: We met in the garden and talked about roses.', want: 'nothing' },
  { ask: 'Extract all URLs from: There was tea and cake for everybody.', want: 'nothing' },
  {
    ask: 'List all names in: Jürgen Weiß met Chloé Lefèvre and Ōe Kenzaburō in Łódź.',
    want: 'answer',
    holds: ['Jürgen Weiß', 'Chloé Lefèvre', 'Ōe Kenzaburō'],
  },
  {
    ask: 'List the people: On Monday, Óscar Núñez and Đorđe Šarić signed the contract.',
    want: 'answer',
    holds: ['Óscar Núñez', 'Đorđe Šarić'],
    lacks: ['Monday'],
  },
  // Questions over files
  {
    ask: 'Who chaired the meeting? Answer for each file in notes/*.md',
    files: true,
    want: 'answer',
    holds: ['Marta Quintela', 'Øystein Bråten', '"found":false'],
  },
  {
    ask: 'For every file in notes/, when did the meeting take place?',
    files: true,
    want: 'answer',
    holds: ['4 March 2025', '11 March 2025', '"found":false'],
  },
  { ask: 'What does notes/oslo.md say about the boiler?', files: true, want: 'answer', holds: ['9,500'] },
  { ask: 'What does report.md say about dividends?', files: true, want: 'nothing' },
  { ask: 'Who is the chair according to report.md?', files: true, want: 'answer', holds: ['Ines Caldeira'] },
  {
    ask: 'Question: What is the capital of Peru?\n\nText:\nThe capital of the company is two million euros.',
    want: 'nothing',
  },
  {
    ask: 'How many employees does the company have?\n\nThe company was founded in Ghent. It builds pumps for greenhouses.',
    want: 'nothing',
  },
  {
    ask: 'When does the shop open on Sunday?\n\nThe shop sells bread and cheese. It belongs to Ada Brandt.',
    want: 'nothing',
  },
  // Figures
  { ask: 'What is the sum of the amount column in sales.csv?', files: true, want: 'answer', holds: ['800.35'] },
  { ask: 'Average units in sales.csv', files: true, want: 'answer', holds: ['1.6'] },
  {
    ask: 'Total amount per region in sales.csv',
    files: true,
    want: 'answer',
    holds: ['North', '281', '479.25', '40.1'],
  },
  { ask: 'How many rows does sales.csv have?', files: true, want: 'answer', holds: ['5'] },
  {
    ask: 'How many sales were in region North in sales.csv?',
    files: true,
    want: 'answer',
    holds: [/\b2\b/],
    lacks: ['"found":false'],
  },
  { ask: 'What is the highest salary in staff.csv?', files: true, want: 'answer', holds: ['52000.5'] },
  { ask: 'What is the total discount in sales.csv?', files: true, want: 'nothing', holds: ['discount'] },
  { ask: `Sum of people:\n\n${TABLE}`, want: 'answer', holds: ['569000'] },
  { ask: `What is the average area?\n\n${TABLE}`, want: 'answer', holds: [/125\.63/] },
  { ask: `Which city has the most people?\n\n${TABLE}`, want: 'answer', holds: ['Bonn'], lacks: ['Ulm'] },
  { ask: 'Add up the prices: Bread 2.10, milk 1.45 and cheese 6.20.', want: 'answer', holds: ['9.75'] },
  { ask: 'Count the words in: the quick brown fox jumps', want: 'answer', holds: ['5'] },
  { ask: 'What is 17 * 23?', files: true, want: 'answer', holds: ['391'] },
  { ask: 'Calculate (12.5 + 7.5) / 4', files: true, want: 'answer', holds: ['5'] },
  {
    ask: 'Make a table of amount by product from sales.csv',
    files: true,
    want: 'answer',
    holds: ['Lamp', '160.6', 'Desk, oak', '399', '240.75'],
  },
  // Languages
  {
    ask: 'Frage: Wann wurde der Hafen eröffnet?\n\nText:\nDer Hafen von Emden wurde 1901 eröffnet. Heute arbeiten dort 3200 Menschen.',
    want: 'answer',
    holds: ['1901'],
  },
  { ask: 'Fasse hafen.txt in zwei Sätzen zusammen', files: true, want: 'answer', holds: ['Hafen'] },
  { ask: 'Wer leitet den Hafen laut hafen.txt?', files: true, want: 'answer', holds: ['Frauke Janßen'] },
  {
    ask: 'Combien de visiteurs le musée accueille-t-il ? Voir musee.txt',
    files: true,
    want: 'answer',
    holds: ['45 000'],
  },
  { ask: '¿Quién construyó el molino? Lee molino.txt', files: true, want: 'answer', holds: ['Andrés Ibáñez'] },
  { ask: 'eki.txt を要約して', files: true, want: 'answer', holds: ['駅'] },
  {
    ask: '東京駅はいつ開業しましたか？\n\n東京駅は1914年に開業した。設計者は辰野金吾である。',
    want: 'answer',
    holds: ['1914'],
  },
  { ask: 'Wie hoch ist die Summe der Spalte amount in sales.csv?', files: true, want: 'answer', holds: ['800.35'] },
  {
    ask: 'Welche E-Mail-Adressen stehen in contact.txt?',
    files: true,
    want: 'answer',
    holds: ['a.gross@bauer.example'],
  },
  {
    ask: 'Klassifiziere als Rechnung oder Technik: Die Rechnung wurde doppelt bezahlt.',
    want: 'answer',
    holds: ['Rechnung'],
    lacks: ['Technik'],
  },
  {
    ask: 'Résume en trois points : Le musée a ouvert en 1987. Il accueille 45 000 visiteurs par an. Il est fermé le mardi. La directrice est Hélène Guérin. Une nouvelle salle ouvrira en mai.',
    want: 'answer',
    lines: 3,
  },
  { ask: 'Quelle est la capitale du Pérou ?\n\nLe musée est fermé le mardi.', want: 'nothing' },
  // Classification and comparison
  {
    ask: 'Classify every file in tickets/*.txt as billing|tech',
    files: true,
    want: 'answer',
    holds: ['billing', 'tech'],
  },
  {
    ask: 'Is this positive or negative? The food was awful and the waiter was rude.',
    want: 'answer',
    holds: ['negative'],
  },
  {
    ask: 'Compare notes/lisbon.md and notes/oslo.md',
    files: true,
    want: 'answer',
    holds: ['meeting', /boiler|heating/],
  },
  { ask: 'Classify as fruit or vehicle: The committee met on Tuesday.', want: 'nothing' },
  // Beyond it
  { ask: 'Hello, how are you?', want: 'refusal' },
  { ask: 'Write a poem about autumn', want: 'refusal' },
  { ask: 'Translate contact.txt into French', files: true, want: 'refusal' },
  { ask: 'Write a Python function that reverses a list', want: 'refusal' },
  { ask: 'What is the capital of France?', want: 'refusal' },
  { ask: 'Explain quantum computing to a child', want: 'refusal' },
  { ask: 'Tell me a joke', want: 'refusal' },
  { ask: 'Plan a weekend in Rome for two', files: true, want: 'refusal' },
];
