/** The provider over either of its wire formats. */
import {
  type ChatCompletionsQuirks,
  type ChatCompletionsVendorOptions,
  chatCompletionsProvider,
  type ModelCardFields,
  type Provider,
  responsesSearches,
  responsesWire,
  type WireFormat,
  wireByCard,
} from 'polyphony/kit';
import { openaiBatches } from './batch.ts';
import { MODELS } from './cards.ts';

const quirks: ChatCompletionsQuirks = {
  maxTokensField: 'max_completion_tokens',
  strictSchemas: true,
  omit: ['top_k'],
  embeddingEncoding: 'base64',
};
/**
 * Chat completions refuse a longer list (`array_above_max_length`), as the API's own message says, with models up to GPT-5:
 * github.com/musistudio/claude-code-router/issues/686 and github.com/zed-industries/zed/issues/42393. Of the Responses API nothing is known.
 */
const toolSupport = { count: 128 } as const;
const LIMITED: readonly ModelCardFields[] = MODELS.map((card) =>
  card.wire?.api === 'responses' || card.operations?.includes('chat') === false ? card : { ...card, toolSupport },
);
const onResponses = (others: WireFormat): WireFormat =>
  responsesWire({ strictSchemas: true, leastOutputTokens: 16, countsTokens: true }, others);

export type OpenAIOptions = ChatCompletionsVendorOptions & {
  /** The first half of `provider/model`. @default 'openai' */
  readonly id?: string;
  /** The wire format of chats; embeddings, images and moderation have only one. @default 'chat-completions' */
  readonly api?: 'chat-completions' | 'responses';
};

/** @throws invalid-config when an option is malformed */
export function openai({ api = 'chat-completions', ...options }: OpenAIOptions = {}): Provider {
  return chatCompletionsProvider({
    id: 'openai',
    baseURL: 'https://api.openai.com/v1',
    keyVariable: 'OPENAI_API_KEY',
    models: api === 'responses' ? MODELS : LIMITED,
    quirks,
    // platform.openai.com/docs/api-reference/embeddings/create
    embeddingBatch: { texts: 2048, tokens: 300_000 },
    // Ten dollars for a thousand searches of the web (openai.com/api/pricing); the tool exists on the Responses API only.
    searches: { fee: () => 0.01, most: (request) => responsesSearches(request, options.id ?? 'openai') },
    wire(others) {
      const wire = api === 'responses' ? onResponses(others) : wireByCard(onResponses(others), others);
      // platform.openai.com/docs/api-reference/debugging-requests
      return { ...wire, callerIdHeader: 'x-client-request-id' };
    },
    batch: openaiBatches,
    ...options,
  });
}
