/** Requests that were written beside the others and asked only when the engine was finished. */
import type { Request } from './judge.ts';

const FERRY =
  'The ferry to Hven leaves every hour from Landskrona. A new electric ship joined the line in April. Bicycles travel free of charge. The café on the island opens at nine. Observatory tours need a booking. The crossing takes thirty minutes.';
const TREES = 'tree\theight\tyear\nOak\t21.4\t1890\nLime\t17.2\t1932\nBeech\t25.0\t1875\nElm\t12.4\t1950';

export const HELD_OUT: readonly Request[] = [
  { ask: `List the 3 most important points of the following text:\n\n${FERRY}`, want: 'answer', lines: 3 },
  { ask: `Please give two bullets on this: ${FERRY}`, want: 'answer', lines: 2 },
  { ask: `Condense the text below to two sentences.\n\n${FERRY}`, want: 'answer', holds: [/^[^.]+\.[^.]+\.$/] },
  {
    ask: 'Write a summary of report.md as 2 bullet points',
    files: true,
    want: 'answer',
    holds: [/- .+\\n- /],
    lacks: [/\\n- .+\\n- /],
  },
  {
    ask: 'Fasse den Text in drei Stichpunkten zusammen: Die Fähre fährt stündlich. Ein neues Schiff kam im April. Fahrräder reisen kostenlos mit. Das Café öffnet um neun. Die Überfahrt dauert dreißig Minuten.',
    want: 'answer',
    lines: 3,
  },
  {
    ask: 'From this message extract sender, order number and delivery date: Order number: A-5512. Sender: Siân Ó Briain. Greetings!',
    want: 'answer',
    holds: ['A-5512', 'Siân Ó Briain', /delivery date.*not found/i],
  },
  {
    ask: 'Extract company, start date and price from contact.txt',
    files: true,
    want: 'answer',
    holds: ['Bauer GmbH', '1 September 2025', /"missing":\["price/],
  },
  { ask: 'Find all amounts in notes/lisbon.md', files: true, want: 'answer', holds: ['48,000'] },
  { ask: 'Find every email address in: The stairs were painted green last week.', want: 'nothing' },
  {
    ask: 'Which people are mentioned? List the names: Ağa Çelik wrote to Renée Dubois about the bridge.',
    want: 'answer',
    holds: ['Ağa Çelik', 'Renée Dubois'],
  },
  {
    ask: 'How much does it cost? Answer per file for notes/*.md',
    files: true,
    want: 'answer',
    holds: ['48,000', '9,500', '"found":false'],
  },
  {
    ask: 'Tell me for each file in tickets/ what the customer was charged for',
    files: true,
    want: 'answer',
    holds: ['invoice', '"found":false'],
  },
  { ask: 'Does report.md mention any lawsuits?', files: true, want: 'nothing' },
  { ask: 'Why is the bridge closed?\n\nThe bridge was built by convicts. Cows graze next to it.', want: 'nothing' },
  { ask: 'What is the minimum amount in sales.csv?', files: true, want: 'answer', holds: ['40.1'] },
  {
    ask: 'Number of units by region in sales.csv',
    files: true,
    want: 'answer',
    holds: ['North', '5', 'South', 'West'],
  },
  { ask: 'What is the average age in staff.csv?', files: true, want: 'answer', holds: ['35'] },
  { ask: `Which tree is the tallest by height?\n\n${TREES}`, want: 'answer', holds: ['Beech'], lacks: ['Oak'] },
  { ask: `Mean height of the trees:\n\n${TREES}`, want: 'answer', holds: ['19'] },
  { ask: 'What is the total of bonus payments in staff.csv?', files: true, want: 'nothing', holds: ['bonus'] },
  { ask: 'How much is 144 / 12 - 5?', files: true, want: 'answer', holds: ['7'] },
  { ask: '¿Cuál es el total de la columna units en sales.csv?', files: true, want: 'answer', holds: ['8'] },
  { ask: 'Quand le musée a-t-il ouvert ? Lis musee.txt', files: true, want: 'answer', holds: ['1987'] },
  { ask: 'Warum wird die Schleuse in hafen.txt repariert?', files: true, want: 'answer', holds: ['Tor'] },
  {
    ask: '駅舎はいつ復元されましたか？\n\n駅舎は2012年に復元された。設計者は辰野金吾である。',
    want: 'answer',
    holds: ['2012'],
  },
  { ask: '¿Cuántos barcos hay?\n\nEl molino abre los sábados y produce harina.', want: 'nothing' },
  { ask: 'Classify as complaint or praise: The shelf arrived and it is made of wood.', want: 'nothing' },
  {
    ask: 'Is the review positive, negative or neutral? "A wonderful evening, the staff were friendly."',
    want: 'answer',
    holds: ['positive'],
  },
  { ask: 'Good morning! What can you do?', want: 'refusal' },
  { ask: 'Compose a birthday message for my aunt', want: 'refusal' },
  { ask: 'Give me a recipe for lentil soup', want: 'refusal' },
  { ask: 'Fix the bug in this code: for(i=0;i<10;i--){}', want: 'refusal' },
  { ask: 'Who won the World Cup in 1990?', want: 'refusal' },
  { ask: 'Schreibe eine Geschichte über einen Fuchs', want: 'refusal' },
];
