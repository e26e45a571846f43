import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asPolyphonyError, errorRecord, PolyphonyError } from '../../src/core/errors.ts';
import {
  rememberAddress,
  rememberEnvironment,
  rememberHeaders,
  rememberSecret,
  scrub,
  scrubText,
} from '../../src/core/scrub.ts';

/** A new secret for each test, because what is registered stays so. */
let made = 0;
function secret(): string {
  made += 1;
  return `hidden-value-${made}-é"\\/+=`;
}

describe('the text of a registered secret', () => {
  const forms = [
    ['as it is', (value: string) => value],
    ['in a URL', encodeURIComponent],
    ['in JSON', (value: string) => JSON.stringify(value)],
    ['in base64', (value: string) => Buffer.from(value).toString('base64')],
    ['in base64 for URLs', (value: string) => Buffer.from(value).toString('base64url')],
  ] as const;

  it.each(forms)('is removed %s', (_name, form) => {
    const value = secret();
    rememberSecret(value);
    expect(scrubText(`before ${form(value)} after`)).toMatch(/^before "?\[scrubbed\](?:"|=*) after$/);
  });

  it('is removed whole where it contains another one', () => {
    rememberSecret('inner-part-9');
    rememberSecret('outer-inner-part-9-end');
    expect(scrubText('(outer-inner-part-9-end) (inner-part-9)')).toBe('([scrubbed]) ([scrubbed])');
  });

  it.each(['ollama', 'EMPTY', '1', 'test', '12345', ''])('leaves ordinary words alone: %j', (key) => {
    rememberSecret(key);
    const text = 'local/ollama-llama3, qwen-EMPTY, gpt-4.1 and my-test-model in 12345 ms';
    expect(scrubText(text)).toBe(text);
  });

  it('removes a short key where it stands alone', () => {
    rememberSecret('k:7/x');
    expect(scrubText('key k:7/x, not ak:7/xy')).toBe('key [scrubbed], not ak:7/xy');
  });
});

describe('variables of the environment', () => {
  it('that hold words are removed only where they are named as secrets', () => {
    rememberEnvironment({ DB_PASSWORD: 'postgres', CACHE_KEY: 'production', LOCAL_API_KEY: 'lm-studio' });
    const ordinary = 'postgres://db:5432 in production has no relation of postgresql; try lm-studio/llama3';
    expect(scrubText(ordinary)).toBe(ordinary);
    for (const name of ['password=', 'Incorrect API key provided: ', '"api_key":"', '\\"secret\\": \\"', 'token: '])
      expect(scrubText(`${name}postgres`)).toBe(`${name}[scrubbed]`);
  });

  it('that say where something is are not removed', () => {
    const places = ['/root/.ssh/id', '~/keys/one.pem', 'C:\\keys\\one.pem', 'https://keys.example.com/v1', '--------'];
    for (const place of places) rememberEnvironment({ SSH_KEY: place });
    for (const place of places) expect(scrubText(`ENOENT ${place}/x`)).toBe(`ENOENT ${place}/x`);
  });

  it.each(['/Tb3kq8Wz/9xPd2LmVu7Yc', 'https://host/hook/T01ABCDE23F4', 'correct horse battery staple', '31415926'])(
    'that hold a secret are removed: %s',
    (value) => {
      rememberEnvironment({ HOOK_SECRET: value });
      expect(scrubText(`(${value})`)).toBe('([scrubbed])');
    },
  );
});

