/** Encodes canonical requests as bodies of this wire format. */
import {
  asRecord,
  type ChatRequest,
  defined,
  type EmbeddingRequest,
  inlineMedia,
  type Message,
  type Part,
  PolyphonyError,
  schemaInstruction,
  type ToolResultPart,
  type WireContext,
} from 'polyphony/kit';

export type Body = Record<string, unknown>;

/** @throws unsupported for parts that the wire format cannot carry */
export function encodeChat(request: ChatRequest, context: WireContext): Body {
  const { card, streaming } = context;
  const { tools = [], output } = request;
  const messages = request.messages.flatMap((message) => encodeMessage(message, context));
  // A model that must follow a schema cannot call tools, so with tools the schema goes into the prompt.
  const bySchema = output?.schema !== undefined && tools.length > 0;
  if (bySchema) {
    messages.unshift({ role: 'system', content: schemaInstruction(output.schema ?? {}) });
    const message =
      'This server cannot enforce a schema while the model may call tools, so the schema was put into the prompt.';
    context.warn({ code: 'schema-in-prompt', message });
  }
  return defined({
    model: card.id,
    messages,
    tools: request.toolChoice === 'none' || tools.length === 0 ? undefined : tools.map(encodeTool),
    format: output === undefined || tools.length > 0 ? undefined : (output.schema ?? 'json'),
    think: think(request, context),
    options: options(request, context),
    // Unlike other wire formats, this one streams by default.
    stream: streaming && card.capabilities.includes('streaming'),
  });
}

function encodeTool({ name, description, inputSchema }: NonNullable<ChatRequest['tools']>[number]): Body {
  const { $schema: _, ...parameters } = inputSchema;
  return { type: 'function', function: defined({ name, description, parameters }) };
}

/** The effort, as a word for models that support it (`wire.think: "effort"` on the card), else as a boolean. */
function think({ reasoning }: ChatRequest, { card }: WireContext): boolean | string | undefined {
  if (reasoning?.effort === undefined && reasoning?.budgetTokens === undefined) return undefined;
  if (reasoning.effort === 'none' || reasoning.budgetTokens === 0) return false;
  if (card.wire?.think !== 'effort') return true;
  return reasoning.effort === 'minimal' ? 'low' : (reasoning.effort ?? 'medium');
}

function options(request: ChatRequest, context: WireContext): Body | undefined {
  const { toolChoice, tools = [] } = request;
  if (request.parallelToolCalls === false) dropped('parallelToolCalls', context);
  if (tools.length > 0 && (toolChoice === 'required' || typeof toolChoice === 'object')) dropped('toolChoice', context);
  if (request.logprobs !== undefined && request.logprobs !== false) dropped('logprobs', context);
  if (request.user !== undefined) dropped('user', context);
  if (request.serviceTier !== undefined) dropped('serviceTier', context);
  const parameters = defined({
    num_predict: request.maxOutputTokens,
    temperature: request.temperature,
    top_p: request.topP,
    top_k: request.topK,
    presence_penalty: request.presencePenalty,
    frequency_penalty: request.frequencyPenalty,
    stop: request.stop,
    seed: request.seed,
    // Without this the server truncates the prompt at its own default window, without an error.
    num_ctx: context.card.wire?.num_ctx,
  });
  return Object.keys(parameters).length === 0 ? undefined : parameters;
}

function dropped(name: string, { card, warn }: WireContext): void {
  warn({ code: 'parameter-dropped', message: `"${name}" was dropped, because ${card.id} does not support it.` });
}

export function encodeEmbedding({ input, dimensions }: EmbeddingRequest, { card }: WireContext): Body {
  return defined({ model: card.id, input, dimensions });
}

// ---------------------------------------------------------------------------------------------------- messages

const partsOf = ({ content }: Message): readonly Part[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

function encodeMessage(message: Message, context: WireContext): Body[] {
  const parts = partsOf(message);
  const results = parts.filter((part) => part.type === 'tool-result');
  const rest = parts.filter((part) => part.type !== 'tool-result');
  if (message.role === 'assistant') return [assistantMessage(parts, context)];
  const role = message.role === 'system' ? 'system' : 'user';
  return [...results.map(toolMessage), ...(rest.length === 0 ? [] : [{ role, ...contentOf(rest) }])];
}

/** Text is one field and images another: this wire format does not keep the order between them. */
function contentOf(parts: readonly Part[]): Body {
  const images = parts.flatMap(imageOf);
  return { content: textOf(parts), ...(images.length === 0 ? {} : { images }) };
}

const textOf = (parts: readonly Part[]): string =>
  parts
    .filter((part) => part.type === 'text')
    .map((part) => part.text)
    .join('\n');

function imageOf(part: Part): string[] {
  if (part.type === 'text') return [];
  if (part.type !== 'image') {
    throw new PolyphonyError(
      'unsupported',
      `This server does not support message parts of type "${part.type}": send text or images.`,
    );
  }
  const inline = inlineMedia(part.source);
  if (inline !== undefined) return [inline.data];
  throw new PolyphonyError('unsupported', 'This server accepts images only inline, not as URLs: send them as base64.');
}

function assistantMessage(parts: readonly Part[], context: WireContext): Body {
  const thoughts = parts.filter((part) => part.type === 'reasoning' && part.family === context.target.provider);
  const thinking = thoughts.reduce((sum, part) => (part.type === 'reasoning' ? sum + part.text : sum), '');
  const calls = parts.filter((part) => part.type === 'tool-call');
  return defined({
    role: 'assistant',
    content: parts.reduce((sum, part) => (part.type === 'text' ? sum + part.text : sum), ''),
    thinking: thinking === '' ? undefined : thinking,
    tool_calls:
      calls.length === 0
        ? undefined
        : calls.map(({ id, name, arguments: given }) => ({ id, function: { name, arguments: asRecord(given) ?? {} } })),
  });
}

function toolMessage(result: ToolResultPart): Body {
  const { content, id, name, isError } = result;
  const parts: readonly Part[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  const { content: text, ...images } = contentOf(parts);
  // The wire format has no flag for a failed tool.
  return defined({
    role: 'tool',
    tool_call_id: id,
    tool_name: name,
    content: isError === true ? `Error: ${text}` : text,
    ...images,
  });
}
