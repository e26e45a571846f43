/** The tools that the requests of the evaluation are about, by trade. They are described, and never run in earnest. */
import { defineTool, type Tool } from 'polyphony';

type Fields = Readonly<Record<string, unknown>>;
/** What it does, what it takes, what it gives, and whether it changes something outside. */
type Described = readonly [description: string, input: Fields, output: Fields, effect?: 'changes'];

const TRADES = {
  shop: {
    get_order: [
      'One order by its number.',
      { id: 'string' },
      { customer: 'string', total: 'number', items: 'string[]', status: 'open|sent|returned' },
    ],
    find_orders: ['The numbers of the orders of a customer.', { customer: 'string' }, { orders: 'string[]' }],
    stock: ['How many pieces of an article are there.', { article: 'string' }, { pieces: 'integer' }],
    price: ['The price of an article.', { article: 'string' }, { usd: 'number' }],
    refund: ['Pays an order back.', { order: 'string', usd: 'number' }, { receipt: 'string' }, 'changes'],
    cancel_order: ['Cancels an order that was not sent.', { order: 'string' }, { done: 'boolean' }, 'changes'],
    place_order: [
      'Orders pieces of an article from the supplier.',
      { article: 'string', pieces: 'integer' },
      { order: 'string' },
      'changes',
    ],
  },
  mail: {
    send_mail: ['Sends a mail.', { to: 'string', subject: 'string', text: 'string' }, { id: 'string' }, 'changes'],
    find_mails: ['The ids of mails with these words.', { query: 'string' }, { mails: 'string[]' }],
    read_mail: ['One mail by its id.', { id: 'string' }, { from: 'string', subject: 'string', text: 'string' }],
    label_mail: ['Puts a label on a mail.', { id: 'string', label: 'string' }, { done: 'boolean' }, 'changes'],
    translate: ['Translates a text.', { text: 'string', language: 'string' }, { text: 'string' }],
  },
  calendar: {
    find_person: ['A colleague by name.', { name: 'string' }, { id: 'string', email: 'string' }],
    free_times: ['When somebody is free on a day.', { person: 'string', day: 'string' }, { times: 'string[]' }],
    list_meetings: ['The ids of the meetings of a day.', { day: 'string' }, { meetings: 'string[]' }],
    book_meeting: [
      'Books a meeting.',
      { people: 'string[]', time: 'string', title: 'string' },
      { meeting: 'string' },
      'changes',
    ],
    cancel_meeting: ['Cancels a meeting.', { meeting: 'string' }, { done: 'boolean' }, 'changes'],
  },
  travel: {
    find_flights: [
      'Flights of a day, cheapest first.',
      { from: 'string', to: 'string', day: 'string' },
      { flights: 'string[]', cheapest: 'string', usd: 'number' },
    ],
    find_hotels: [
      'Hotels of a city, cheapest first.',
      { city: 'string', day: 'string' },
      { hotels: 'string[]', cheapest: 'string', usd: 'number' },
    ],
    weather: [
      'The forecast of a day.',
      { city: 'string', day: 'string' },
      { summary: 'string', celsius: 'number', rain: 'boolean' },
    ],
    exchange_rate: [
      'How much of one currency another one is worth.',
      { from: 'string', to: 'string' },
      { rate: 'number' },
    ],
    book_flight: ['Books a flight.', { flight: 'string' }, { ticket: 'string' }, 'changes'],
    book_hotel: ['Books a hotel.', { hotel: 'string', nights: 'integer' }, { booking: 'string' }, 'changes'],
  },
  code: {
    list_issues: ['The ids of open issues with a label.', { label: 'string' }, { issues: 'string[]' }],
    read_issue: ['One issue by its id.', { id: 'string' }, { title: 'string', text: 'string', author: 'string' }],
    comment_issue: ['Writes a comment to an issue.', { id: 'string', text: 'string' }, { url: 'string' }, 'changes'],
    get_diff: ['The diff of a branch.', { branch: 'string' }, { diff: 'string' }],
    run_tests: ['Runs the tests of a branch.', { branch: 'string' }, { passed: 'boolean', failures: 'string[]' }],
    merge_branch: ['Merges a branch.', { branch: 'string' }, { commit: 'string' }, 'changes'],
    service_health: ['How a service is.', { service: 'string' }, { ok: 'boolean', errors: 'integer' }],
    deploy: [
      'Puts a version of a service into production.',
      { service: 'string', version: 'string' },
      { url: 'string' },
      'changes',
    ],
    rollback: ['Puts the previous version of a service back.', { service: 'string' }, { version: 'string' }, 'changes'],
  },
  data: {
    list_tables: ['The names of all tables.', {}, { tables: 'string[]' }],
    query_table: ['Rows of a table as text.', { table: 'string', filter: 'string?' }, { rows: 'string[]' }],
    column_stats: [
      'Mean, least and most of a column.',
      { table: 'string', column: 'string' },
      { mean: 'number', least: 'number', most: 'number' },
    ],
    make_chart: ['A chart as an SVG text.', { title: 'string', values: 'any' }, { svg: 'string' }],
    save_report: ['Saves a text as a report.', { name: 'string', text: 'string' }, { path: 'string' }, 'changes'],
  },
  library: {
    search_papers: ['The ids of papers on a topic.', { query: 'string' }, { papers: 'string[]' }],
    read_paper: ['The text of a paper.', { id: 'string' }, { title: 'string', text: 'string' }],
    cite: ['How a paper is cited.', { id: 'string' }, { citation: 'string' }],
    search_news: ['The ids of news articles on a topic.', { topic: 'string' }, { articles: 'string[]' }],
    read_article: ['The text of a news article.', { id: 'string' }, { title: 'string', text: 'string' }],
    fact_check: ['Whether a claim is true.', { claim: 'string' }, { verdict: 'true|false|unclear' }],
  },
  home: {
    list_rooms: ['The names of all rooms.', {}, { rooms: 'string[]' }],
    read_sensor: ['What a sensor says.', { room: 'string', kind: 'temperature|humidity|light' }, { value: 'number' }],
    camera_motion: ['Whether something moves before a camera.', { camera: 'string' }, { motion: 'boolean' }],
    set_heating: ['Sets the heating of a room.', { room: 'string', celsius: 'number' }, { done: 'boolean' }, 'changes'],
    lights: ['Turns the light of a room on or off.', { room: 'string', on: 'boolean' }, { done: 'boolean' }, 'changes'],
    lock_door: ['Locks a door.', { door: 'string' }, { done: 'boolean' }, 'changes'],
  },
  people: {
    employee: [
      'An employee by name.',
      { name: 'string' },
      { id: 'string', team: 'string', manager: 'string', email: 'string' },
    ],
    list_team: ['The ids of the employees of a team.', { team: 'string' }, { employees: 'string[]' }],
    holidays_left: ['How many days of holiday somebody has left.', { employee: 'string' }, { days: 'integer' }],
    salary_band: ['What a role is paid.', { role: 'string' }, { low: 'number', high: 'number' }],
    approve_leave: [
      'Approves a leave.',
      { employee: 'string', from: 'string', to: 'string' },
      { done: 'boolean' },
      'changes',
    ],
    post_job: ['Publishes a job.', { title: 'string', text: 'string' }, { url: 'string' }, 'changes'],
  },
  money: {
    balance: ['What is on an account.', { account: 'string' }, { usd: 'number' }],
    transactions: [
      'The transactions of a month as text.',
      { account: 'string', month: 'string' },
      { items: 'string[]', sum: 'number' },
    ],
    list_invoices: ['The numbers of invoices of a status.', { status: 'open|paid|late' }, { invoices: 'string[]' }],
    invoice: ['One invoice by its number.', { id: 'string' }, { supplier: 'string', usd: 'number', account: 'string' }],
    pay: ['Pays a sum.', { account: 'string', to: 'string', usd: 'number' }, { receipt: 'string' }, 'changes'],
  },
} satisfies Readonly<Record<string, Readonly<Record<string, Described>>>>;

export type Trade = keyof typeof TRADES;
export const ALL_TRADES = Object.keys(TRADES) as readonly Trade[];

const ALL: ReadonlyMap<string, Described> = new Map(
  ALL_TRADES.flatMap((trade) => Object.entries(TRADES[trade]) as [string, Described][]),
);

/** The tools of some trades, in the order of the trades. */
export const toolsOf = (trades: readonly Trade[]): readonly Tool[] =>
  trades.flatMap((trade) => Object.entries(TRADES[trade]).map(([name, described]) => toolOf(name, described)));

function toolOf(name: string, [description, input, output, effect]: Described): Tool {
  return defineTool({
    name,
    description,
    input,
    output,
    sideEffects: effect === 'changes',
    run: () => {
      throw new Error('The tools of the evaluation are only planned with.');
    },
  });
}

/** True for the `use` of a tool that changes something outside of the run. */
export const changesSomething = (use: string): boolean => ALL.get(use.replace(/^tool:/, ''))?.[3] === 'changes';
export const isTool = (name: string): boolean => ALL.has(name);
