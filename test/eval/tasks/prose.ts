/** Work for models alone, and requests that nothing here can do. */
import { ask, plan, type Task, task } from '../task.ts';

/** No tool of these trades does what is asked for, so none may be called for it. */
const cannot = (id: string, trades: string, request: string): Task => task(id, trades, request, []);

export const prose: readonly Task[] = [
  task(
    'haiku',
    '',
    'Write a haiku about fog, translate it into Latin, give it a title, and join title and translation.',
    [
      plan([
        ask('haiku', 'A haiku about fog'),
        ask('latin', 'Into Latin: {{haiku.text}}'),
        ask('title', 'A title for {{haiku.text}}'),
        ask('joined', 'Join {{title.text}} {{latin.text}}'),
      ]),
    ],
  ),
  task(
    'two-sides',
    '',
    'Argue for and against building a bridge to the island, independently, then write a balanced verdict.',
    [
      plan([
        ask('pro', 'Argue for the bridge'),
        ask('contra', 'Argue against the bridge'),
        ask('verdict', 'A balanced verdict: {{pro.text}} {{contra.text}}'),
      ]),
    ],
  ),
  task(
    'three-drafts',
    '',
    'Write three different slogans for a ferry company one by one, pick the best, and explain the choice.',
    [
      plan([
        ask('one', 'A slogan'),
        ask('two', 'A slogan, funny'),
        ask('three', 'A slogan, solemn'),
        ask('best', 'Pick the best: {{one.text}} {{two.text}} {{three.text}}'),
        ask('why', 'Explain: {{best.text}}'),
      ]),
      plan([
        ask('one', 'A slogan'),
        ask('two', 'A slogan, funny'),
        ask('three', 'A slogan, solemn'),
        ask('best', 'Pick the best and explain: {{one.text}} {{two.text}} {{three.text}}'),
      ]),
    ],
  ),
  task(
    'outline-first',
    '',
    'Make an outline of a talk on lighthouses, write introduction and ending from the outline, and join them.',
    [
      plan([
        ask('outline', 'An outline'),
        ask('introduction', 'Introduction: {{outline.text}}'),
        ask('ending', 'Ending: {{outline.text}}'),
        ask('joined', 'Join {{introduction.text}} {{ending.text}}'),
      ]),
    ],
  ),
  task(
    'names-each',
    '',
    'Invent four names for boats as a list, then write one line about each name and choose the best.',
    [
      plan([
        ask('names', 'Four names', { out: { names: 'string[]' } }),
        ask('lines', 'A line about {{item}}', { each: '{{names.names}}' }),
        ask('best', 'The best of {{names.names}}, as {{lines}} say'),
      ]),
    ],
  ),
  task(
    'critic',
    '',
    'Draft a letter to the mayor about the broken pier, let a critic find its weaknesses, and write it anew.',
    [
      plan([
        ask('draft', 'Draft a letter'),
        ask('critic', 'Weaknesses of {{draft.text}}'),
        ask('anew', 'Write anew {{draft.text}} with {{critic.text}}'),
      ]),
    ],
  ),
  cannot('phone-call', 'shop', 'Phone the supplier and ask when the lamps will arrive.'),
  cannot('order-pizza', 'calendar', 'Order a pizza to the office for noon.'),
  cannot('sell-shares', 'library', 'Sell my shares of the shipping company.'),
  cannot('drop-table', 'data', 'Delete the table sales and everything in it.'),
  cannot('open-window', 'home', 'Open the window in the study.'),
  cannot('fire-somebody', 'people', 'Terminate the contract of Kim Sand.'),
];
