/**
 * The error bodies that vendors publish or send, and what the gateway has to do about each: the code, whether to try again,
 * what goes out of use (the key, the key for this model, nothing), and how long to wait.
 */
import type { Provider } from 'polyphony';
import { describe, expect, test } from 'vitest';
import { anthropic } from '../../../plugins/providers/anthropic.ts';
import { azureOpenAI } from '../../../plugins/providers/azure-openai.ts';
import { bedrock } from '../../../plugins/providers/bedrock.ts';
import { cohere } from '../../../plugins/providers/cohere.ts';
import { deepseek } from '../../../plugins/providers/deepseek.ts';
import { google } from '../../../plugins/providers/google.ts';
import { googleVertex } from '../../../plugins/providers/google-vertex.ts';
import { groq } from '../../../plugins/providers/groq.ts';
import { mistral } from '../../../plugins/providers/mistral.ts';
import { ollama } from '../../../plugins/providers/ollama.ts';
import { openaiCompatible } from '../../../plugins/providers/openai-compatible.ts';
import { openaiResponses } from '../../../plugins/providers/openai-responses.ts';
import { openrouter } from '../../../plugins/providers/openrouter.ts';
import { perplexity } from '../../../plugins/providers/perplexity.ts';
import { qwen } from '../../../plugins/providers/qwen.ts';
import { replicate } from '../../../plugins/providers/replicate.ts';
import { stability } from '../../../plugins/providers/stability.ts';
import { together } from '../../../plugins/providers/together.ts';
import { xai } from '../../../plugins/providers/xai.ts';
import { ask, chat } from './attempts.ts';
import { failure } from './exchange.ts';

const baseURL = 'http://server.test/v1';
const access = { baseURL, apiKey: 'test-key' };
const compatible = (): Provider => openaiCompatible({ ...access, models: ['m'] });
const azure = (): Provider => azureOpenAI({ ...access, models: ['m'] });
const vertex = (): Provider => googleVertex({ baseURL, project: 'p', accessToken: async () => 'test-token' });
const aws = (): Provider => bedrock({ ...access, region: 'eu-west-1' });

type Out = 'key' | 'model' | 'nothing';
type Expected = readonly [code: string, retryable: boolean, out?: Out, waitMs?: number];
type Row = readonly [status: number, body: unknown, expected: Expected, headers?: Readonly<Record<string, string>>];

const bad = { type: 'invalid_request_error', param: null, code: null };
const openAI = (message: string, rest: object = {}) => ({ error: { message, ...bad, ...rest } });

const LIMITED: Expected = ['rate-limited', true];
const TOO_LARGE: Expected = ['rate-limited', false];
const LONG: Expected = ['context-window', false];
const KEY: Expected = ['invalid-credential', false, 'key'];
const HERE: Expected = ['invalid-credential', false, 'model'];
const MODEL: Expected = ['model-not-found', false];
const POLICY: Expected = ['content-policy', false];
const CALLER: Expected = ['invalid-request', false];
const CANNOT: Expected = ['unsupported', false];
const BUSY: Expected = ['overloaded', true];
const PAGE: Expected = ['overloaded', false];
const SLOW: Expected = ['timeout', true];
const AGAIN: Expected = ['invalid-output', true];
const after = (waitMs: number): Expected => ['rate-limited', true, 'nothing', waitMs];

