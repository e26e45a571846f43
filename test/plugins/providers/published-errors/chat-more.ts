/** Further servers of the chat-completions wire. */
import { HERE, KEY, LIMITED, LONG, MODEL, openAI, POLICY, type Row } from './row.ts';

export const TOGETHER: readonly Row[] = [
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

export const DEEPSEEK: readonly Row[] = [
  [402, openAI('Insufficient Balance', { type: 'unknown_error' }), KEY],
  [400, openAI('Content Exists Risk'), POLICY],
  [400, openAI('Model Not Exist'), MODEL],
  [401, openAI('Authentication Fails (no such user)', { type: 'authentication_error' }), KEY],
  [400, openAI("This model's maximum context length is 65536 tokens. However, you requested 70000 tokens."), LONG],
];

export const XAI: readonly Row[] = [
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

export const PERPLEXITY: readonly Row[] = [
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

export const QWEN: readonly Row[] = [
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
