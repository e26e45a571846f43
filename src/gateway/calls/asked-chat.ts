/** A chat as a caller asks it, as the request that the rings pass on. */
import type { AskedChat, ChatRequest, ModelRequest, ProviderTool, ToolDefinition } from '../../core/model/model.ts';

/** Takes the provider's own tools out of the list of tools; a request without any is passed on as it is. */
export function withToolsApart(asked: ModelRequest | (AskedChat & { readonly operation: 'chat' })): ModelRequest {
  // What is no request at all is refused afterwards, in words.
  if (asked?.operation !== 'chat' || !Array.isArray(asked.tools)) return asked as ModelRequest;
  const listed: readonly (ToolDefinition | ProviderTool)[] = asked.tools;
  if (!listed.some(isProviderTool)) return asked as ChatRequest;
  const { tools: _, ...rest } = asked;
  const chat: ChatRequest = { ...rest, providerTools: listed.filter(isProviderTool) };
  const own = listed.filter((tool): tool is ToolDefinition => !isProviderTool(tool));
  return own.length === 0 ? chat : { ...chat, tools: own };
}

const isProviderTool = (tool: ToolDefinition | ProviderTool): tool is ProviderTool =>
  typeof tool === 'object' && tool !== null && 'type' in tool && tool.type === 'provider';
