import { describe, expect, test } from 'vitest';
import { readBaseAddress, requestAddress } from '../../../src/kit/requests/base-address.ts';

const ENDPOINTS = ['/deployments/*/chat/completions', '/chat/completions', '/models/*:generate', '/models'];
const url = (given: string, path = '/chat/completions'): string =>
  requestAddress(path, readBaseAddress(given, ENDPOINTS));

describe('a base address as people paste it', () => {
  test.each([
    ['https://a.example/v1', 'https://a.example/v1/chat/completions'],
    [' https://a.example/v1/// \r\n', 'https://a.example/v1/chat/completions'],
    ['\ufeffhttps://a.example/v1', 'https://a.example/v1/chat/completions'],
    ['https://a.example/v1/chat/completions', 'https://a.example/v1/chat/completions'],
    ['https://a.example/v1/chat/completions/', 'https://a.example/v1/chat/completions'],
    ['https://a.example/v1/models?v=2', 'https://a.example/v1/chat/completions?v=2'],
    ['https://a.example/v1/models/one:generate', 'https://a.example/v1/chat/completions'],
    ['https://a.example/x/deployments/d/chat/completions#top', 'https://a.example/x/chat/completions'],
    ['https://a.example/v1/?key=a%20b&v=2', 'https://a.example/v1/chat/completions?key=a%20b&v=2'],
    ['https://a.example', 'https://a.example/chat/completions'],
    // The host is no endpoint, whatever it is called.
    ['https://models', 'https://models/chat/completions'],
    ['https://a.example/my-models', 'https://a.example/my-models/chat/completions'],
  ])('%j leads to %s', (given, expected) => {
    expect(url(given)).toBe(expected);
  });

  test('the query of the path comes first, and its parameters are not sent twice', () => {
    expect(url('https://a.example/v1?alt=json&v=2', '/x?alt=sse')).toBe('https://a.example/v1/x?alt=sse&v=2');
    expect(url('https://a.example/v1?alt=json', '/x?alt=sse')).toBe('https://a.example/v1/x?alt=sse');
  });

  test('with a user or a password is refused, and neither is shown; another @ is none', () => {
    for (const given of [
      'https://ann:hunter22@a.example/v1',
      ' http://hunter22@a.example ',
      'https://:hunter22@a.example',
    ]) {
      const refused = (): unknown => readBaseAddress(given);
      expect(refused).toThrow(expect.objectContaining({ code: 'invalid-config' }));
      expect(refused).toThrow(
        /^The baseURL at https?:\/\/a\.example holds a user or a password, which are not sent: leave both out/,
      );
    }
    expect(url('https://a.example/v1/@ann')).toBe('https://a.example/v1/@ann/chat/completions');
    expect(url('a@b')).toBe('a@b/chat/completions');
  });
});
