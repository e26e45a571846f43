/** Asks providers for their models, in a bounded time. */
import { errorRecord, PolyphonyError } from '../core/errors.ts';
import type { Provider } from '../core/model/provider.ts';
import type { GatewayParts } from './parts.ts';

const LONGEST_MS = 3000;

type ListingParts = Pick<GatewayParts, 'clock' | 'transport' | 'logger'>;
type Listing = Provider & Required<Pick<Provider, 'listModels'>>;

const canList = (provider: Provider): provider is Listing => provider.listModels !== undefined;

/** Returns true if any provider was asked. What fails is logged: a server that is off must not prevent the start. */
export async function listAll(providers: readonly Provider[], parts: ListingParts): Promise<boolean> {
  const asked = providers.filter(canList);
  await Promise.all(asked.map((provider) => list(provider, parts)));
  return asked.length > 0;
}

async function list(provider: Listing, { clock, transport, logger }: ListingParts): Promise<void> {
  const controller = new AbortController();
  const late = new PolyphonyError('timeout', `The server did not list its models within ${LONGEST_MS} ms.`);
  let giveUp: (error: unknown) => void = () => undefined;
  const overdue = new Promise<never>((_resolve, reject) => {
    giveUp = reject;
  });
  const cancel = clock.schedule(LONGEST_MS, () => {
    controller.abort(late);
    giveUp(late);
  });
  try {
    const context = { transport, clock, report: () => undefined };
    await Promise.race([provider.listModels(context, controller.signal), overdue]);
  } catch (error) {
    const message =
      'A provider did not list its models: name them in its options, or in the request as provider/model.';
    logger?.warn({ provider: provider.id, error: errorRecord(error) }, message);
  } finally {
    cancel();
  }
}