describe('the shape of a secret', () => {
  it.each([
    'sk-proj-abcdefgh12345678',
    'sk-ant-api03-Zm9vYmFyYmF6',
    'rk_live_4eC39HqLyjWD',
    'gsk_abcdefghijklmnop1234',
    'hf_abcdefghijklmnopqrst',
    'github_pat_11ABCDEFG0abcdefghij',
    'glpat-abcdefgh12345678',
    'xoxb-123456789-abcdef',
    'AKIAIOSFODNN7EXAMPLE',
    'AIzaSyA1234567890abcdefghijk',
    'ya29.a0AfH6SMBx1234',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
    'Bearer abc123def456',
    'Basic dXNlcjpwYXNzd29yZDE=',
    'basic dXNlcjpwYXNz',
    'bearer abcdefghijklmnopqrst',
    'key-550e8400-e29b-41d4-a716-446655440000',
    '-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----',
  ])('is removed: %s', (text) => expect(scrubText(`(${text})`)).toBe('([scrubbed])'));

  it.each(['?key=abc', '&api_key=a%20b', '?access_token=x.y'])('is removed from a query: %s', (query) => {
    expect(scrubText(`https://host/path${query}&x=1`)).toBe(
      `https://host/path${query.replace(/=.*/, '=')}[scrubbed]&x=1`,
    );
  });

  it.each([
    'keyboard_shortcuts_of_the_editor',
    'key-value-store-of-the-gateway',
    'skip_validation_of_all_orders',
    'pack-the-customer-orders-now',
    'Bearer authentication is needed',
    'Basic settings of the account',
    'task-force-of-the-department',
    'run_01H8XGJWBWBAQ4Z4',
    'key-of-the-node-number-2',
    'key-pointsOfTheChapter',
    'pa-llama-2024-08-06-instruct',
    'sk-learn-pipelines-are-not-supported',
    'C:\\models\\sk-learn-pipeline-v2\\model.bin',
    'xoxo-hugs-and-kisses',
    'Basic authentication/authorization is required',
    'Basic gpt-4o-mini-2024 is not allowed',
    'Bearer authentication-required-for-this-endpoint',
    '3f786850e387550fdab836ed7e6dc881de23001b and 550e8400-e29b-41d4-a716-446655440000',
    'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk',
    'http://localhost:8080/v1@2',
  ])('is no name or sentence: %s', (text) => expect(scrubText(text)).toBe(text));

  it.each(['authorization: ', '"Authorization": "', '\\"authorization\\":\\"'])(
    'is whatever follows the name of its header: %s',
    (name) => expect(scrubText(`${name}Bearer my-own-token`)).toBe(`${name}[scrubbed]`),
  );

  it('is the password of an address', () =>
    expect(scrubText('connect to postgres://ann:p@ss:word@db:5432/shop failed')).toBe(
      'connect to postgres://ann:[scrubbed]@db:5432/shop failed',
    ));

  it('takes time that grows with the text only', () => {
    for (const piece of [
      'key-',
      '://',
      '://a:',
      '://a:b@',
      'Basic aaaaaaaa/',
      'sk-',
      'eyJ',
      'Bearer ',
      '?key=',
      '-----BEGIN PRIVATE KEY-----',
      'a.',
      'eyJaaaaaaaa.',
    ]) {
      // Quadratic work on 2 MiB would take minutes and end the test by its own bound.
      expect(scrubText(piece.repeat(Math.ceil(2 ** 21 / piece.length))).length).toBeGreaterThan(0);
    }
  });
});

describe('options of providers', () => {
  it('are registered: headers, and what of an address may be a key', () => {
    rememberHeaders({
      'x-tenant': 'tenant-key-77',
      authorization: 'Token auth-key-77',
      'content-type': 'application/json',
    });
    rememberAddress('https://user-77:pass%2Fword-77@host.example/v1/openai/path-key-000077/?deployment=query-key-77');
    const text =
      'tenant-key-77 auth-key-77 application/json user-77 pass/word-77 pass%2Fword-77 /v1/openai/path-key-000077/ query-key-77';
    expect(scrubText(text)).toBe(
      '[scrubbed] [scrubbed] application/json [scrubbed] [scrubbed] [scrubbed] /v1/openai/[scrubbed]/ [scrubbed]',
    );
    expect(scrubText(Buffer.from('user-77:pass/word-77').toString('base64'))).toMatch(/^\[scrubbed\]=*$/);
    rememberAddress('no address');
  });

  const KEYS = [
    'plantedPathOfNoDigits',
    'MixedCaseKey',
    'qwertzuiopasdfghjklyx',
    'QWERTZUIOPASDFGHJKLYX',
    'correct-horse-battery-staple',
  ];
  it.each(KEYS)('are long segments of a path that no API has: %s', (key) => {
    rememberAddress(`https://host.example/v1/${key}/openai`);
    expect(scrubText(`POST /v1/${key}/openai/chat/completions`)).toBe('POST /v1/[scrubbed]/openai/chat/completions');
  });

  it.each([
    '/openai/v1',
    '/v1/projects/my-project/locations/us-central1/publishers/google/models',
    '/api/v1/chat/completions',
    '/compatible-mode/v1',
    '/v1/text-embedding-inference/openai-compatible',
    '/v1/accounts/acme/deployments/chat',
  ])('are not the words of usual paths: %s', (path) => {
    rememberAddress(`https://host.example${path}`);
    expect(scrubText(`POST ${path} failed`)).toBe(`POST ${path} failed`);
  });
});

