/** A piece of an answer that cannot be read is left out, and the answer says so, whatever wire it came over. */
import { describe, expect, test } from 'vitest';
import type { Transport } from '../../src/core/model/provider.ts';
import { fakeCard } from '../../src/testing/fakes.ts';
import { WIRES, type WireName } from '../hostile/providers/wires.ts';
import { ask, chat } from '../plugins/providers/attempts.ts';

const answering = (body: string, contentType: string): Transport => ({
  async request() {
    const bytes = Buffer.from(body);
    const chunks = (async function* () {
      yield bytes;
    })();
    return { status: 200, headers: { 'content-type': contentType }, body: chunks, bytes: async () => bytes };
  },
  close: async () => undefined,
});

/** The stream with a piece before the text that holds this in its place. */
function withPiece(name: WireName, piece: string): string {
  const { stream, usage } = WIRES[name];
  const [end, text] = [name === 'ollama' ? '\n' : '\n\n', JSON.stringify('fine')];
  const events = stream('fine', usage(3)).split(end);
  const at = events.findIndex((event) => event.includes(text));
  const lost = (events[at] ?? '').replaceAll(text, piece).replace('"done":true', '"done":false');
  return events.toSpliced(at, 0, lost).join(end);
}

async function read(name: WireName, piece: string) {
  const { provider, contentType } = WIRES[name];
  const made = await provider('wire', 'http://127.0.0.1:9', [fakeCard({ id: 'm' })]);
  return ask(made, answering(withPiece(name, piece), contentType), chat('Say fine'));
}

describe.each(Object.keys(WIRES) as WireName[])('a piece of an answer over %s', (name) => {
  test.each(['7', 'true', '{"text":1}'])('that is %s instead of a text is told', async (piece) => {
    const { content, warnings } = await read(name, piece);
    expect(content).toMatchObject([{ type: 'text', text: 'fine' }]);
    expect(warnings.map(({ code }) => code)).toContain('malformed-chunk');
  });

  test('that is null or empty is nothing to tell', async () => {
    for (const piece of ['null', '""']) {
      const { content, warnings } = await read(name, piece);
      expect(content).toMatchObject([{ type: 'text', text: 'fine' }]);
      expect(warnings.map(({ code }) => code)).not.toContain('malformed-chunk');
    }
  });
});
