/** Answers that arrive, but are not what they seem: cut, filtered, without counts, with counts that cannot be, with broken calls. */
import { dataLines } from '../../hostile/providers/wires.ts';
import { altered, good, raw, status } from '../plays.ts';
import type { Scenario, Seen, World } from '../scenario.ts';
import { TEXT } from '../wires.ts';

const EVENTS = { 'content-type': 'text/event-stream' };
const USAGE = { prompt_tokens: 30, completion_tokens: 30, total_tokens: 60 };
const delta = (fields: object, reason: string | null = null): object => ({
  model: 'm',
  choices: [{ index: 0, delta: fields, finish_reason: reason }],
});
const stream = (...documents: readonly unknown[]): string => dataLines([...documents, '[DONE]']);
const spoken = delta({ content: TEXT });
const usage = (fields: object = {}): object => ({ choices: [], usage: { ...USAGE, ...fields } });

const TOOLS = [{ name: 'weather', inputSchema: { type: 'object', properties: { city: { type: 'string' } } } }] as const;
const call = (fields: object, id?: string): object => ({
  tool_calls: [{ index: 0, ...(id === undefined ? {} : { id, type: 'function' }), function: fields }],
});

const finishOf = ({ events }: Seen) => events.find((event) => event.type === 'finish');
const callsOf = ({ events }: Seen) => events.flatMap((event) => (event.type === 'tool-call' ? [event.call] : []));

/** One call, and what has to hold of it. */
const checked =
  (holds: (seen: Seen, world: World) => boolean, problem: string): Scenario['play'] =>
  async (world) => {
    const seen = await world.call();
    world.expect(holds(seen, world), problem);
    return [seen];
  };

