/** Routers before several servers, and servers of one's own. */
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
  PAGE,
  POLICY,
  type Row,
  TOO_LARGE,
} from './row.ts';

const overQuota = 'You exceeded your current quota, please check your plan and billing details.';
const routed = (code: number, message: string, metadata?: object) => ({ error: { code, message, metadata } });
export const OPENROUTER: readonly Row[] = [
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

/** Servers of one's own, and routers before several. */
export const COMPATIBLE: readonly Row[] = [
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

export const OLLAMA: readonly Row[] = [
  [400, { error: 'registry.ollama.ai/library/x:latest does not support tools' }, CANNOT],
  [400, { error: '"x:latest" does not support thinking' }, CANNOT],
  [400, { error: 'the input length exceeds the context length' }, LONG],
  [400, { error: 'prompt too long; exceeded max context length by 1119046 tokens' }, LONG],
  [404, { error: "model 'x' not found" }, MODEL],
  [500, { error: 'llama runner process has terminated: unauthorized billing' }, BUSY],
  [503, { error: 'server busy, please try again. maximum pending requests exceeded' }, BUSY],
];
