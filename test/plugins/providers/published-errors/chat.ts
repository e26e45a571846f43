/** Servers of the chat-completions wire, with codes of their own. */
import {
  AGAIN,
  after,
  BUSY,
  CALLER,
  CANNOT,
  HERE,
  KEY,
  LIMITED,
  LONG,
  MODEL,
  openAI,
  POLICY,
  type Row,
  SLOW,
  TOO_LARGE,
} from './row.ts';

export const OPENAI: readonly Row[] = [
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

export const AZURE: readonly Row[] = [
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

export const MISTRAL: readonly Row[] = [
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

export const GROQ: readonly Row[] = [
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
