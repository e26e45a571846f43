/** Whatever words of the caller an error message repeats, the error means the same: on every wire, at every status. */
import fc from 'fast-check';
import type { Provider } from 'polyphony';
import { describe, expect, it } from 'vitest';
import { anthropic } from '../../plugins/providers/anthropic.ts';
import { bedrock } from '../../plugins/providers/bedrock.ts';
import { cohere } from '../../plugins/providers/cohere.ts';
import { google } from '../../plugins/providers/google.ts';
import { ollama } from '../../plugins/providers/ollama.ts';
import { openaiCompatible } from '../../plugins/providers/openai-compatible.ts';
import { openaiResponses } from '../../plugins/providers/openai-responses.ts';
import { failureOf, httpError } from '../../src/kit/http/http-errors.ts';
import { ask, chat } from '../plugins/providers/attempts.ts';
import { failure } from '../plugins/providers/exchange.ts';

/** Names that the words of servers occur in: of tools, fields, models, clusters. */
const name = fc.oneof(
  fc.constantFrom(
    ...['get_billing_address', 'list_flagged_posts', 'missing_token', 'insufficient_quota', 'unauthorized'],
    ...['context_length_exceeded', 'rate_limit', 'too_many_requests', 'overloaded', 'content_filter', 'api_key'],
    ...['invalid_api_key', 'model_not_found', 'billing-llm', 'safety_policy', 'unsupported_value', 'credit-balance'],
    ...[
      'api-key',
      'api-key-rotation',
      'model-router',
      'out_of_credits',
      'throttle',
      'payment-required',
      'expired_token',
      'maximum-context-length',
      'no-such-model',
    ],
  ),
  fc.stringMatching(/^[a-zA-Z0-9_.-]{1,40}$/),
);

/** Prose of a prompt, which servers put into quotation marks. */
const prose = fc.oneof(
  name,
  fc.constantFrom(
    ...['my prompt is too long', 'You exceeded your current quota', 'API key not valid', 'model not found: x'],
    ...['This model does not support images', 'Your credit balance is too low', 'Too many requests', 'Overloaded'],
    ...["This model's maximum context length is 8", 'Your input was flagged for abuse. Insufficient funds'],
    'Limit 10, Requested 20',
  ),
);

const NAMED: readonly ((word: string) => string)[] = [
  (word) => `Invalid schema for function ${word}: it has no properties.`,
  (word) => `The tool ${word} is declared twice. Remove one.`,
  (word) => `tools.0.input_schema.properties.${word}: Input should be a valid dictionary`,
  (word) => `Unrecognized request argument supplied: ${word}`,
  (word) => `${word} is not a known tool.`,
  (word) => `${word}: field required`,
  (word) => `Invalid ${word}: it should be an object`,
  (word) => `Missing ${word} in the properties. Unknown ${word}`,
  (word) => `Internal error in ${word} hook`,
  (word) => `no connection to cluster ${word}`,
];
const QUOTED: readonly ((text: string) => string)[] = [
  (text) => `The value '${text}' is not allowed here.`,
  (text) => `Expected an object, but got "${text}" instead.`,
  (text) => `Could not parse \`${text}\`: unexpected token`,
  (text) => `messages[0]: “${text}”`,
];

const STATUSES = [400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 529];
const baseURL = 'http://server.test/v1';
const access = { baseURL, apiKey: 'test-key' };
const WIRES: Readonly<Record<string, () => Provider>> = {
  'chat completions': () => openaiCompatible({ ...access, models: ['m'] }),
  responses: () => openaiResponses({ ...access, models: ['m'] }),
  messages: () => anthropic(access),
  generateContent: () => google(access),
  converse: () => bedrock({ ...access, region: 'eu-west-1' }),
  cohere: () => cohere(access),
  ollama: () => ollama({ baseURL, models: ['m'] }),
};

async function meant(make: () => Provider, status: number, message: string): Promise<unknown> {
  const bytes = Buffer.from(JSON.stringify({ error: { message, type: 'invalid_request_error', code: null } }));
  async function* body(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  const transport = {
    request: async () => ({ status, headers: {}, body: body(), bytes: async () => bytes }),
    close: async () => undefined,
  };
  const { code, retryable, details } = await failure(ask(make(), transport, chat('Hi')));
  return { code, retryable, refused: details?.refused };
}

describe('law: words of the caller', () => {
  it.each(Object.entries(WIRES))('decide nothing on the wire %s', async (_, make) => {
    const message = fc.oneof(fc.tuple(fc.constantFrom(...NAMED), name), fc.tuple(fc.constantFrom(...QUOTED), prose));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...STATUSES), message, async (status, [said, word]) => {
        expect(await meant(make, status, said(word))).toEqual(await meant(make, status, said('x')));
      }),
      { numRuns: 150 },
    );
  });

  it('decide nothing where an answer of 200 holds the error', () => {
    fc.assert(
      fc.property(fc.constantFrom(...STATUSES), fc.constantFrom(...NAMED), name, (status, said, word) => {
        const codeOf = (message: string) =>
          httpError(failureOf({ error: message }, status) ?? { status, message }).code;
        expect(codeOf(said(word))).toBe(codeOf(said('x')));
      }),
    );
  });
});
