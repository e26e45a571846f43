/** Providers that lie about what they counted. */
import { each, type Family } from '../harness/report.ts';
import type { HttpCase } from './provider-case.ts';
import { dataLines, WIRES, type WireName } from './wires.ts';

/** As JSON text: some of them are numbers that JSON.stringify would not write. */
const LIES: Readonly<Record<string, string>> = {
  negative: '-1000000000',
  overflow: '1e999',
  huge: '1e308',
  'not-whole-any-more': '9007199254740993',
  fraction: '0.3333333333',
  text: '"12"',
  'not-a-number': '"NaN"',
  null: 'null',
  list: '[1,2,3]',
  object: '{"tokens":5}',
  true: 'true',
};

const MARK = '"@count@"';

/** The answer with this usage, as the request asks for it. */
const told =
  (wire: WireName, count: string): HttpCase['respond'] =>
  (response, { streamed }) => {
    const { whole, stream, usage, contentType } = WIRES[wire];
    const counts = usage('@count@');
    const text = streamed ? stream('fine', counts) : JSON.stringify(whole('fine', counts));
    response.writeHead(200, { 'content-type': streamed ? contentType : 'application/json' });
    response.end(text.replaceAll(MARK, count));
  };

const ofWire = (wire: WireName): Family<HttpCase> => ({
  ...each(`usage-${wire}`, LIES, (count): HttpCase => ({ wire, ends: 'answer', respond: told(wire, count) })),
  [`usage-${wire}-missing`]: {
    wire,
    ends: 'answer',
    respond(response, { streamed }) {
      const { whole, stream, contentType } = WIRES[wire];
      response.writeHead(200, { 'content-type': streamed ? contentType : 'application/json' });
      response.end(streamed ? stream('fine', {}) : JSON.stringify(whole('fine', {})));
    },
  },
});

const moving: Family<HttpCase> = {
  'usage-that-shrinks': {
    ends: 'answer',
    respond(response, { streamed }) {
      const { whole, usage } = WIRES.chat;
      const chunks = [5e6, 100, 1, 0, -5].map((count) => ({
        choices: [{ index: 0, delta: { content: 'x' } }],
        usage: usage(count),
      }));
      response.writeHead(200, { 'content-type': streamed ? 'text/event-stream' : 'application/json' });
      response.end(
        streamed
          ? dataLines([...chunks, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }, '[DONE]'])
          : JSON.stringify(whole('fine', usage(-5))),
      );
    },
  },
};

export const usage: readonly Family<HttpCase>[] = [...(Object.keys(WIRES) as WireName[]).map(ofWire), moving];
