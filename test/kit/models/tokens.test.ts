import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../../src/core/model/model.ts';
import {
  estimateMessageTokens,
  estimateRequestTokens,
  estimateTokens,
  MEDIA_TOKENS,
} from '../../../src/kit/models/tokens.ts';

const chat = (request: Omit<ChatRequest, 'operation'>): ChatRequest => ({ operation: 'chat', ...request });
const PROSE = 'The quick brown fox jumps over the lazy dog, and nobody in the village knows why it should. ';

describe('estimateTokens', () => {
  it('counts about a token a word, more for code and for scripts without spaces', () => {
    const words = PROSE.trim().split(' ').length;
    expect(estimateTokens(PROSE)).toBeGreaterThanOrEqual(words);
    expect(estimateTokens(PROSE)).toBeLessThan(2 * words);
    expect(estimateTokens('東京は日本の首都です。')).toBeGreaterThan(5);
    expect(estimateTokens('const a = b ?? c[0];')).toBeGreaterThan(5);
    expect(estimateTokens('')).toBe(0);
  });

  it('samples long texts close to the exact estimate', () => {
    const exact = estimateTokens(PROSE.repeat(500)) * 20;
    const sampled = estimateTokens(PROSE.repeat(500 * 20));
    expect(Math.abs(sampled - exact) / exact).toBeLessThan(0.03);
  });

  it('takes hostile texts of megabytes', () => {
    for (const part of ['a', ' ', '"', '\n ', '👩‍👩‍👧', '漢', '1']) {
      expect(estimateTokens(part.repeat(4_000_000 / part.length))).toBeGreaterThanOrEqual(0);
    }
  });

  it('is a whole number that grows with the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 500 }), (text) => {
        const tokens = estimateTokens(text);
        expect(Number.isInteger(tokens) && tokens >= 0).toBe(true);
        expect(estimateTokens(`${text}\n${text}`)).toBeGreaterThanOrEqual(tokens);
      }),
    );
  });
});

describe('estimateRequestTokens', () => {
  const hello = { role: 'user', content: PROSE } as const;

  it('adds up messages, tools and the output schema', () => {
    const alone = estimateRequestTokens(chat({ messages: [hello] }));
    expect(alone).toBe(estimateMessageTokens(hello));
    expect(alone).toBe(estimateTokens(PROSE) + 4);
    expect(estimateRequestTokens(chat({ messages: [hello, hello] }))).toBe(2 * alone);
    const inputSchema = { type: 'object', properties: { query: { type: 'string' } } };
    const tools = [{ name: 'search', description: PROSE, inputSchema }];
    expect(estimateRequestTokens(chat({ messages: [hello], tools }))).toBeGreaterThan(alone + estimateTokens(PROSE));
    const output = { type: 'json', schema: inputSchema } as const;
    expect(estimateRequestTokens(chat({ messages: [hello], output }))).toBeGreaterThan(alone + 5);
  });

  it('takes flat rates for media, whatever their size', () => {
    const source = { type: 'base64', data: 'A'.repeat(100_000), mediaType: 'image/png' } as const;
    const tokens = (detail: 'low' | 'high') =>
      estimateRequestTokens(chat({ messages: [{ role: 'user', content: [{ type: 'image', source, detail }] }] }));
    expect(tokens('low')).toBe(MEDIA_TOKENS.imageLow + 4);
    expect(tokens('high')).toBe(MEDIA_TOKENS.image + 4);
    const media = (['audio', 'video', 'file'] as const).map((type) => ({ type, source }));
    const expected = MEDIA_TOKENS.audio + MEDIA_TOKENS.video + MEDIA_TOKENS.file + 4;
    expect(estimateRequestTokens(chat({ messages: [{ role: 'user', content: media }] }))).toBe(expected);
  });

  it('counts tool calls and their results', () => {
    const call = { type: 'tool-call', id: '1', name: 'search', arguments: { query: PROSE } } as const;
    const result = { type: 'tool-result', id: '1', content: [{ type: 'text', text: PROSE }] } as const;
    const messages = [
      { role: 'assistant', content: [call] },
      { role: 'tool', content: [result, { ...result, content: PROSE }] },
    ] as const;
    expect(estimateRequestTokens(chat({ messages }))).toBeGreaterThan(3 * estimateTokens(PROSE));
  });

  it('knows the other operations', () => {
    const prose = estimateTokens(PROSE);
    expect(estimateRequestTokens({ operation: 'embed', input: [PROSE, PROSE] })).toBe(2 * prose);
    expect(estimateRequestTokens({ operation: 'image', prompt: PROSE })).toBe(prose);
    expect(estimateRequestTokens({ operation: 'moderate', input: [{ type: 'text', text: PROSE }] })).toBe(prose);
    expect(estimateRequestTokens({ operation: 'rerank', query: PROSE, documents: [PROSE] })).toBe(2 * prose);
  });
});
