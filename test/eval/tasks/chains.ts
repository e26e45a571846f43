/** One thing after the other, and answers from what was found. */
import { ask, node, plan, type Task, task } from '../task.ts';

export const chains: readonly Task[] = [
  task('order-status-mail', 'shop mail', 'Look up order A-1007 and mail anna@example.org what its status is.', [
    plan([
      node('order', 'get_order', { id: 'A-1007' }),
      ask('text', 'Write a short mail about the status of this order: {{order}}'),
      node('send', 'send_mail', { to: 'anna@example.org', subject: 'Your order', text: '{{text.text}}' }),
    ]),
    plan([
      node('order', 'get_order', { id: 'A-1007' }),
      node('send', 'send_mail', {
        to: 'anna@example.org',
        subject: 'Your order',
        text: 'Its status is {{order.status}}.',
      }),
    ]),
  ]),
  task(
    'paper-for-children',
    'library',
    'Read paper P-42 and explain it to a ten-year-old, then say it in one sentence.',
    [
      plan([
        node('paper', 'read_paper', { id: 'P-42' }),
        ask('simple', 'Explain this to a ten-year-old: {{paper.text}}'),
        ask('short', 'Say this in one sentence: {{simple.text}}'),
      ]),
    ],
  ),
  task('mail-translated', 'mail', 'Read mail m-9, translate it into French, and summarise the French text.', [
    plan([
      node('mail', 'read_mail', { id: 'm-9' }),
      node('french', 'translate', { text: '{{mail.text}}', language: 'French' }),
      ask('summary', 'Summarise in French: {{french.text}}'),
    ]),
  ]),
  task(
    'diff-review-comment',
    'code',
    'Review the diff of branch fix-login and put the review as a comment on issue 311.',
    [
      plan([
        node('diff', 'get_diff', { branch: 'fix-login' }),
        ask('review', 'Review this diff: {{diff.diff}}'),
        node('comment', 'comment_issue', { id: '311', text: '{{review.text}}' }),
      ]),
    ],
  ),
  task(
    'chart-of-sales',
    'data',
    'Get the rows of table sales, make a chart called Sales of them, and describe what it shows.',
    [
      plan([
        node('rows', 'query_table', { table: 'sales' }),
        node('chart', 'make_chart', { title: 'Sales', values: '{{rows.rows}}' }),
        ask('words', 'Describe what this chart shows: {{chart.svg}}'),
      ]),
    ],
  ),
  task(
    'manager-mail',
    'people mail',
    'Find out who the manager of Mia Berg is, look the manager up, and mail them that Mia starts on Monday.',
    [
      plan([
        node('mia', 'employee', { name: 'Mia Berg' }),
        node('manager', 'employee', { name: '{{mia.manager}}' }),
        node('send', 'send_mail', { to: '{{manager.email}}', subject: 'Mia Berg', text: 'Mia starts on Monday.' }),
      ]),
    ],
  ),
  task(
    'invoice-account',
    'money',
    'Which supplier is invoice R-77 from, and what is left on the account it is paid from?',
    [
      plan([
        node('invoice', 'invoice', { id: 'R-77' }),
        node('balance', 'balance', { account: '{{invoice.account}}' }),
        ask('answer', 'Answer: the supplier is {{invoice.supplier}}, the balance {{balance.usd}}'),
      ]),
      plan([
        node('invoice', 'invoice', { id: 'R-77' }),
        node('balance', 'balance', { account: '{{invoice.account}}' }),
      ]),
    ],
  ),
  task(
    'first-article-checked',
    'library',
    'Search the news on tidal power, read the first article, and check its main claim.',
    [
      plan([
        node('found', 'search_news', { topic: 'tidal power' }),
        node('article', 'read_article', { id: '{{found.articles[0]}}' }),
        ask('claim', 'State the main claim in one sentence: {{article.text}}'),
        node('check', 'fact_check', { claim: '{{claim.text}}' }),
      ]),
    ],
  ),
  task('flight-in-euro', 'travel', 'What does the cheapest flight from Oslo to Rome on 2026-05-03 cost in euros?', [
    plan([
      node('flights', 'find_flights', { from: 'Oslo', to: 'Rome', day: '2026-05-03' }),
      node('rate', 'exchange_rate', { from: 'USD', to: 'EUR' }),
      ask('sum', 'Multiply {{flights.usd}} by {{rate.rate}}'),
    ]),
    plan([
      node('flights', 'find_flights', { from: 'Oslo', to: 'Rome', day: '2026-05-03' }),
      node('rate', 'exchange_rate', { from: 'USD', to: 'EUR' }),
      node('sum', 'value', { eur: '{{= flights.usd * rate.rate}}' }),
    ]),
  ]),
  task(
    'report-of-stats',
    'data',
    'Write a short report on the column price of the table houses and save it as houses-prices.',
    [
      plan([
        node('stats', 'column_stats', { table: 'houses', column: 'price' }),
        ask('report', 'Write a short report on these figures: {{stats}}'),
        node('save', 'save_report', { name: 'houses-prices', text: '{{report.text}}' }),
      ]),
    ],
  ),
];
