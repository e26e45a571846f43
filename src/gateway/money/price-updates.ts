/** Prices that arrive while the gateway runs, signed by whoever knows them. */

import { shown } from '../../core/checked-options.ts';
import type { Config } from '../../core/config.ts';
import { PolyphonyError } from '../../core/errors.ts';
import { nearest } from '../../language/suggest.ts';
import { secretOf } from '../../system/secret.ts';
import { signedAt } from '../../system/signature.ts';

export type Prices = NonNullable<Config['prices']>;

const MOST_BYTES = 1_048_576;

export interface PriceUpdates {
  /**
   * The prices of a signed update.
   *
   * @throws invalid-config when the config has no `priceUpdates`; invalid-credential for a signature that does not fit, is older
   * than five minutes, or older than the last update; invalid-request for a body that is no list of prices
   */
  read(body: string, signature: string, config: Config, nowMs: number): Promise<Prices>;
}

export function createPriceUpdates(): PriceUpdates {
  let latest = 0;
  return {
    async read(body, signature, { priceUpdates }, nowMs) {
      const secret = priceUpdates === undefined ? undefined : secretOf(priceUpdates.secret);
      if (secret === undefined || secret === '')
        throw new PolyphonyError(
          'invalid-config',
          'Updates of prices are not accepted, because the config has no secret for them: set priceUpdates.secret to env:NAME or file:PATH.',
        );
      if (typeof body !== 'string')
        throw new PolyphonyError(
          'invalid-request',
          `An update of prices cannot be ${shown(body)}: give the text of the request as it arrived, before it is parsed.`,
        );
      if (Buffer.byteLength(body) > MOST_BYTES)
        throw new PolyphonyError('invalid-request', `An update of prices has at most ${MOST_BYTES} bytes: send fewer.`);
      const at = signedAt(secret, signature, body, nowMs);
      if (at === undefined || at < latest) throw refused();
      const prices = await pricesOf(body);
      // A later one may have been read in the meantime.
      if (at < latest) throw refused();
      latest = at;
      return prices;
    },
  };
}

const refused = (): PolyphonyError =>
  new PolyphonyError(
    'invalid-credential',
    'The signature of an update of prices does not fit its body, or is not of the last five minutes, or an update that was signed later has arrived: sign it anew.',
  );

async function pricesOf(body: string): Promise<Prices> {
  // Only here, because zod takes longer to load than a call needs.
  const [{ PricesSchema }, { configIssues }] = await Promise.all([
    import('../../core/config/config-schema.ts'),
    import('../../core/config/refused-by-schema.ts'),
  ]);
  let given: unknown;
  try {
    given = JSON.parse(body);
  } catch {
    throw new PolyphonyError('invalid-request', 'An update of prices must be JSON, as the field "prices" of a config.');
  }
  const read = PricesSchema.safeParse(given);
  if (read.success) return read.data;
  const issues = configIssues(PricesSchema, given, read.error, { nearest, whole: 'the update' });
  const message = `An update of prices cannot be used, and nothing was changed: give an object as the field "prices" of a config.\n${issues}`;
  throw new PolyphonyError('invalid-request', message);
}
