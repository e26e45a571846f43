/** A few tools among all of them, and larger plans over several trades. */

import { approve, ask, node, plan, type Task, task } from '../task.ts';
import { ALL_TRADES } from '../tools.ts';

const EVERYTHING = ALL_TRADES.join(' ');

export const crowded: readonly Task[] = [
  task(
    'late-delivery',
    EVERYTHING,
    'Order E-9 is late. Find who placed it, apologise in a mail to help@example.org, and put nothing else in motion.',
    [
      plan([
        node('order', 'get_order', { id: 'E-9' }),
        ask('text', 'Apologise to {{order.customer}}'),
        node('send', 'send_mail', { to: 'help@example.org', subject: 'Order E-9', text: '{{text.text}}' }),
      ]),
    ],
  ),
  task(
    'conference',
    EVERYTHING,
    'For the conference in Gent on 2026-11-02 find flights from Oslo, hotels and the weather, look up Siri Moe, and mail her one summary.',
    [
      plan([
        node('flights', 'find_flights', { from: 'Oslo', to: 'Gent', day: '2026-11-02' }),
        node('hotels', 'find_hotels', { city: 'Gent', day: '2026-11-02' }),
        node('weather', 'weather', { city: 'Gent', day: '2026-11-02' }),
        node('siri', 'find_person', { name: 'Siri Moe' }),
        ask('summary', 'Summarise {{flights}} {{hotels}} {{weather}}'),
        node('send', 'send_mail', { to: '{{siri.email}}', subject: 'Gent', text: '{{summary.text}}' }),
      ]),
    ],
  ),
  task(
    'crash-report',
    EVERYTHING,
    'Read all issues labelled crash, check the health of web and billing, write a report over all, save it as crashes and mail it to lead@example.org.',
    [
      plan([
        node('found', 'list_issues', { label: 'crash' }),
        node('issues', 'read_issue', { id: '{{item}}' }, { each: '{{found.issues}}' }),
        node('web', 'service_health', { service: 'web' }),
        node('billing', 'service_health', { service: 'billing' }),
        ask('report', 'Report over {{issues}} {{web}} {{billing}}'),
        node('save', 'save_report', { name: 'crashes', text: '{{report.text}}' }),
        node('send', 'send_mail', { to: 'lead@example.org', subject: 'Crashes', text: '{{report.text}}' }),
      ]),
    ],
  ),
  task(
    'monthly-close',
    EVERYTHING,
    'Close 2026-02: transactions and balance of account main, all late invoices in detail, one report; when I approve it, save it as close-2026-02 and mail it to board@example.org.',
    [
      plan([
        node('items', 'transactions', { account: 'main', month: '2026-02' }),
        node('left', 'balance', { account: 'main' }),
        node('late', 'list_invoices', { status: 'late' }),
        node('invoices', 'invoice', { id: '{{item}}' }, { each: '{{late.invoices}}' }),
        ask('report', 'Report {{items}} {{left}} {{invoices}}'),
        approve('sure', 'Is this right? {{report.text}}'),
        node('save', 'save_report', { name: 'close-2026-02', text: '{{report.text}}' }, { when: 'sure.approved' }),
        node(
          'send',
          'send_mail',
          { to: 'board@example.org', subject: 'Close', text: '{{report.text}}' },
          { when: 'sure.approved' },
        ),
      ]),
    ],
    true,
  ),
  task(
    'literature',
    EVERYTHING,
    'Search papers and news on kelp farms, read all of both, cite the papers, find the claims that both make, check the strongest, and save a review as kelp.',
    [
      plan([
        node('papers', 'search_papers', { query: 'kelp farms' }),
        node('news', 'search_news', { topic: 'kelp farms' }),
        node('texts', 'read_paper', { id: '{{item}}' }, { each: '{{papers.papers}}' }),
        node('citations', 'cite', { id: '{{item}}' }, { each: '{{papers.papers}}' }),
        node('articles', 'read_article', { id: '{{item}}' }, { each: '{{news.articles}}' }),
        ask('claim', 'The strongest claim in both: {{texts}} {{articles}}'),
        node('check', 'fact_check', { claim: '{{claim.text}}' }),
        ask('review', 'Review: {{texts}} {{articles}} {{citations}} {{check.verdict}}'),
        node('save', 'save_report', { name: 'kelp', text: '{{review.text}}' }),
      ]),
    ],
  ),
  task(
    'new-colleague',
    'people calendar mail',
    'Noor Haas joins team rigging. List the team, find when Noor and Per Vik are free on 2026-05-04, book a welcome at the first free time of Per, and mail Noor the team and the time.',
    [
      plan([
        node('team', 'list_team', { team: 'rigging' }),
        node('noor', 'find_person', { name: 'Noor Haas' }),
        node('per', 'find_person', { name: 'Per Vik' }),
        node('noor_free', 'free_times', { person: '{{noor.id}}', day: '2026-05-04' }),
        node('per_free', 'free_times', { person: '{{per.id}}', day: '2026-05-04' }),
        ask('time', 'The first of {{per_free.times}} that is in {{noor_free.times}}', { out: { time: 'string' } }),
        node('book', 'book_meeting', {
          people: ['{{noor.id}}', '{{per.id}}'],
          time: '{{time.time}}',
          title: 'Welcome',
        }),
        ask('text', 'Welcome mail: {{team.employees}} {{time.time}}'),
        node('send', 'send_mail', { to: '{{noor.email}}', subject: 'Welcome', text: '{{text.text}}' }),
      ]),
    ],
  ),
  task(
    'harbour-week',
    EVERYTHING,
    'A week at the harbour: weather in Kiel on 2026-06-20 and in Riga on 2026-06-22, flights from Kiel to Riga on 2026-06-21, hotels in both on those days, the rate from EUR to USD, news on the regatta with every article read, and one guide of it all, translated into Latvian.',
    [
      plan([
        node('kiel', 'weather', { city: 'Kiel', day: '2026-06-20' }),
        node('riga', 'weather', { city: 'Riga', day: '2026-06-22' }),
        node('flights', 'find_flights', { from: 'Kiel', to: 'Riga', day: '2026-06-21' }),
        node('kiel_hotels', 'find_hotels', { city: 'Kiel', day: '2026-06-20' }),
        node('riga_hotels', 'find_hotels', { city: 'Riga', day: '2026-06-22' }),
        node('rate', 'exchange_rate', { from: 'EUR', to: 'USD' }),
        node('news', 'search_news', { topic: 'regatta' }),
        node('articles', 'read_article', { id: '{{item}}' }, { each: '{{news.articles}}' }),
        ask('guide', 'A guide: {{kiel}} {{riga}} {{flights}} {{kiel_hotels}} {{riga_hotels}} {{rate}} {{articles}}'),
        node('latvian', 'translate', { text: '{{guide.text}}', language: 'Latvian' }),
      ]),
    ],
  ),
];
