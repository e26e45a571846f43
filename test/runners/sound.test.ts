/** Sound in an `llm` node: as audio, as a file, from a file on the disk; who takes it, and what is said where nobody does. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fileTools } from '../../plugins/tools/files.ts';
import { createPolyphony, type Plan } from '../../src/index.ts';
import { toolResultContent } from '../../src/runners/agent/tool-result.ts';
import { fakeCard, fakeProvider } from '../../src/testing/index.ts';

const HEARS = fakeCard({ id: 'hears', capabilities: ['text', 'streaming', 'system', 'audio-in'] });
const READS = fakeCard({
  id: 'reads',
  capabilities: ['text', 'streaming', 'system', 'file-in'],
  price: { input: 0.1, output: 0.1 },
});
const wav = { type: 'base64', data: 'UklGRg==', mediaType: 'audio/wav' } as const;

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const asking = (input: object): Plan => ({
  version: 1,
  nodes: [{ id: 'a', use: 'llm', in: { prompt: 'What is said?', ...input } }],
  output: '{{a.text}}',
});

async function asked(plan: Plan, cards = [HEARS, READS], folder?: string) {
  const provider = fakeProvider({ models: cards, script: () => 'Hello.' });
  const plugins = folder === undefined ? [] : [fileTools({ folder })];
  const polyphony = await createPolyphony({ providers: [provider], plugins });
  try {
    const outcome = await polyphony.run(plan);
    const parts = provider.seen.flatMap(({ request }) => (request.operation === 'chat' ? request.messages : []));
    return { outcome, parts: parts.flatMap(({ content }) => (typeof content === 'string' ? [] : content)), provider };
  } finally {
    await polyphony.close();
  }
}

describe('sound in an llm node', () => {
  const forms: Record<string, object> = {
    'in audio': { audio: [wav] },
    'in audio, as a data URL': { audio: ['data:audio/wav;base64,UklGRg=='] },
    'among files': { files: [wav] },
    'among files, as a data URL': { files: ['data:audio/wav;base64,UklGRg=='] },
    'beside what a file does not have': { audio: [wav, null], files: [] },
  };

  it.each(Object.entries(forms))('%s goes to a model that takes it', async (_form, input) => {
    const { outcome, parts, provider } = await asked(asking(input));
    expect(outcome).toMatchObject({ status: 'done', output: 'Hello.' });
    expect(parts).toEqual([
      { type: 'audio', source: wav },
      { type: 'text', text: 'What is said?' },
    ]);
    expect(provider.seen.map(({ target }) => target.model)).toEqual(['hears']);
  });

  it('at an address needs no media type', async () => {
    const url = 'https://example.com/a.mp3';
    const { parts } = await asked(asking({ audio: [url] }));
    expect(parts[0]).toEqual({ type: 'audio', source: { type: 'url', url } });
  });

  it('is read from a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'polyphony-sound-'));
    folders.push(folder);
    const bytes = Buffer.from('RIFF\x10\0\0\0WAVEfmt ');
    writeFileSync(join(folder, 'call.wav'), bytes);
    const plan: Plan = {
      version: 1,
      nodes: [
        { id: 'call', use: 'tool:read_file', in: { path: 'call.wav' } },
        { id: 'a', use: 'llm', in: { prompt: 'What is said?', audio: ['{{call.audio}}'], files: ['{{call.file}}'] } },
      ],
      output: '{{a.text}}',
    };
    const both = fakeCard({ id: 'both', capabilities: ['text', 'streaming', 'system', 'file-in', 'audio-in'] });
    const { parts } = await asked(plan, [both], folder);
    expect(parts[0]).toEqual({
      type: 'audio',
      source: { type: 'base64', data: bytes.toString('base64'), mediaType: 'audio/wav' },
    });
  });

  it.each(Object.entries(forms))(
    '%s is refused before anything is asked where no model takes it',
    async (_form, input) => {
      await expect(asked(asking(input), [READS])).rejects.toMatchObject({
        code: 'invalid-plan',
        message: expect.stringMatching(/needs chat, audio-in: fake\/reads lacks audio-in/),
      });
    },
  );

  it('that turns up only in the run is refused by the router, and nothing is sent', async () => {
    const plan: Plan = {
      version: 1,
      input: { sound: 'any' },
      nodes: [{ id: 'a', use: 'llm', in: { prompt: 'What is said?', files: '{{input.sound}}' } }],
      output: '{{a.text}}',
    };
    const provider = fakeProvider({ models: [READS], script: () => 'Hello.' });
    const polyphony = await createPolyphony({ providers: [provider] });
    try {
      await expect(polyphony.run(plan, { sound: [wav] })).rejects.toMatchObject({
        code: 'no-route',
        message: expect.stringContaining('audio-in'),
      });
      expect(provider.seen).toEqual([]);
    } finally {
      await polyphony.close();
    }
  });

  it('is no picture: what stands in audio must be sound', async () => {
    const picture = { type: 'base64', data: 'AAAA', mediaType: 'image/png' };
    await expect(asked(asking({ audio: [picture] }))).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining('image/png'),
    });
  });
});

it.each(['audio/wav', 'video/mp4'])('%s in the result of a tool is named, and its bytes are not sent', (mediaType) => {
  const content = toolResultContent({ path: 'a', audio: { type: 'base64', data: 'QUFBQUFBQUE=', mediaType } });
  expect(content).toEqual([
    {
      type: 'text',
      text: `{"path":"a","audio":"${mediaType}, not sent: results of tools hold no sound and no films"}`,
    },
  ]);
});