const OPENAI: readonly Row[] = [
  [401, openAI('Incorrect API key provided: sk-…abcd.', { code: 'invalid_api_key' }), KEY],
  [401, openAI('You have insufficient permissions for this operation. Missing scopes: model.request.'), HERE],
  [403, openAI('Project `p` does not have access to model `m`', { code: 'model_not_found' }), MODEL],
  [403, openAI('You are not allowed to sample from this model'), MODEL],
  [
    403,
    { error: { message: 'Country, region, or territory not supported', code: 'unsupported_country_region_territory' } },
    HERE,
  ],
  [404, openAI('The model `m` does not exist or you do not have access to it.', { code: 'model_not_found' }), MODEL],
  [
    429,
    openAI(
      'Rate limit reached for m on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 2s.',
      { type: 'tokens', code: 'rate_limit_exceeded' },
    ),
    after(2000),
    { 'retry-after-ms': '2000' },
  ],
  [
    429,
    openAI('Rate limit reached for requests', { type: 'requests', code: 'rate_limit_exceeded' }),
    after(6000),
    {
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '6s',
      'x-ratelimit-remaining-tokens': '500',
      'x-ratelimit-reset-tokens': '90s',
    },
  ],
  [
    429,
    openAI(
      'Request too large for m on tokens per min (TPM): Limit 30,000, Requested 37,313. The input or output tokens must be reduced.',
      { type: 'tokens', code: 'rate_limit_exceeded' },
    ),
    TOO_LARGE,
    { 'retry-after': '3' },
  ],
  [
    429,
    openAI('You exceeded your current quota, please check your plan and billing details.', {
      type: 'insufficient_quota',
      code: 'insufficient_quota',
    }),
    KEY,
  ],
  [
    429,
    openAI('You exceeded your current quota, please check your plan and billing details.', {
      code: 'insufficient_quota',
    }),
    after(1000),
    { 'retry-after': '1' },
  ],
  [429, openAI('You exceeded your current quota, please check your plan and billing details.'), LIMITED],
  [429, openAI('Billing hard limit has been reached', { code: 'billing_hard_limit_reached' }), KEY],
  [400, openAI('Billing hard limit has been reached', { code: 'billing_hard_limit_reached' }), KEY],
  [
    400,
    openAI("This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.", {
      code: 'context_length_exceeded',
    }),
    LONG,
  ],
  [400, openAI('Your input exceeds the context window of this model. Please adjust your input and try again.'), LONG],
  [
    400,
    openAI('Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000 tokens.'),
    LONG,
  ],
  [
    400,
    openAI("Invalid 'messages[0].content': string too long.", {
      param: 'messages[0].content',
      code: 'string_above_max_length',
    }),
    LONG,
  ],
  [
    400,
    openAI("Invalid 'tools[0].function.name': string too long.", {
      param: 'tools[0].function.name',
      code: 'string_above_max_length',
    }),
    CALLER,
  ],
  [
    400,
    openAI("Invalid schema for function 'get_billing_address': In context=(), object schema missing properties.", {
      param: 'tools[0].function.parameters',
      code: 'invalid_function_parameters',
    }),
    CALLER,
  ],
  [
    400,
    openAI("Unsupported parameter: 'max_tokens' is not supported with this model.", {
      param: 'max_tokens',
      code: 'unsupported_parameter',
    }),
    CANNOT,
  ],
  [
    400,
    openAI('Invalid prompt: your prompt was flagged as potentially violating our usage policy.', {
      code: 'invalid_prompt',
    }),
    POLICY,
  ],
  [
    400,
    openAI('Your request was rejected by the safety system.', {
      type: 'image_generation_user_error',
      code: 'moderation_blocked',
    }),
    POLICY,
  ],
  [
    400,
    openAI('Your request was rejected as a result of our safety system.', { code: 'content_policy_violation' }),
    POLICY,
  ],
  [400, openAI('invalid model ID', { param: 'model' }), MODEL],
  [500, openAI('The server had an error while processing your request.', { type: 'server_error' }), BUSY],
  [503, openAI('The engine is currently overloaded, please try again later'), BUSY],
];

const AZURE: readonly Row[] = [
  [
    401,
    { error: { code: '401', message: 'Access denied due to invalid subscription key or wrong API endpoint.' } },
    KEY,
  ],
  [
    404,
    { error: { code: 'DeploymentNotFound', message: 'The API deployment for this resource does not exist.' } },
    MODEL,
  ],
  [
    429,
    {
      error: {
        code: '429',
        message: 'Requests to this operation have exceeded the call rate limit. Please retry after 26 seconds.',
      },
    },
    after(26_000),
    { 'retry-after': '26', 'retry-after-ms': '26000' },
  ],
  [
    400,
    {
      error: {
        message: 'The response was filtered due to the prompt triggering a content management policy.',
        type: null,
        param: 'prompt',
        code: 'content_filter',
        status: 400,
        innererror: { code: 'ResponsibleAIPolicyViolation' },
      },
    },
    POLICY,
  ],
  [400, { error: { message: 'filtered', code: null, innererror: { code: 'ResponsibleAIPolicyViolation' } } }, POLICY],
  [
    400,
    {
      error: {
        code: 'OperationNotSupported',
        message: 'The chatCompletion operation does not work with the specified model.',
      },
    },
    CANNOT,
  ],
  [403, { error: { code: '403', message: 'Public access is disabled. Please configure private endpoint.' } }, HERE],
  [408, { error: { code: 'Timeout', message: 'The operation was timeout.' } }, SLOW],
];

