/** Servers with a wire of their own. */
import {
  after,
  BUSY,
  CALLER,
  CANNOT,
  HERE,
  KEY,
  LIMITED,
  LONG,
  MODEL,
  POLICY,
  type Row,
  SLOW,
  TOO_LARGE,
} from './row.ts';

const claude = (type: string, message: string) => ({ type: 'error', error: { type, message } });
export const ANTHROPIC: readonly Row[] = [
  [
    400,
    claude('invalid_request_error', 'tools.0.custom.name: String should match pattern for billing_unauthorized'),
    CALLER,
  ],
  [400, claude('invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'), LONG],
  [
    400,
    claude('invalid_request_error', 'input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000'),
    LONG,
  ],
  [400, claude('invalid_request_error', 'Your credit balance is too low to access the API.'), KEY],
  [400, claude('invalid_request_error', 'You have reached your specified API usage limits.'), KEY],
  [400, claude('invalid_request_error', 'This organization has been disabled.'), KEY],
  [400, claude('invalid_request_error', 'Output blocked by content filtering policy'), POLICY],
  [401, claude('authentication_error', 'invalid x-api-key'), KEY],
  [402, claude('billing_error', 'Check your payment details.'), KEY],
  [403, claude('permission_error', 'Your API key does not have permission to use the specified resource.'), HERE],
  [404, claude('not_found_error', 'model: claude-nonexistent'), MODEL],
  [413, claude('request_too_large', 'Request exceeds the maximum allowed number of bytes.'), LONG],
  [
    429,
    claude(
      'rate_limit_error',
      'This request would exceed the rate limit for your organization of 40,000 input tokens per minute.',
    ),
    after(7000),
    { 'retry-after': '7' },
  ],
  [500, claude('api_error', 'Internal server error'), BUSY],
  [504, claude('timeout_error', 'The request timed out'), SLOW],
  [529, claude('overloaded_error', 'Overloaded'), BUSY],
];

const rpc = (code: number, message: string, status: string, details: readonly object[] = []) => ({
  error: { code, message, status, details },
});
const retryInfo = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '0.4s' };
const quota = (quotaValue: string) => ({
  '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
  violations: [{ quotaId: 'PerDay', quotaValue }],
});
const reason = (word: string) => ({ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: word });
const overQuota = 'You exceeded your current quota, please check your plan and billing details.';
export const GOOGLE: readonly Row[] = [
  [
    400,
    rpc(400, 'API key not valid. Please pass a valid API key.', 'INVALID_ARGUMENT', [reason('API_KEY_INVALID')]),
    KEY,
  ],
  [400, rpc(400, 'API key expired. Please renew the API key.', 'INVALID_ARGUMENT'), KEY],
  [
    400,
    rpc(
      400,
      'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
      'INVALID_ARGUMENT',
    ),
    LONG,
  ],
  [
    400,
    rpc(
      400,
      'Unable to submit request because the input token count is 1200000 but model only supports up to 1048576.',
      'INVALID_ARGUMENT',
    ),
    LONG,
  ],
  [400, rpc(400, 'User location is not supported for the API use.', 'FAILED_PRECONDITION'), CANNOT],
  [
    400,
    rpc(
      400,
      'GenerateContentRequest.tools[0].function_declarations[0].parameters.properties: billing should be non-empty',
      'INVALID_ARGUMENT',
    ),
    CALLER,
  ],
  [403, rpc(403, 'Permission denied on resource', 'PERMISSION_DENIED'), HERE],
  [403, rpc(403, 'Your API key was reported as leaked. Please use another API key.', 'PERMISSION_DENIED'), KEY],
  [404, rpc(404, 'models/x is not found for API version v1beta', 'NOT_FOUND'), MODEL],
  [429, rpc(429, overQuota, 'RESOURCE_EXHAUSTED', [quota('20'), retryInfo]), after(400)],
  [429, [rpc(429, overQuota, 'RESOURCE_EXHAUSTED', [retryInfo])], after(400)],
  [429, rpc(429, overQuota, 'RESOURCE_EXHAUSTED', [quota('0')]), TOO_LARGE],
  [429, rpc(429, 'Resource exhausted. Please try again later.', 'RESOURCE_EXHAUSTED'), LIMITED],
  [500, rpc(500, 'An internal error has occurred.', 'INTERNAL'), BUSY],
  [503, rpc(503, 'The model is overloaded.', 'UNAVAILABLE'), BUSY],
  [504, rpc(504, 'Deadline expired', 'DEADLINE_EXCEEDED'), SLOW],
];

const typed = (type: string) => ({ 'x-amzn-errortype': `${type}:http://internal.amazon.com/` });
export const BEDROCK: readonly Row[] = [
  [400, { message: 'Input is too long for requested model.' }, LONG, typed('ValidationException')],
  [
    400,
    { message: 'The model returned the following errors: prompt is too long: 215000 tokens > 200000 maximum' },
    LONG,
    typed('ValidationException'),
  ],
  [
    400,
    {
      message:
        'Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try again.',
    },
    LONG,
    typed('ValidationException'),
  ],
  [
    400,
    { message: 'Too many input tokens. Max input tokens: 8192, request input token count: 9237' },
    LONG,
    typed('ValidationException'),
  ],
  [
    400,
    { message: 'The maximum tokens you requested exceeds the model limit of 4096. Try again with a lower value.' },
    CALLER,
    typed('ValidationException'),
  ],
  [
    400,
    {
      message:
        'Invocation of model ID anthropic.m with on-demand throughput isn’t supported. Retry with an inference profile.',
    },
    MODEL,
    typed('ValidationException'),
  ],
  [400, { message: 'This model doesn’t support tool use.' }, CANNOT, typed('ValidationException')],
  [400, { message: 'The provided model identifier is invalid.' }, MODEL, typed('ValidationException')],
  [400, { message: 'Too many requests, please wait before trying again.' }, LIMITED, typed('ThrottlingException')],
  [
    403,
    { message: "You don't have access to the model with the specified model ID." },
    MODEL,
    typed('AccessDeniedException'),
  ],
  [
    403,
    { message: 'User: arn:aws:iam::1:user/u is not authorized to perform: bedrock:InvokeModel on resource: m' },
    HERE,
    typed('AccessDeniedException'),
  ],
  [403, { message: 'The security token included in the request is expired' }, KEY, typed('ExpiredTokenException')],
  [
    403,
    { message: 'The security token included in the request is invalid.' },
    KEY,
    typed('UnrecognizedClientException'),
  ],
  [424, { message: 'The model failed.' }, BUSY, typed('ModelErrorException')],
  [429, { message: 'Too many tokens, please wait before trying again.' }, LIMITED, typed('ThrottlingException')],
  [429, { message: 'The model is not ready for inference requests.' }, BUSY, typed('ModelNotReadyException')],
  [503, { message: 'The service is unavailable.' }, BUSY, typed('ServiceUnavailableException')],
];
