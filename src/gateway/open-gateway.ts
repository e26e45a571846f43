/** A gateway that loads what its config needs: a process that asks one question does not wait for what it does not use. */
import { assembleGateway } from './assembly/assemble.ts';
import { needsExtras } from './assembly/extras.ts';
import type { GatewayHandle, GatewayOptions } from './gateway-handle.ts';

export async function openGateway(options: GatewayOptions): Promise<GatewayHandle> {
  if (!needsExtras(options.config ?? {})) return assembleGateway(options);
  const { createGateway } = await import('./create-gateway.ts');
  return createGateway(options);
}
