import { expect, test } from 'vitest';
import type { Message, Warning } from '../../../src/core/model/model.ts';
import type { WireContext } from '../../../src/core/model/provider.ts';
import { encodeMessages } from '../../../src/kit/wires/chat-completions/encode-messages.ts';

const contextWith = (warnings: Warning[]): WireContext =>
  ({
    target: { provider: 'p', model: 'm' },
    warn: (warning: Warning) => void warnings.push(warning),
  }) as unknown as WireContext;

test('at most four cache marks are sent: the last ones', () => {
  const warnings: Warning[] = [];
  const messages = Array.from(
    { length: 6 },
    (_, at): Message => ({ role: 'user', content: [{ type: 'text', text: `t${at}`, cache: 'short' }] }),
  );
  const sent = JSON.stringify(encodeMessages(messages, { cacheControl: true }, contextWith(warnings)));
  expect(sent.match(/cache_control/g)).toHaveLength(4);
  expect(sent.indexOf('cache_control')).toBeGreaterThan(sent.indexOf('t2'));
  expect(warnings).toMatchObject([{ code: 'cache-marks-dropped' }]);
});

test('a blank result of a tool has words', () => {
  const message: Message = { role: 'tool', content: [{ type: 'tool-result', id: 'a', content: ' ' }] };
  expect(encodeMessages([message], {}, contextWith([]))).toEqual([
    { role: 'tool', tool_call_id: 'a', content: '(no output)' },
  ]);
});
