/** Servers of rerankers and images, and others with bodies of their own. */
import { after, CALLER, KEY, LIMITED, LONG, MODEL, POLICY, type Row } from './row.ts';

export const COHERE: readonly Row[] = [
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

export const REPLICATE: readonly Row[] = [
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

export const STABILITY: readonly Row[] = [
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