const claude = (type: string, message: string) => ({ type: 'error', error: { type, message } });
const ANTHROPIC: readonly Row[] = [
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
const GOOGLE: readonly Row[] = [
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
const BEDROCK: readonly Row[] = [
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

const COHERE: readonly Row[] = [
  [400, { message: 'too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292.' }, LONG],
  [400, { message: 'invalid request: tool name "unauthorized_billing" must be unique' }, CALLER],
  [401, { message: 'invalid api token' }, KEY],
  [
    404,
    { message: "model 'x' not found, make sure the correct model ID was used and that you have access to the model." },
    MODEL,
  ],
  [
    429,
    { message: 'You are using a Trial key, which is limited to 40 API calls / minute. See the billing page.' },
    LIMITED,
  ],
];

const MISTRAL: readonly Row[] = [
  [
    400,
    {
      object: 'error',
      message: 'Prompt contains 65673 tokens and 0 draft tokens, too large for model with 32768 maximum context length',
      type: 'invalid_request_error',
      code: '3051',
    },
    LONG,
  ],
  [400, { object: 'error', message: 'Invalid model: x', type: 'invalid_model', code: '1500' }, MODEL],
  [401, { detail: 'Unauthorized' }, KEY],
  [
    422,
    {
      object: 'error',
      message: { detail: [{ loc: ['body', 'tools', 0, 'get_billing_address'], msg: 'Field required' }] },
      type: 'invalid_request_error',
    },
    CALLER,
  ],
  [
    429,
    {
      object: 'error',
      message: 'Service tier capacity exceeded for this model.',
      type: 'service_tier_capacity_exceeded',
      code: '3505',
    },
    BUSY,
  ],
  [429, { object: 'error', message: 'Rate limit exceeded', type: 'rate_limited', code: '1300' }, LIMITED],
];

const GROQ: readonly Row[] = [
  [
    400,
    openAI('Failed to call a function. Please adjust your prompt.', {
      code: 'tool_use_failed',
      failed_generation: '<function=f>',
    }),
    AGAIN,
  ],
  [
    400,
    openAI('Failed to generate JSON. Please adjust your prompt.', {
      code: 'json_validate_failed',
      failed_generation: '{',
    }),
    AGAIN,
  ],
  [
    400,
    openAI('Please reduce the length of the messages or completion.', {
      param: 'messages',
      code: 'context_length_exceeded',
    }),
    LONG,
  ],
  [
    400,
    openAI('The model `x` has been decommissioned and is no longer supported.', { code: 'model_decommissioned' }),
    MODEL,
  ],
  [
    403,
    openAI('The model `x` is blocked at the project level.', {
      type: 'permissions_error',
      code: 'model_permission_blocked_project',
    }),
    MODEL,
  ],
  [
    413,
    openAI(
      'Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 9000, please reduce your message size.',
      { type: 'tokens', code: 'rate_limit_exceeded' },
    ),
    TOO_LARGE,
  ],
  [
    429,
    openAI(
      'Rate limit reached for model `x` on tokens per day (TPD): Limit 100000, Used 99000, Requested 1500. Need more tokens? Upgrade at https://console.test/settings/billing',
      { type: 'tokens', code: 'rate_limit_exceeded' },
    ),
    after(432_000),
    { 'retry-after': '432' },
  ],
  [498, openAI('Flex tier capacity exceeded', { code: 'capacity_exceeded' }), BUSY],
];

const TOGETHER: readonly Row[] = [
  [400, openAI("The input (516368 tokens) is longer than the model's context length (262144 tokens)."), LONG],
  [
    422,
    openAI(
      'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens and 512 `max_new_tokens`',
    ),
    LONG,
  ],
  [401, openAI('Invalid API key provided.', { code: 'invalid_api_key' }), KEY],
  [
    404,
    openAI('Unable to access model x. Please visit the website for the list of supported models.', {
      code: 'model_not_available',
    }),
    MODEL,
  ],
  [402, openAI('Credit limit exceeded, please navigate to the billing page.', { type: 'credit_limit' }), KEY],
];

const DEEPSEEK: readonly Row[] = [
  [402, openAI('Insufficient Balance', { type: 'unknown_error' }), KEY],
  [400, openAI('Content Exists Risk'), POLICY],
  [400, openAI('Model Not Exist'), MODEL],
  [401, openAI('Authentication Fails (no such user)', { type: 'authentication_error' }), KEY],
  [400, openAI("This model's maximum context length is 65536 tokens. However, you requested 70000 tokens."), LONG],
];

const XAI: readonly Row[] = [
  [
    400,
    {
      code: 'Client specified an invalid argument',
      error: 'Incorrect API key provided: xa***zz. You can obtain an API key from the console.',
    },
    KEY,
  ],
  [400, { code: 'Client specified an invalid argument', error: 'Model not found: grok-x' }, MODEL],
  [
    400,
    {
      code: 'Client specified an invalid argument',
      error: "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    },
    LONG,
  ],
  [
    403,
    {
      code: 'The caller does not have permission to execute the specified operation',
      error: 'Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO',
    },
    POLICY,
  ],
  [
    403,
    {
      code: 'The caller does not have permission to execute the specified operation',
      error: 'Your team is not allowed to do that.',
    },
    HERE,
  ],
  [429, { code: 'Some resource has been exhausted', error: 'Too many requests for team t and model grok-x.' }, LIMITED],
];

const PERPLEXITY: readonly Row[] = [
  [401, { error: { message: 'You exceeded your current quota.', type: 'insufficient_quota', code: 401 } }, KEY],
  [
    400,
    {
      error: {
        message: "Invalid model 'x'. Permitted models can be found in the documentation.",
        type: 'invalid_model',
        code: 400,
      },
    },
    MODEL,
  ],
  [401, '<html><head><title>401 Authorization Required</title></head></html>', KEY],
];

const routed = (code: number, message: string, metadata?: object) => ({ error: { code, message, metadata } });
const OPENROUTER: readonly Row[] = [
  [
    400,
    routed(400, "This endpoint's maximum context length is 131072 tokens. However, you requested about 200000 tokens."),
    LONG,
  ],
  [
    400,
    routed(400, 'Provider returned error', {
      raw: JSON.stringify({ error: { message: 'too long', code: 'context_length_exceeded' } }),
      provider_name: 'One',
    }),
    LONG,
  ],
  [
    400,
    routed(400, 'Provider returned error', {
      raw: JSON.stringify({ error: { message: 'bad', code: 'invalid_api_key' } }),
      provider_name: 'One',
    }),
    CALLER,
  ],
  [400, routed(400, 'x/y is not a valid model ID'), MODEL],
  [401, routed(401, 'No auth credentials found'), KEY],
  [402, routed(402, 'Insufficient credits. Add more using the settings page.'), KEY],
  [
    402,
    routed(
      402,
      'This request requires more credits, or fewer max_tokens. You requested up to 4096 tokens, but can only afford 1000.',
    ),
    TOO_LARGE,
  ],
  [
    403,
    routed(403, '"x/y" requires moderation on One. Your input was flagged for "violence".', {
      reasons: ['violence'],
      flagged_input: 'a text',
    }),
    POLICY,
  ],
  [404, routed(404, 'No endpoints found that support tool use.'), MODEL],
  [
    429,
    routed(429, 'Provider returned error', { raw: overQuota, provider_name: 'One' }),
    after(1000),
    { 'retry-after': '1' },
  ],
  [
    429,
    routed(429, 'Provider returned error', { raw: JSON.stringify({ error: { code: 'insufficient_quota' } }) }),
    LIMITED,
  ],
  [502, routed(502, 'Provider returned error', { raw: 'billing: unauthorized' }), BUSY],
  [503, routed(503, 'No instances available'), BUSY],
];

const QWEN: readonly Row[] = [
  [
    400,
    openAI('<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 129024]', {
      code: 'invalid_parameter_error',
    }),
    LONG,
  ],
  [400, openAI('Input data may contain inappropriate content.', { code: 'data_inspection_failed' }), POLICY],
  [400, openAI('Access denied, please make sure your account is in good standing.', { code: 'Arrearage' }), KEY],
  [403, openAI('The free tier of the model has been exhausted.', { code: 'AllocationQuota.FreeTierOnly' }), MODEL],
  [403, openAI('Model access denied.', { code: 'Model.AccessDenied' }), MODEL],
  [404, openAI('The model `x` does not exist or you do not have access to it.', { code: 'model_not_found' }), MODEL],
  [
    429,
    openAI('You exceeded your current quota, please check your plan and billing details.', {
      type: 'insufficient_quota',
      code: 'insufficient_quota',
    }),
    LIMITED,
  ],
  [429, openAI('Requests throttled, please try again later.', { code: 'limit_requests' }), LIMITED],
];

const OLLAMA: readonly Row[] = [
  [400, { error: 'registry.ollama.ai/library/x:latest does not support tools' }, CANNOT],
  [400, { error: '"x:latest" does not support thinking' }, CANNOT],
  [400, { error: 'the input length exceeds the context length' }, LONG],
  [400, { error: 'prompt too long; exceeded max context length by 1119046 tokens' }, LONG],
  [404, { error: "model 'x' not found" }, MODEL],
  [500, { error: 'llama runner process has terminated: unauthorized billing' }, BUSY],
  [503, { error: 'server busy, please try again. maximum pending requests exceeded' }, BUSY],
];

/** Servers of one's own, and routers before several. */
const COMPATIBLE: readonly Row[] = [
  [
    400,
    {
      error: {
        code: 400,
        message: 'the request exceeds the available context size. try increasing it',
        type: 'exceed_context_size_error',
        n_ctx: 4096,
      },
    },
    LONG,
  ],
  [
    400,
    {
      error: {
        code: 400,
        message: 'request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it',
        type: 'invalid_request_error',
      },
    },
    LONG,
  ],
  [
    500,
    {
      error: {
        code: 500,
        message: 'the request exceeds the available context size. try increasing it',
        type: 'server_error',
      },
    },
    LONG,
  ],
  [401, { error: { code: 401, message: 'Invalid API Key', type: 'authentication_error' } }, KEY],
  [503, { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } }, BUSY],
  [
    501,
    { error: { code: 501, message: 'This server does not support embeddings.', type: 'not_supported_error' } },
    CANNOT,
  ],
  [
    400,
    {
      object: 'error',
      message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
      type: 'BadRequestError',
      param: null,
      code: 400,
    },
    LONG,
  ],
  [
    400,
    {
      error: {
        message: 'The decoder prompt (length 5000) is longer than the maximum model length of 4096.',
        type: 'BadRequestError',
        code: 400,
      },
    },
    LONG,
  ],
  [
    404,
    { error: { message: 'The model `x` does not exist.', type: 'NotFoundError', param: 'model', code: 404 } },
    MODEL,
  ],
  [
    401,
    {
      error: {
        message: 'key not allowed to access model. This key can only access models=[]',
        type: 'key_model_access_denied',
        param: 'model',
        code: '401',
      },
    },
    MODEL,
  ],
  [
    401,
    { error: { message: 'Team not allowed.', type: 'team_model_access_denied', param: 'model', code: '401' } },
    MODEL,
  ],
  [
    400,
    {
      error: {
        message: 'Budget has been exceeded! Current cost: 2, Max budget: 1',
        type: 'budget_exceeded',
        param: null,
        code: '400',
      },
    },
    KEY,
  ],
  [
    400,
    {
      error: {
        message: 'litellm.ContextWindowExceededError: the prompt',
        type: 'ContextWindowExceededError',
        code: '400',
      },
    },
    LONG,
  ],
  [
    400,
    {
      error: {
        message: 'litellm.BadRequestError: AnthropicException - prompt is too long: 5 tokens > 4 maximum',
        type: null,
        code: '400',
      },
    },
    LONG,
  ],
  [403, { error: { message: 'This model is not allowed.', type: 'model_blocked' } }, MODEL],
  [
    429,
    {
      error: {
        message: 'Your account is suspended, please check your plan and billing details',
        type: 'exceeded_current_quota_error',
      },
    },
    KEY,
  ],
  [
    429,
    {
      error: { message: 'The engine is currently overloaded, please try again later', type: 'engine_overloaded_error' },
    },
    BUSY,
  ],
  [413, '<html><body><h1>413 Request Entity Too Large</h1></body></html>', PAGE],
  [403, '<!DOCTYPE html><html><title>Attention Required</title></html>', PAGE],
  [400, '<html><h1>400 Bad Request</h1><p>Invalid API key</p></html>', PAGE],
  [502, '<html><h1>502 Bad Gateway</h1></html>', BUSY],
  [429, '', LIMITED],
  [403, '', HERE],
];

const REPLICATE: readonly Row[] = [
  [401, { title: 'Unauthenticated', detail: 'You did not pass a valid authentication token', status: 401 }, KEY],
  [402, { title: 'Insufficient credit', detail: 'You have insufficient credit to run this model.', status: 402 }, KEY],
  [404, { detail: 'The requested resource could not be found.', status: 404 }, MODEL],
  [
    422,
    { title: 'Input validation failed', detail: '- input.prompt: billing_unauthorized is required', status: 422 },
    CALLER,
  ],
  [
    429,
    { detail: 'Request was throttled. Expected available in 1 second.', status: 429 },
    after(1000),
    { 'retry-after': '1' },
  ],
];

const STABILITY: readonly Row[] = [
  [400, { id: 'a', name: 'bad_request', errors: ['seed: must be a number'] }, CALLER],
  [400, { id: 'a', name: 'invalid_prompts', errors: ['One or more prompts contains filtered words.'] }, POLICY],
  [401, { id: 'a', name: 'unauthorized', errors: ['missing or malformed authorization header'] }, KEY],
  [402, { id: 'a', name: 'payment_required', errors: ['You lack sufficient credits to make this request.'] }, KEY],
  [
    403,
    { id: 'a', name: 'content_moderation', errors: ['Your request was flagged by our content moderation system.'] },
    POLICY,
  ],
  [413, { id: 'a', name: 'payload_too_large', errors: ['body: payload cannot be larger than 10MiB'] }, LONG],
  [429, { id: 'a', name: 'rate_limit_exceeded', errors: ['You have exceeded the rate limit'] }, LIMITED],
];

const VENDORS: Readonly<Record<string, readonly [() => Provider, readonly Row[]]>> = {
  OpenAI: [compatible, OPENAI],
  'OpenAI Responses': [() => openaiResponses({ ...access, models: ['m'] }), OPENAI],
  Azure: [azure, AZURE],
  Anthropic: [() => anthropic(access), ANTHROPIC],
  'Google AI': [() => google(access), GOOGLE],
  Vertex: [vertex, GOOGLE],
  Bedrock: [aws, BEDROCK],
  Cohere: [() => cohere(access), COHERE],
  Mistral: [() => mistral(access), MISTRAL],
  Groq: [() => groq(access), GROQ],
  Together: [() => together(access), TOGETHER],
  DeepSeek: [() => deepseek(access), DEEPSEEK],
  xAI: [() => xai(access), XAI],
  Perplexity: [() => perplexity(access), PERPLEXITY],
  OpenRouter: [() => openrouter(access), OPENROUTER],
  Qwen: [() => qwen(access), QWEN],
  Ollama: [() => ollama({ baseURL, models: ['m'] }), OLLAMA],
  'llama.cpp, vLLM and routers': [compatible, COMPATIBLE],
  Replicate: [() => replicate(access), REPLICATE],
  Stability: [() => stability(access), STABILITY],
};

function answering(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  return {
    request: async () => ({ status, headers, body: whole(), bytes: async () => bytes }),
    close: async () => undefined,
  };
}

const draws = (provider: Provider): boolean => provider.models[0]?.operations.includes('chat') === false;

async function check(make: () => Provider, row: Row): Promise<void> {
  const [status, body, [code, retryable, out = 'nothing', waitMs], headers] = row;
  const provider = make();
  const request = draws(provider) ? ({ operation: 'image', prompt: 'A cat' } as const) : chat('Hi');
  const error = await failure(ask(provider, answering(status, body, headers), request));
  const told = { code: error.code, retryable: error.retryable, waitMs: error.retryAfterMs };
  expect(told).toEqual({ code, retryable, waitMs });
  const refused = error.details?.refused === 'model' ? 'model' : 'key';
  expect(error.code === 'invalid-credential' ? refused : 'nothing').toBe(out);
}

for (const [vendor, [make, rows]] of Object.entries(VENDORS)) {
  describe(vendor, () => {
    for (const row of rows) {
      test(`${row[0]} ${JSON.stringify(row[1]).slice(0, 120)} is ${row[2][0]}`, () => check(make, row));
    }
  });
}