describe('an error', () => {
  it('holds no secret, wherever it was put', () => {
    const value = secret();
    rememberSecret(value);
    const inner = Object.assign(new TypeError(`inner ${value}`), {
      config: { headers: { Authorization: 'opaque', list: [value] } },
      cause: new AggregateError([new Error(value)], value),
    });
    const error = new PolyphonyError('tool-failed', `outer ${value}`, { cause: inner, details: { deep: [{ value }] } });
    const text = inspect(error, { depth: null, showHidden: true }) + JSON.stringify(errorRecord(error));
    for (const part of [value, JSON.stringify(value).slice(1, -1), 'opaque']) expect(text).not.toContain(part);
    expect(error.message).toBe('outer [scrubbed]');
    expect((error.cause as Error).name).toBe('TypeError');
  });

  it('keeps a cause and details that hold none', () => {
    const cause = Object.assign(new Error('plain'), { code: 'ECONNRESET' });
    const details = { target: 'a/b' };
    const error = new PolyphonyError('network', 'It broke.', { cause, details });
    expect(error.cause).toBe(cause);
    expect(error.details).toBe(details);
  });

  it.each([
    ['null', null],
    ['an object without a text', Object.create(null)],
    ['a symbol', Symbol('thrown')],
    ['an error whose message is an object', Object.assign(new Error(), { message: Object.create(null) })],
    [
      'an error with a getter that throws',
      Object.defineProperty(new Error('x'), 'more', {
        enumerable: true,
        get: () => {
          throw new Error('no');
        },
      }),
    ],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('no');
          },
          ownKeys: () => {
            throw new Error('no');
          },
        },
      ),
    ],
    [
      'a circle',
      Object.assign(new Error('x'), {
        self: {
          get me() {
            return this;
          },
        },
      }),
    ],
  ])('can be made of anything that is thrown: %s', (_name, thrown) => {
    const error = asPolyphonyError(thrown);
    expect(error.code).toBe('plugin-failed');
    expect(typeof error.message).toBe('string');
  });

  it('bounds what it says, however long the text that was thrown', () => {
    const long = 'x'.repeat(5_000_000);
    const error = asPolyphonyError(Object.assign(new Error(long), { more: Array.from({ length: 100 }, () => long) }));
    const text = inspect(error, { depth: null, maxStringLength: null });
    expect(error.message).toMatch(/^x{16384}… \(cut from 5000000 characters\)$/);
    expect(text.length).toBeLessThan(200_000);
    const { details } = new PolyphonyError('tool-failed', 'x', { details: { list: Array(100).fill(long), kept: 1 } });
    expect(JSON.stringify(details).length).toBeLessThan(300_000);
    expect(details?.kept).toBe(1);
  });

  it('shows no part of a secret through which a message was cut', () => {
    const value = secret();
    rememberSecret(value);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: -60, max: 60 }), (times, offset) => {
        const { message } = new PolyphonyError(
          'network',
          `${'y'.repeat(times * 8192 + offset)}${value}${'z'.repeat(40_000)}`,
        );
        expect(message).toMatch(
          /^y+(?:\[(?:s(?:c(?:r(?:u(?:b(?:b(?:e(?:d\]?)?)?)?)?)?)?)?)?)?z*… \(cut from \d+ characters\)$/,
        );
      }),
    );
  });

  it('can be made of any value', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (thrown) => {
        expect(asPolyphonyError(thrown)).toBeInstanceOf(PolyphonyError);
        expect(new PolyphonyError('internal' as never, 'x', { details: { thrown } }).details).toBeDefined();
      }),
    );
  });
});

it('a record of the log hides fields by their names, cuts cycles and bounds its work', () => {
  const record: Record<string, unknown> = { apiKey: 'x', 'Set-Cookie': 'y', n: 1n, list: [{ password: 'z' }] };
  record.self = record;
  expect(scrub(record)).toEqual({
    apiKey: '[scrubbed]',
    'Set-Cookie': '[scrubbed]',
    n: '1',
    list: [{ password: '[scrubbed]' }],
    self: '[cut]',
  });
  const wide = Array.from({ length: 100_000 }, () => ({}));
  expect((scrub(wide) as unknown[]).filter((item) => item !== '[cut]').length).toBeLessThan(5000);
});
