/** The schema of what is posted to others, and of the prices that others post. */
import { z } from 'zod';
import type { GatewayEvent } from '../gateway/gateway-events.ts';

const secretReference = z
  .string()
  .max(1000)
  .regex(/^(env|file):./, 'write where the secret is, env:NAME or file:PATH, never the secret itself');

const EVENTS: Readonly<Record<GatewayEvent['type'], true>> = {
  'breaker-opened': true,
  'breaker-closed': true,
  throttled: true,
  'concurrency-reduced': true,
  'warming-paused': true,
  hedged: true,
  'budget-alert': true,
  'budget-dry-run': true,
  'claim-differs': true,
  'commitment-spent': true,
  'spend-drift': true,
  'provider-shifted': true,
  'token-drift': true,
  'route-left': true,
  'route-resumed': true,
  'batch-sent': true,
  'batch-ended': true,
  outage: true,
  recovered: true,
  'change-detected': true,
  'models-swept': true,
  'model-deprecated': true,
  'model-shifted': true,
  'model-retired': true,
  'model-restored': true,
  'model-moved': true,
  'candidate-judged': true,
  'candidate-promoted': true,
  'candidate-dismissed': true,
};

export const PriceUpdatesSchema = z.strictObject({ secret: secretReference });

/** Of what is no address another rule says so. */
export function hasNoUser(address: string): boolean {
  if (!URL.canParse(address)) return true;
  const { username, password } = new URL(address);
  return username === '' && password === '';
}

/** A misspelt type of event would never be posted, and nobody would notice. */
export const WebhooksSchema = z
  .array(
    z.strictObject({
      url: z
        .url({ protocol: /^https?$/ })
        .max(2000)
        .refine(
          hasNoUser,
          'leave the user and the password out, which are not sent: "secret" names what signs each post',
        ),
      secret: secretReference.optional(),
      events: z
        .array(z.enum(Object.keys(EVENTS)))
        .max(50)
        .optional(),
    }),
  )
  .max(20);
