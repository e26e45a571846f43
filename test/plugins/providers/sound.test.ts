/** Sound in a message, over every wire: sent in its own form, or refused before anything is sent. */
import type { MediaSource } from 'polyphony';
import { describe, expect, it } from 'vitest';
import { chat } from './attempts.ts';
import { CHAT_WIRES, said } from './chat-wires.ts';
import { failure } from './exchange.ts';

const data = Buffer.from('ID3 a little sound').toString('base64');
const mp3 = { type: 'base64', data, mediaType: 'audio/mpeg' } as const;
const asking = (source: MediaSource) =>
  chat([
    {
      role: 'user',
      content: [
        { type: 'audio', source },
        { type: 'text', text: 'What is said?' },
      ],
    },
  ]);

/** The part as each wire writes it; the wires that are not here have no form for sound. */
const FORMS: Readonly<Record<string, unknown>> = {
  'chat completions': { type: 'input_audio', input_audio: { data, format: 'mp3' } },
  google: { inlineData: { mimeType: 'audio/mpeg', data } },
  bedrock: { audio: { format: 'mp3', source: { bytes: data } } },
};

describe.each(CHAT_WIRES)('$name', (wire) => {
  const form = FORMS[wire.name];
  const sources: Record<string, MediaSource> = {
    bytes: mp3,
    'a data URL': { type: 'url', url: `data:audio/mpeg;base64,${data}` },
  };

  it.each(Object.entries(sources))('takes sound as %s, or says that it does not', async (_what, source) => {
    if (form === undefined) {
      const error = await failure(said(wire, asking(source)));
      expect(error).toMatchObject({ code: 'unsupported', message: expect.stringMatching(/audio/) });
      return;
    }
    const { text } = await said(wire, asking(source));
    expect(text).toContain(JSON.stringify(form));
  });
});
