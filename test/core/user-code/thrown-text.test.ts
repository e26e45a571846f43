/** Whatever is thrown is told as what it is. */
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asPolyphonyError, PolyphonyError } from '../../../src/core/errors.ts';
import { thrownText } from '../../../src/core/user-code/thrown-text.ts';

const secretive = { message: 'refused', headers: { authorization: 'very private' } };
const cyclic = Object.assign(new Error('round'), { cause: undefined as unknown });
cyclic.cause = cyclic;
const silent = Object.assign(new Error(''), { cause: undefined as unknown });
silent.cause = silent;
class Refusal {
  toString(): string {
    return 'refused by policy 7';
  }
}
const throwing = (field: string): object =>
  Object.defineProperty({}, field, {
    enumerable: true,
    get: () => {
      throw new Error('hidden');
    },
  });

describe('the text of what was thrown', () => {
  it.each<[string, unknown, string]>([
    ['a text', 'disk is full', 'disk is full'],
    ['an empty text', ' ', 'an empty text was thrown'],
    ['undefined', undefined, 'undefined was thrown'],
    ['null', null, 'null was thrown'],
    ['a number', 42, '42'],
    ['a bigint', 7n, '7'],
    ['a symbol', Symbol('stop'), 'Symbol(stop)'],
    ['a function', function helper() {}, 'the function helper was thrown'],
    ['an error', new TypeError('no field'), 'no field'],
    ['an error of another realm', runInNewContext('new Error("far away")'), 'far away'],
    ['an error without a message', new RangeError(''), 'RangeError without a message'],
    [
      'an error with a code alone',
      Object.assign(new Error(''), { code: 'ECONNRESET' }),
      'Error without a message (ECONNRESET)',
    ],
    ['an error that only has a cause', new Error('', { cause: new Error('below') }), 'below'],
    ['an error that causes itself', cyclic, 'round'],
    ['an error of itself alone', silent, 'Error without a message'],
    ['a DOMException', new DOMException('not now', 'InvalidStateError'), 'not now'],
    ['an object with a message', { code: 503, message: 'try later' }, 'try later (503)'],
    ['an object without', { status: 500, body: { reason: 'limit' } }, '{"status":500,"body":{"reason":"limit"}}'],
    ['an object that names itself', new Refusal(), 'refused by policy 7'],
    ['an empty object', {}, 'an empty object was thrown'],
    ['a list', ['a', 'b'], '["a","b"]'],
    ['several errors', new AggregateError([new Error('one'), 'two'], ''), 'one; two'],
    ['several errors with a message', new AggregateError([new Error('one')], 'all failed'), 'all failed: one'],
    [
      'many errors',
      new AggregateError(Array.from({ length: 8 }, (_, i) => new Error(`e${i}`))),
      'e0; e1; e2; e3; e4 (and 3 more)',
    ],
    ['an object that cannot be read', throwing('message'), 'an object with the fields message'],
  ])('is that of %s', (_name, thrown, text) => {
    expect(thrownText(thrown)).toBe(text);
    expect(asPolyphonyError(thrown)).toMatchObject({ code: 'plugin-failed', message: text });
  });

  it('is found for anything, without an error and without the default text of objects', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
        (thrown) => {
          expect(typeof thrownText(thrown)).toBe('string');
          expect(asPolyphonyError(thrown)).toBeInstanceOf(PolyphonyError);
        },
      ),
    );
    const gone = Proxy.revocable({}, {});
    gone.revoke();
    expect(asPolyphonyError(gone.proxy).code).toBe('plugin-failed');
    expect(thrownText({ nested: { message: 'x' } })).not.toContain('[object Object]');
  });

  it('shows no header of a request', () => {
    expect(thrownText({ ...secretive, message: undefined })).toBe('{"headers":{"authorization":"[scrubbed]"}}');
  });
});