export const ANSWERS: readonly Scenario[] = [
  {
    name: 'usage-missing',
    shows: 'an answer without counts is charged at an estimate, marked as one',
    first: raw(stream(spoken, delta({}, 'stop')), EVENTS),
    play: checked(
      ({ rows, warnings }) =>
        rows[0]?.estimated === true && rows[0].costNanoUsd !== 0 && warnings.includes('usage-missing'),
      'the estimate is not marked, not charged or not told',
    ),
    expect: { ending: 'answer', attempts: 1 },
  },
  {
    name: 'usage-told-twice',
    shows: 'counts that are told twice are charged once',
    first: raw(stream(spoken, { ...delta({}, 'stop'), usage: USAGE }, usage()), EVENTS),
    expect: { ending: 'answer', attempts: 1 },
  },
  {
    name: 'usage-zero-at-the-end',
    shows: 'a zero at the end does not take the place of a real count',
    wire: 'messages',
    first: altered((events) =>
      events
        .map((event) =>
          event.replace(
            '"stop_reason":"end_turn"},"usage":{"input_tokens":30',
            '"stop_reason":"end_turn"},"usage":{"input_tokens":0',
          ),
        )
        .join(''),
    ),
    expect: { ending: 'answer', attempts: 1 },
  },
  {
    name: 'usage-beyond-reason',
    shows: 'a count that cannot be is corrected and told, so that no lie empties a budget',
    first: raw(
      stream(spoken, delta({}, 'stop'), usage({ prompt_tokens: 10 ** 12, completion_tokens: 10 ** 12 })),
      EVENTS,
    ),
    async play(world) {
      const seen = await world.call();
      const cost = seen.rows[0]?.costNanoUsd ?? 0;
      world.expect(cost > 0 && cost < 1_000_000_000, `a lie about the counts costs ${cost} nano-dollars`);
      world.expect(seen.warnings.length > 0, 'nothing is told of it');
      return [seen];
    },
    anyCost: true,
    expect: { ending: 'answer', attempts: 1 },
  },
  {
    name: 'cut-by-length',
    shows: 'an answer that ended at its limit says so',
    first: raw(stream(spoken, delta({}, 'length'), usage()), EVENTS),
    play: checked((seen) => finishOf(seen)?.reason === 'length', 'the finish reason is another one'),
    expect: { ending: 'answer', attempts: 1 },
  },
  {
    name: 'filtered',
    shows: 'an answer that was filtered says so',
    first: raw(stream(spoken, delta({}, 'content_filter'), usage()), EVENTS),
    play: checked((seen) => finishOf(seen)?.reason === 'content-filter', 'the finish reason is another one'),
    expect: { ending: 'answer', attempts: 1 },
  },
  {
    name: 'thoughts-only',
    shows: 'an answer of nothing but thoughts is no answer; it was paid for all the same',
    first: raw(stream(delta({ reasoning_content: 'Hm.' }), delta({}, 'stop'), usage()), EVENTS),
    expect: { text: '', withinMs: 1000 },
  },
  {
    name: 'call-of-a-tool-cut',
    shows: 'a call whose arguments were cut is no call',
    request: { tools: TOOLS },
    first: raw(
      stream(delta(call({ name: 'weather', arguments: '{"city":"Par' }, 'c1')), delta({}, 'length'), usage()),
      EVENTS,
    ),
    play: checked(
      (seen) => callsOf(seen).length === 0 || finishOf(seen)?.reason === 'length',
      'a cut call looks whole',
    ),
    expect: { text: '' },
  },
  {
    name: 'call-of-a-tool-lost',
    shows: 'a connection that ends inside a call leaves no call behind',
    request: { tools: TOOLS },
    first: raw(dataLines([delta(call({ name: 'weather', arguments: '{"city":"Par' }, 'c1'))]), EVENTS),
    play: checked((seen) => callsOf(seen).length === 0, 'a lost call looks whole'),
    expect: { ending: 'truncated', text: '' },
  },
  {
    name: 'two-calls-at-index-0',
    shows: 'two calls that both say that they are the first are two calls',
    request: { tools: TOOLS },
    first: raw(
      stream(
        delta(call({ name: 'weather', arguments: '{"city":"Paris"}' }, 'c1')),
        delta(call({ name: 'weather', arguments: '{"city":"Rome"}' }, 'c2')),
        delta({}, 'tool_calls'),
        usage(),
      ),
      EVENTS,
    ),
    play: checked((seen) => callsOf(seen).length === 2, 'they are not two calls'),
    expect: { ending: 'answer', text: '', attempts: 1 },
  },
  {
    name: 'half-a-letter',
    shows: 'half a letter in a text of the caller never reaches a server',
    request: { messages: [{ role: 'user', content: 'Good day \ud83d.' }] },
    play: checked((_, { first }) => !/\\ud83d/i.test(first.requests[0]?.body ?? '\\ud83d'), 'it was sent'),
    expect: { ending: 'answer', attempts: 1 },
  },
  {
    name: 'key-with-a-line-end',
    shows: 'a key that was copied with its line end is mended',
    keys: ['good-key-of-a-test\n'],
    play: checked(
      (_, { first }) => first.requests[0]?.headers.authorization === 'Bearer good-key-of-a-test',
      'another key was sent',
    ),
    expect: { ending: 'answer', attempts: 1 },
  },
  {
    name: 'gone-model-is-not-asked-again',
    shows: 'a model that is gone is not asked by the next calls either',
    first: status(404, {}, { error: { message: 'The model m does not exist', code: 'model_not_found' } }),
    async play(world) {
      const seen = [await world.call(), await world.call(), await world.call()];
      world.expect(world.first.requests.length === 1, `it was asked ${world.first.requests.length} times`);
      return seen;
    },
    // Not a chain, which keeps its order.
    request: { model: {} },
    expect: { ending: 'failover' },
  },
  {
    name: 'refused-key-is-not-tried-again',
    shows: 'a key that was refused is not tried by the next calls either',
    first: status(401, {}, { error: { message: 'Incorrect API key provided' } }),
    async play(world) {
      const seen = [await world.call(), await world.call(), await world.call()];
      world.expect(world.first.requests.length === 1, `it was tried ${world.first.requests.length} times`);
      return seen;
    },
    expect: { ending: 'failover' },
  },
  {
    name: 'many-small-pieces',
    shows: 'an answer in three thousand pieces is one answer',
    first: good(
      {},
      Array.from({ length: 3000 }, () => 'a'),
    ),
    expect: { ending: 'answer', attempts: 1, text: 'a'.repeat(3000) },
  },
];
