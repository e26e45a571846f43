/** What the validators say of an answer, for the benchmark and for their tests. */
import type { Call, ChatRequest, Message, ModelResponse } from 'polyphony';
import { validatorsEvaluator } from '../../plugins/escalation/validators.ts';

export function judgedAnswer(
  question: string,
  answer: string,
  earlier: readonly Message[] = [],
  asked: Partial<ChatRequest> = {},
) {
  const call: Call = {
    id: 'call',
    request: { operation: 'chat', messages: [...earlier, { role: 'user', content: question }], ...asked },
    signal: new AbortController().signal,
    purpose: 'answer',
    scopes: [],
    trace: { attempts: [] },
  };
  const response: ModelResponse = {
    target: { provider: 'p', model: 'm' },
    content: [{ type: 'text', text: answer }],
    finishReason: 'stop',
    usage: { input: 1, output: 1 },
    costNanoUsd: 0,
    attempts: [],
    warnings: [],
  };
  const evaluation = validatorsEvaluator.evaluate(call, response);
  if (!('score' in evaluation)) throw new TypeError('validators answers at once');
  return evaluation;
}
