/** Once an item, and again and again until something is true. */
import { ask, node, plan, type Task, task } from '../task.ts';

const drafts = (topic: string) => ({
  draft: {
    input: { text: 'string?' },
    nodes: [
      ask('write', `Write about ${topic}. Improve this, if there is any: {{input.text}}`),
      ask('judge', 'Score from 0 to 10: {{write.text}}', { out: { score: 'number' } }),
    ],
    output: { text: '{{write.text}}', score: '{{judge.score}}' },
  },
});

export const loops: readonly Task[] = [
  task('all-orders', 'shop', 'Sum up all orders of the customer Lind: read each order, then write one overview.', [
    plan([
      node('found', 'find_orders', { customer: 'Lind' }),
      node('orders', 'get_order', { id: '{{item}}' }, { each: '{{found.orders}}' }),
      ask('overview', 'One overview: {{orders}}'),
    ]),
  ]),
  task(
    'mails-summarised',
    'mail',
    'Find all mails with the word invoice, read each, summarise each in a line, and merge the lines into one text.',
    [
      plan([
        node('found', 'find_mails', { query: 'invoice' }),
        node('mails', 'read_mail', { id: '{{item}}' }, { each: '{{found.mails}}' }),
        ask('lines', 'One line: {{item.text}}', { each: '{{mails}}' }),
        ask('merged', 'Merge: {{lines}}'),
      ]),
    ],
  ),
  task('issues-sorted', 'code', 'Read all open issues with the label crash and say which is the most urgent.', [
    plan([
      node('found', 'list_issues', { label: 'crash' }),
      node('issues', 'read_issue', { id: '{{item}}' }, { each: '{{found.issues}}' }),
      ask('urgent', 'Which is the most urgent? {{issues}}'),
    ]),
  ]),
  task(
    'papers-cited',
    'library',
    'Search papers on glacier melt, read every one, and cite every one; then write a review with the citations.',
    [
      plan([
        node('found', 'search_papers', { query: 'glacier melt' }),
        node('texts', 'read_paper', { id: '{{item}}' }, { each: '{{found.papers}}' }),
        node('citations', 'cite', { id: '{{item}}' }, { each: '{{found.papers}}' }),
        ask('review', 'Review {{texts}} with {{citations}}'),
      ]),
    ],
  ),
  task('rooms-measured', 'home', 'What is the temperature in every room? Give a table.', [
    plan([
      node('rooms', 'list_rooms'),
      node('values', 'read_sensor', { room: '{{item}}', kind: 'temperature' }, { each: '{{rooms.rooms}}' }),
      ask('table', 'A table of {{rooms.rooms}} and {{values}}'),
    ]),
  ]),
  task(
    'team-holidays',
    'people',
    'How many days of holiday has each member of the team harbour left, and who has the most?',
    [
      plan([
        node('team', 'list_team', { team: 'harbour' }),
        node('left', 'holidays_left', { employee: '{{item}}' }, { each: '{{team.employees}}' }),
        ask('most', 'Who has the most? {{team.employees}} {{left}}'),
      ]),
    ],
  ),
  task('tables-described', 'data', 'Describe what each table holds, from its rows, in one overview.', [
    plan([
      node('tables', 'list_tables'),
      node('rows', 'query_table', { table: '{{item}}' }, { each: '{{tables.tables}}' }),
      ask('overview', 'Describe: {{tables.tables}} {{rows}}'),
    ]),
    plan([
      node('tables', 'list_tables'),
      node('rows', 'query_table', { table: '{{item}}' }, { each: '{{tables.tables}}' }),
      ask('each_one', 'Describe: {{item.rows}}', { each: '{{rows}}' }),
      ask('overview', 'One overview: {{each_one}}'),
    ]),
  ]),
  task(
    'poem-until-good',
    '',
    'Write a poem about the tide, score it from 0 to 10, and improve it until it has 8, at most five times.',
    [
      plan(
        [
          node(
            'rounds',
            'workflow:draft',
            { text: '{{prev.text}}' },
            { repeat: { until: 'self.score >= 8.0', max: 5 } },
          ),
        ],
        {
          workflows: drafts('the tide'),
          output: '{{rounds.text}}',
        },
      ),
    ],
  ),
  task(
    'report-until-good',
    'data',
    'Write a report on the rows of table storms; score and rewrite it until it has 9 of 10, at most four rounds, then save it as storms.',
    [
      plan(
        [
          node('rows', 'query_table', { table: 'storms' }),
          node(
            'rounds',
            'workflow:draft',
            { rows: '{{rows.rows}}', text: '{{prev.text}}' },
            { repeat: { until: 'self.score >= 9.0', max: 4 } },
          ),
          node('save', 'save_report', { name: 'storms', text: '{{rounds.text}}' }),
        ],
        {
          workflows: {
            draft: {
              input: { rows: 'string[]', text: 'string?' },
              nodes: [
                ask('write', 'Write a report on {{input.rows}}. Improve this, if there is any: {{input.text}}'),
                ask('judge', 'Score from 0 to 10: {{write.text}}', { out: { score: 'number' } }),
              ],
              output: { text: '{{write.text}}', score: '{{judge.score}}' },
            },
          },
        },
      ),
    ],
  ),
  task(
    'wait-for-tests',
    'code',
    'Run the tests of branch flaky again until they pass, at most three times, read its diff, and say how both fit together.',
    [
      plan([
        node('tests', 'run_tests', { branch: 'flaky' }, { repeat: { until: 'self.passed', max: 3 } }),
        node('diff', 'get_diff', { branch: 'flaky' }),
        ask('end', 'How do they fit? {{tests}} {{diff.diff}}'),
      ]),
    ],
  ),
  task(
    'well-until-noon',
    'code mail',
    'Look at the health of service search until it is well, at most six times, then mail duty@example.org how many errors it had, in a friendly text.',
    [
      plan([
        node('health', 'service_health', { service: 'search' }, { repeat: { until: 'self.ok', max: 6 } }),
        ask('text', 'A friendly text: {{health.errors}} errors'),
        node('send', 'send_mail', { to: 'duty@example.org', subject: 'Search', text: '{{text.text}}' }),
      ]),
    ],
  ),
  task('invoices-total', 'money', 'Read every late invoice and say what we owe in all, and to whom the most.', [
    plan([
      node('late', 'list_invoices', { status: 'late' }),
      node('invoices', 'invoice', { id: '{{item}}' }, { each: '{{late.invoices}}' }),
      ask('owed', 'What do we owe, and to whom the most? {{invoices}}'),
    ]),
  ]),
  task(
    'news-in-swedish',
    'library mail',
    'Read all news on herring quotas, translate each article into Swedish, and make one digest of the translations.',
    [
      plan([
        node('found', 'search_news', { topic: 'herring quotas' }),
        node('articles', 'read_article', { id: '{{item}}' }, { each: '{{found.articles}}' }),
        node('swedish', 'translate', { text: '{{item.text}}', language: 'Swedish' }, { each: '{{articles}}' }),
        ask('digest', 'One digest: {{swedish}}'),
      ]),
    ],
  ),
];
