import { describe, expect, test } from 'vitest';
import { httpError, impliedStatus, readFailure } from '../../../src/kit/http/http-errors.ts';

const codeOf = (status: number, body: unknown): string =>
  httpError(readFailure(status, typeof body === 'string' ? body : JSON.stringify(body))).code;

/** As providers word them. */
const REFUSALS: readonly (readonly [code: string, status: number, body: unknown])[] = [
  ['context-window', 400, { error: { message: 'too long', code: 'context_length_exceeded' } }],
  ['context-window', 400, { error: { message: "This model's maximum context length is 8192 tokens. However, …" } }],
  ['context-window', 400, { error: { message: 'prompt too long; exceeded max context length by 1119046 tokens' } }],
  ['context-window', 400, { error: { message: 'The total length of all messages is too long.', code: 400 } }],
  ['context-window', 400, { type: 'error', error: { message: 'prompt is too long: 250000 tokens > 200000 maximum' } }],
  ['context-window', 413, { error: { message: 'Request too large for model' } }],
  ['content-policy', 400, { error: { message: 'filtered', code: 'content_filter' } }],
  ['content-policy', 400, { error: { message: 'Your request was rejected by our safety system.', code: null } }],
  ['content-policy', 400, { error: { code: 'data_inspection_failed', message: 'Input may contain bad things' } }],
  ['content-policy', 403, { error: { message: 'Your input was flagged', code: 403 } }],
  ['invalid-credential', 429, { error: { message: 'You exceeded your current quota', code: 'insufficient_quota' } }],
  ['invalid-credential', 402, { error: { message: 'Insufficient Balance' } }],
  ['invalid-credential', 400, { error: { message: 'Your credit balance is too low to access the API.' } }],
  ['invalid-credential', 401, { message: 'Unauthorized' }],
  ['invalid-credential', 403, { error: { message: 'Country not supported', code: 'unsupported_country' } }],
  ['invalid-credential', 400, { error: { message: 'API key not valid. Please pass a valid API key.' } }],
  ['rate-limited', 429, { error: { message: 'Rate limit reached for requests', code: 'rate_limit_exceeded' } }],
  ['rate-limited', 429, { error: { message: 'Too many tokens, please wait before trying again.' } }],
  ['rate-limited', 429, ''],
  ['overloaded', 529, { error: { type: 'overloaded_error', message: 'Overloaded' } }],
  ['overloaded', 503, '<html><body><h1>503 Service Unavailable</h1></body></html>'],
  ['overloaded', 500, { error: { message: 'The server had an error while processing your request' } }],
  ['overloaded', 429, { error: { message: 'The engine is currently overloaded, please try again later' } }],
  ['overloaded', 498, { error: { code: 'capacity_exceeded' } }],
  ['timeout', 504, 'upstream request timeout'],
  ['timeout', 408, ''],
  ['model-not-found', 404, { error: { message: 'The model `x` does not exist', code: 'model_not_found' } }],
  ['model-not-found', 404, { error: { message: 'Resource not found', code: '404' } }],
  [
    'model-not-found',
    403,
    { error: { message: 'Project `p` does not have access to model `m`', code: 'model_not_found' } },
  ],
  [
    'model-not-found',
    400,
    { error: { message: 'The model `m` has been decommissioned', code: 'model_decommissioned' } },
  ],
  ['model-not-found', 400, { error: { message: 'x is not a valid model ID', code: 400 } }],
  ['unsupported', 400, { error: { message: "Unsupported parameter: 'max_tokens'", code: 'unsupported_parameter' } }],
  ['unsupported', 400, { error: { message: 'This model does not support image input.' } }],
  ['invalid-request', 400, { error: { message: "Invalid value: 'x'.", type: 'invalid_request_error' } }],
  ['invalid-request', 422, { detail: [{ loc: ['body', 'messages'], msg: 'Field required' }] }],
  ['invalid-request', 400, [{ error: { message: 'Bad argument' } }]],
];

describe('what a refusal means', () => {
  test.each(REFUSALS)('%s: HTTP %i %j', (code, status, body) => {
    expect(codeOf(status, body)).toBe(code);
  });

  test('the message holds the status, what was said and what to do', () => {
    const error = httpError(readFailure(402, '{"error":{"message":"Insufficient Balance","code":"no_money"}}'));
    expect(error.message).toBe(
      'HTTP 402: Insufficient Balance (no_money) Check the key, its rights and the credit of the account.',
    );
    expect(error).toMatchObject({ status: 402, retryable: false });
  });

  test.each([
    [
      { error: { code: 400, message: 'The server refused it (400)' } },
      'HTTP 400: The server refused it (400) Correct the request.',
    ],
    [{ error: { code: '400', message: 'No' } }, 'HTTP 400: No. Correct the request.'],
    [{ error: { code: 'odd', message: 'It is odd (odd)' } }, 'HTTP 400: It is odd (odd) Correct the request.'],
    [{ error: { type: 'odd', message: 'It is odd.' } }, 'HTTP 400: It is odd. (odd) Correct the request.'],
  ])('%j names its code once', (body, message) => {
    expect(httpError(readFailure(400, JSON.stringify(body))).message).toBe(message);
  });

  test('a page of HTML is shown without its tags', () => {
    const page = '<html><style>b{}</style><body><h1>502 Bad Gateway</h1></body></html>';
    expect(httpError(readFailure(502, page)).message).toContain('HTTP 502: 502 Bad Gateway');
  });
});

describe('an error inside a good answer', () => {
  test.each([
    [{ code: 400, message: 'Token limit reached' }, 400],
    [{ status_code: 400, code: 'tool_use_failed' }, 400],
    [{ type: 'overloaded_error' }, 503],
    [{ code: 'rate_limit_exceeded' }, 429],
    [{ code: 'insufficient_quota' }, 402],
    [{ type: 'authentication_error' }, 401],
    [{ type: 'invalid_request_error' }, 400],
    [{ type: 'server_error' }, 500],
    [{ message: 'something' }, 500],
    [undefined, 500],
  ])('%j stands for %i', (error, status) => {
    expect(impliedStatus(error)).toBe(status);
  });
});
