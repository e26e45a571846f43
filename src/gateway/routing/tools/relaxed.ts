/** What a target may lack because the request can be adapted to it, where the caller or the config allows that. */
import type { Config } from '../../../core/config.ts';
import type { ModelRequest } from '../../../core/model/model.ts';

export interface Relaxed {
  /** Tools are described in the prompt. */
  readonly tools: boolean;
  /** Messages are left out until the rest fits the window. */
  readonly window: boolean;
}

const BOTH: Relaxed = { tools: true, window: true };
const TOOLS: Relaxed = { tools: true, window: false };
const WINDOW: Relaxed = { tools: false, window: true };

/** Undefined where nothing may be adapted, which is the default. */
export function relaxedOf(request: ModelRequest, { adapt }: Config): Relaxed | undefined {
  if (request.operation !== 'chat') return undefined;
  const tools = request.toolsInPrompt ?? adapt?.toolsInPrompt ?? false;
  const window = (request.fit ?? adapt?.fit ?? false) !== false;
  if (tools) return window ? BOTH : TOOLS;
  return window ? WINDOW : undefined;
}
