/** A gateway with all that any config may need, at once. `open-gateway.ts` loads only what its config needs. */

import { ALL_EXTRAS } from './assembly/all-extras.ts';
import { assembleGateway } from './assembly/assemble.ts';
import type { GatewayHandle, GatewayOptions } from './gateway-handle.ts';

export type { GatewayHandle } from './gateway-handle.ts';

export const createGateway = (options: GatewayOptions): GatewayHandle => assembleGateway(options, ALL_EXTRAS);
