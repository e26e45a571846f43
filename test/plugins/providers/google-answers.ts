/** Answers of the generateContent wire, and the request that this provider sends for one. */
import type { ModelRequest } from 'polyphony';
import { google } from '../../../plugins/providers/google.ts';
import { type Answer, events, type Json, type Sent, send } from './native-exchange.ts';

export const USAGE: Json = { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 };

export const chunk = (parts: readonly Json[], finishReason?: string, rest: Json = {}): Json => ({
  candidates: [{ content: { role: 'model', parts }, ...(finishReason === undefined ? {} : { finishReason }) }],
  usageMetadata: USAGE,
  modelVersion: 'gemini-x',
  responseId: 'r1',
  ...rest,
});

export const HELLO = events([chunk([{ text: 'Hello' }], 'STOP')]);

/** What came of an answer, with the newest of the models that take sampling, unless another is named. */
export const answered = (answer: string | Answer, request?: ModelRequest, model = 'gemini-3.5-flash'): Promise<Sent> =>
  send((baseURL) => google({ baseURL, apiKey: 'test-key' }), answer, request, { model });

/** What is sent for a request. */
export const sentFor = (request: ModelRequest, model?: string): Promise<Sent> => answered(HELLO, request, model);
