/** A request as one wire takes it, in the order in which the steps build on each other. */
import type { ModelRequest } from '../../core/model/model.ts';
import type { WireContext, WireFormat } from '../../core/model/provider.ts';
import { withAnswerMedia } from './answer-media.ts';
import { cleanRequest } from './clean-request.ts';
import { withOwnTools } from './provider-tools.ts';
import { type RenamedTools, renamedTools } from './tool-names.ts';

export interface PreparedRequest {
  readonly request: ModelRequest;
  /** Undefined where the wire takes every name. */
  readonly renamed: RenamedTools | undefined;
}

/** @throws unsupported for what the provider does not take */
export function preparedRequest(request: ModelRequest, wire: WireFormat, context: WireContext): PreparedRequest {
  const renamed = wire.toolNames === undefined ? undefined : renamedTools(request, wire.toolNames);
  const placed = withAnswerMedia(renamed?.request ?? request, wire, context);
  return { renamed, request: withOwnTools(cleanRequest(placed, wire.requests, context.warn), wire, context) };
}
