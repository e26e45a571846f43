import { expect, it } from 'vitest';
import { isOwnServer } from '../../../src/kit/requests/own-server.ts';

it.each([
  ['http://127.0.0.1:11434', true],
  ['http://localhost:8000/v1', true],
  ['http://box:8000', true],
  ['http://gpu.local/v1', true],
  ['http://10.1.2.3', true],
  ['http://172.20.0.5:80', true],
  ['http://192.168.1.7', true],
  ['http://[::1]:8000', true],
  ['http://[fd00::1]', true],
  ['https://api.example.com/v1', false],
  ['https://localhost.example.com', false],
  ['http://172.32.0.1', false],
  ['http://8.8.8.8', false],
  ['http://[2001:db8::1]', false],
  ['', false],
  ['no address', false],
])('%s is a server of the user: %s', (address, isOwn) => {
  expect(isOwnServer(address)).toBe(isOwn);
});
