/** Several things at the same time, which meet again. */
import { ask, node, plan, type Task, task } from '../task.ts';

export const joins: readonly Task[] = [
  task(
    'three-prices',
    'shop',
    'Compare the prices of the articles lamp, desk and chair, and say which is the cheapest.',
    [
      plan([
        node('lamp', 'price', { article: 'lamp' }),
        node('desk', 'price', { article: 'desk' }),
        node('chair', 'price', { article: 'chair' }),
        ask('cheapest', 'Which is the cheapest: lamp {{lamp.usd}}, desk {{desk.usd}}, chair {{chair.usd}}?'),
      ]),
    ],
  ),
  task(
    'trip-to-lisbon',
    'travel',
    'Plan a trip from Berlin to Lisbon on 2026-06-12: flights, hotels and the weather, then one recommendation.',
    [
      plan([
        node('flights', 'find_flights', { from: 'Berlin', to: 'Lisbon', day: '2026-06-12' }),
        node('hotels', 'find_hotels', { city: 'Lisbon', day: '2026-06-12' }),
        node('weather', 'weather', { city: 'Lisbon', day: '2026-06-12' }),
        ask('advice', 'Recommend: {{flights}} {{hotels}} {{weather.summary}}'),
      ]),
    ],
  ),
  task('two-papers', 'library', 'Read the papers P-1 and P-2, summarise each, and compare the summaries.', [
    plan([
      node('one', 'read_paper', { id: 'P-1' }),
      node('two', 'read_paper', { id: 'P-2' }),
      ask('sum_one', 'Summarise: {{one.text}}'),
      ask('sum_two', 'Summarise: {{two.text}}'),
      ask('compare', 'Compare {{sum_one.text}} with {{sum_two.text}}'),
    ]),
  ]),
  task(
    'diamond-order',
    'shop',
    'For order B-20 find the other orders of its customer and what of its first article is in stock, then write a note.',
    [
      plan([
        node('order', 'get_order', { id: 'B-20' }),
        node('others', 'find_orders', { customer: '{{order.customer}}' }),
        node('stock', 'stock', { article: '{{order.items[0]}}' }),
        ask('note', 'Write a note: {{others.orders}}, in stock {{stock.pieces}}'),
      ]),
    ],
  ),
  task('four-cities', 'travel', 'Where is it warmest on 2026-07-01: Oslo, Paris, Madrid or Athens?', [
    plan([
      node('oslo', 'weather', { city: 'Oslo', day: '2026-07-01' }),
      node('paris', 'weather', { city: 'Paris', day: '2026-07-01' }),
      node('madrid', 'weather', { city: 'Madrid', day: '2026-07-01' }),
      node('athens', 'weather', { city: 'Athens', day: '2026-07-01' }),
      ask('warmest', 'Warmest of {{oslo.celsius}}, {{paris.celsius}}, {{madrid.celsius}}, {{athens.celsius}}?'),
    ]),
    plan([
      node(
        'days',
        'weather',
        { city: '{{item}}', day: '2026-07-01' },
        { each: "{{= ['Oslo', 'Paris', 'Madrid', 'Athens']}}" },
      ),
      ask('warmest', 'Which is the warmest: {{days}}'),
    ]),
  ]),
  task(
    'two-languages',
    'mail',
    'Translate "The harbour is closed" into German and into Spanish, and mail both to crew@example.org.',
    [
      plan([
        node('german', 'translate', { text: 'The harbour is closed', language: 'German' }),
        node('spanish', 'translate', { text: 'The harbour is closed', language: 'Spanish' }),
        node('send', 'send_mail', {
          to: 'crew@example.org',
          subject: 'Harbour',
          text: '{{german.text}}\n{{spanish.text}}',
        }),
      ]),
    ],
  ),
  task(
    'papers-and-news',
    'library',
    'Find papers and news on sea grass, read the first of each, and say whether they agree.',
    [
      plan([
        node('papers', 'search_papers', { query: 'sea grass' }),
        node('news', 'search_news', { topic: 'sea grass' }),
        node('paper', 'read_paper', { id: '{{papers.papers[0]}}' }),
        node('article', 'read_article', { id: '{{news.articles[0]}}' }),
        ask('agree', 'Do they agree? {{paper.text}} --- {{article.text}}'),
      ]),
    ],
  ),
  task('health-of-services', 'code', 'Are the services login, search and billing well? Give one line about all.', [
    plan([
      node('login', 'service_health', { service: 'login' }),
      node('search', 'service_health', { service: 'search' }),
      node('billing', 'service_health', { service: 'billing' }),
      ask('line', 'One line: {{login}} {{search}} {{billing}}'),
    ]),
  ]),
  task(
    'two-accounts',
    'money',
    'Add up the transactions of the accounts main and travel in 2026-03 and compare with both balances.',
    [
      plan([
        node('main', 'transactions', { account: 'main', month: '2026-03' }),
        node('travel', 'transactions', { account: 'travel', month: '2026-03' }),
        node('main_left', 'balance', { account: 'main' }),
        node('travel_left', 'balance', { account: 'travel' }),
        ask('compare', 'Compare {{main.sum}} + {{travel.sum}} with {{main_left.usd}} and {{travel_left.usd}}'),
      ]),
    ],
  ),
  task(
    'meeting-of-two',
    'calendar',
    'Find a time on 2026-04-02 at which Ada Lund and Bo Ek are both free. Book nothing.',
    [
      plan([
        node('ada', 'find_person', { name: 'Ada Lund' }),
        node('bo', 'find_person', { name: 'Bo Ek' }),
        node('ada_free', 'free_times', { person: '{{ada.id}}', day: '2026-04-02' }),
        node('bo_free', 'free_times', { person: '{{bo.id}}', day: '2026-04-02' }),
        ask('time', 'A time in both lists: {{ada_free.times}} {{bo_free.times}}'),
      ]),
    ],
  ),
  task(
    'job-advert',
    'people',
    'Write a job advert for a sailmaker with the salary band of that role and the size of team rigging in it. Do not publish it.',
    [
      plan([
        node('band', 'salary_band', { role: 'sailmaker' }),
        node('team', 'list_team', { team: 'rigging' }),
        ask('advert', 'Write an advert: {{band.low}} to {{band.high}}, team {{team.employees}}'),
      ]),
    ],
  ),
  task(
    'branch-report',
    'code',
    'For branch dark-mode run the tests and read the diff, judge the diff, and write one report over tests and judgement.',
    [
      plan([
        node('tests', 'run_tests', { branch: 'dark-mode' }),
        node('diff', 'get_diff', { branch: 'dark-mode' }),
        ask('judge', 'Judge this diff: {{diff.diff}}'),
        ask('report', 'Report: {{tests.failures}} and {{judge.text}}'),
      ]),
    ],
  ),
  task('room-climate', 'home', 'Is the cellar too damp? Use temperature and humidity there and in the kitchen.', [
    plan([
      node('cellar_t', 'read_sensor', { room: 'cellar', kind: 'temperature' }),
      node('cellar_h', 'read_sensor', { room: 'cellar', kind: 'humidity' }),
      node('kitchen_t', 'read_sensor', { room: 'kitchen', kind: 'temperature' }),
      node('kitchen_h', 'read_sensor', { room: 'kitchen', kind: 'humidity' }),
      ask('damp', 'Too damp? {{cellar_t.value}} {{cellar_h.value}} {{kitchen_t.value}} {{kitchen_h.value}}'),
    ]),
  ]),
];
