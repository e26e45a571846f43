/** How the tables of published errors are written. */

export type Out = 'key' | 'model' | 'nothing';
export type Expected = readonly [code: string, retryable: boolean, out?: Out, waitMs?: number];
export type Row = readonly [
  status: number,
  body: unknown,
  expected: Expected,
  headers?: Readonly<Record<string, string>>,
];

export const bad = { type: 'invalid_request_error', param: null, code: null };
export const openAI = (message: string, rest: object = {}) => ({ error: { message, ...bad, ...rest } });

export const LIMITED: Expected = ['rate-limited', true];
export const TOO_LARGE: Expected = ['rate-limited', false];
export const LONG: Expected = ['context-window', false];
export const KEY: Expected = ['invalid-credential', false, 'key'];
export const HERE: Expected = ['invalid-credential', false, 'model'];
export const MODEL: Expected = ['model-not-found', false];
export const POLICY: Expected = ['content-policy', false];
export const CALLER: Expected = ['invalid-request', false];
export const CANNOT: Expected = ['unsupported', false];
export const BUSY: Expected = ['overloaded', true];
export const PAGE: Expected = ['overloaded', false];
export const SLOW: Expected = ['timeout', true];
export const AGAIN: Expected = ['invalid-output', true];
export const after = (waitMs: number): Expected => ['rate-limited', true, 'nothing', waitMs];
