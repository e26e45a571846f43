/** Requests that nothing was changed for: they were written and asked after the last change. */
import type { Request } from './judge.ts';

const SNOW =
  'Snow closed the pass on Monday night. Two lorries were stuck near the tunnel. The road service cleared the lane by noon. Skiers welcomed forty centimetres of powder. More snow is forecast for the weekend.';
const FLEET = '| van | km | fuel |\n|---|---|---|\n| A1 | 1200 | 96.5 |\n| B2 | 800 | 70.25 |\n| C3 | 1500 | 121 |';

export const LAST: readonly Request[] = [
  { ask: `Sum up in four bullet points: ${SNOW}`, want: 'answer', lines: 4, holds: [/^- /] },
  { ask: `Shorten this to one sentence.\n\n${SNOW}`, want: 'answer', lines: 1 },
  { ask: `Total km?\n\n${FLEET}`, want: 'answer', holds: ['3500'] },
  { ask: `Which van used the least fuel?\n\n${FLEET}`, want: 'answer', holds: ['B2'], lacks: ['C3'] },
  { ask: 'Average amount per product in sales.csv', files: true, want: 'answer', holds: ['80.3', '120.375', '399'] },
  { ask: 'How many people in staff.csv are older than 30?', files: true, want: 'answer', holds: ['2'] },
  { ask: 'Wie hoch ist das durchschnittliche Alter (age) in staff.csv?', files: true, want: 'answer', holds: ['35'] },
  {
    ask: 'Extract venue, speaker and fee.\n\nVenue: Sala Ñandú\nSpeaker: Îles Dvořák',
    want: 'answer',
    holds: ['Sala Ñandú', 'Îles Dvořák', /fee.*not found/i],
  },
  {
    ask: 'Which budget is named in each file in notes/?',
    files: true,
    want: 'answer',
    holds: ['48,000', '"found":false'],
  },
  { ask: 'Qui est la directrice du musée selon musee.txt ?', files: true, want: 'answer', holds: ['Hélène Guérin'] },
  { ask: '¿Qué días abre el molino? molino.txt', files: true, want: 'answer', holds: ['sábados'] },
  { ask: 'What does contact.txt say about the weather?', files: true, want: 'nothing' },
  { ask: 'Extract all phone numbers from report.md', files: true, want: 'nothing' },
  { ask: 'Invent a slogan for a bakery', want: 'refusal' },
  { ask: 'Should I buy or rent a house?', want: 'refusal' },
  { ask: 'Rewrite report.md in a friendlier tone', files: true, want: 'refusal' },
];
