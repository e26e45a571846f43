/** Steps that run only where something is so, and two ways that meet. */
import { ask, node, plan, type Task, task } from '../task.ts';

export const conditions: readonly Task[] = [
  task(
    'order-when-low',
    'shop',
    'If fewer than 5 lamps are in stock, order 20 from the supplier, and tell me the price of one.',
    [
      plan(
        [
          node('stock', 'stock', { article: 'lamp' }),
          node('price', 'price', { article: 'lamp' }, { when: 'stock.pieces < 5' }),
          node('order', 'place_order', { article: 'lamp', pieces: 20 }, { when: 'stock.pieces < 5' }),
        ],
        { output: { order: '{{order.order}}', usd: '{{price.usd}}' } },
      ),
      plan(
        [
          node('stock', 'stock', { article: 'lamp' }),
          node('price', 'price', { article: 'lamp' }),
          node('order', 'place_order', { article: 'lamp', pieces: 20 }, { when: 'stock.pieces < 5' }),
        ],
        { output: { order: '{{order.order}}', usd: '{{price.usd}}' } },
      ),
    ],
  ),
  task(
    'merge-when-green',
    'code',
    'Run the tests of branch pager. Merge it if they pass, else comment the failures to issue 88.',
    [
      plan([
        node('tests', 'run_tests', { branch: 'pager' }),
        node('merge', 'merge_branch', { branch: 'pager' }, { when: 'tests.passed' }),
        node('comment', 'comment_issue', { id: '88', text: 'Failures: {{tests.failures}}' }, { when: '!tests.passed' }),
      ]),
    ],
  ),
  task(
    'umbrella',
    'travel',
    'If it rains in Bergen on 2026-05-01 write me a packing list for rain, else one for sun.',
    [
      plan(
        [
          node('weather', 'weather', { city: 'Bergen', day: '2026-05-01' }),
          ask('rain', 'A packing list for rain', { when: 'weather.rain' }),
          ask('sun', 'A packing list for sun', { when: '!weather.rain' }),
        ],
        { output: '{{rain.text ?? sun.text}}' },
      ),
    ],
  ),
  task(
    'support-letter',
    'shop',
    'Classify the letter "My lamp came broken" as refund or question. For a refund look up order C-3, for a question write an answer.',
    [
      plan(
        [
          ask('kind', 'Classify: My lamp came broken', { out: { label: 'refund|question' } }),
          node('order', 'get_order', { id: 'C-3' }, { when: "kind.label == 'refund'" }),
          ask('answer', 'Answer: My lamp came broken', { when: "kind.label == 'question'" }),
        ],
        { output: { order: '{{order}}', answer: '{{answer.text}}' } },
      ),
    ],
  ),
  task(
    'light-on-motion',
    'home',
    'If something moves before the camera yard, turn on the light in the hall and lock the door front.',
    [
      plan([
        node('motion', 'camera_motion', { camera: 'yard' }),
        node('light', 'lights', { room: 'hall', on: true }, { when: 'motion.motion' }),
        node('lock', 'lock_door', { door: 'front' }, { when: 'motion.motion' }),
      ]),
    ],
  ),
  task('heat-when-cold', 'home', 'Where the study or the attic has less than 17 degrees, set its heating to 20.', [
    plan([
      node('study', 'read_sensor', { room: 'study', kind: 'temperature' }),
      node('attic', 'read_sensor', { room: 'attic', kind: 'temperature' }),
      node('warm_study', 'set_heating', { room: 'study', celsius: 20 }, { when: 'study.value < 17.0' }),
      node('warm_attic', 'set_heating', { room: 'attic', celsius: 20 }, { when: 'attic.value < 17.0' }),
    ]),
  ]),
  task(
    'rollback-when-ill',
    'code mail',
    'If the service billing is not well, roll it back and mail ops@example.org which version is back.',
    [
      plan([
        node('health', 'service_health', { service: 'billing' }),
        node('back', 'rollback', { service: 'billing' }, { when: '!health.ok' }),
        node('send', 'send_mail', { to: 'ops@example.org', subject: 'Rollback', text: 'Back: {{back.version}}' }),
      ]),
      plan([
        node('health', 'service_health', { service: 'billing' }),
        node('back', 'rollback', { service: 'billing' }, { when: '!health.ok' }),
        node(
          'send',
          'send_mail',
          { to: 'ops@example.org', subject: 'Rollback', text: 'Back: {{back.version}}' },
          { when: '!health.ok' },
        ),
      ]),
    ],
  ),
  task(
    'false-claims-only',
    'library',
    'Check the claim "Herring never sleep". If it is not true, search papers on it and read the first.',
    [
      plan([
        node('check', 'fact_check', { claim: 'Herring never sleep' }),
        node('papers', 'search_papers', { query: 'herring sleep' }, { when: "check.verdict != 'true'" }),
        node('paper', 'read_paper', { id: '{{papers.papers[0]}}' }),
      ]),
    ],
  ),
  task(
    'leave-when-enough',
    'people',
    'Approve the leave of Jo Dahl from 2026-08-03 to 2026-08-07 if at least 5 days are left.',
    [
      plan([
        node('jo', 'employee', { name: 'Jo Dahl' }),
        node('left', 'holidays_left', { employee: '{{jo.id}}' }),
        node(
          'leave',
          'approve_leave',
          { employee: '{{jo.id}}', from: '2026-08-03', to: '2026-08-07' },
          { when: 'left.days >= 5' },
        ),
      ]),
    ],
  ),
  task(
    'cheaper-way',
    'travel',
    'Is it cheaper to fly from Hamburg to Vienna on 2026-09-01 or on 2026-09-08? Book the cheaper flight.',
    [
      plan([
        node('first', 'find_flights', { from: 'Hamburg', to: 'Vienna', day: '2026-09-01' }),
        node('second', 'find_flights', { from: 'Hamburg', to: 'Vienna', day: '2026-09-08' }),
        node('early', 'book_flight', { flight: '{{first.cheapest}}' }, { when: 'first.usd <= second.usd' }),
        node('late', 'book_flight', { flight: '{{second.cheapest}}' }, { when: 'first.usd > second.usd' }),
      ]),
      plan([
        node('first', 'find_flights', { from: 'Hamburg', to: 'Vienna', day: '2026-09-01' }),
        node('second', 'find_flights', { from: 'Hamburg', to: 'Vienna', day: '2026-09-08' }),
        node('book', 'book_flight', { flight: '{{= first.usd <= second.usd ? first.cheapest : second.cheapest}}' }),
      ]),
    ],
  ),
];
