import { describe, expect, test } from 'vitest';
import { finishReason } from '../../../src/kit/wires/finish-reason.ts';

describe('why a model stopped', () => {
  test.each([
    ['end_turn', 'stop'],
    ['COMPLETE', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['TOOL_CALL', 'tool-calls'],
    ['guardrail_intervened', 'content-filter'],
    ['IMAGE_RECITATION', 'content-filter'],
    ['pause_turn', 'pause'],
    ['MALFORMED_FUNCTION_CALL', 'error'],
    ['malformed_tool_use', 'error'],
    ['UNEXPECTED_TOOL_CALL', 'error'],
    ['TOO_MANY_TOOL_CALLS', 'error'],
    ['NO_IMAGE', 'error'],
    ['TIMEOUT', 'error'],
    ['abort', 'error'],
    ['insufficient_system_resource', 'error'],
    ['MODEL_ARMOR', 'content-filter'],
    ['LANGUAGE', 'content-filter'],
    ['error_toxic', 'content-filter'],
    ['max-tokens', 'length'],
    ['ERROR_LIMIT', 'length'],
    ['tool-calls', 'tool-calls'],
  ])('%s is %s', (word, reason) => {
    expect(finishReason(word)).toBe(reason);
  });

  test.each(['constructor', '__proto__', 'a new one', '', undefined, null, 7])('%s is other', (word) => {
    expect(finishReason(word)).toBe('other');
  });
});
