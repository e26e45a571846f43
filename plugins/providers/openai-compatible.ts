/**
 * Any server with a chat-completions API: vLLM, LM Studio, llama.cpp, LiteLLM, a proxy of your own.
 * The plugin reads POLYPHONY_BASE_URL with POLYPHONY_API_KEY, or else OPENAI_BASE_URL with OPENAI_API_KEY, and
 * POLYPHONY_MODELS, a comma-separated list of model ids.
 */
import {
  type ChatCompletionsProviderOptions,
  chatCompletionsProvider,
  definePlugin,
  PolyphonyError,
  type Provider,
} from 'polyphony/kit';

export { type ChatCompletionsQuirks, chatCompletionsWire } from 'polyphony/kit';

export type OpenAICompatibleOptions = Omit<ChatCompletionsProviderOptions, 'id'> & {
  /** The first half of `provider/model`. @default 'openai-compatible' */
  readonly id?: string;
};

/** @throws invalid-config when the id is malformed */
export function openaiCompatible(options: OpenAICompatibleOptions): Provider {
  return chatCompletionsProvider({ id: 'openai-compatible', ...options });
}

/** The server that the environment names. */
function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): Provider {
  // The key of one base URL is never sent to the other.
  const apiKey = environment.POLYPHONY_BASE_URL ? environment.POLYPHONY_API_KEY : environment.OPENAI_API_KEY;
  return openaiCompatible({
    baseURL: () => {
      const baseURL = environment.POLYPHONY_BASE_URL || environment.OPENAI_BASE_URL;
      if (baseURL) return baseURL;
      throw new PolyphonyError(
        'invalid-config',
        'There is no server: set POLYPHONY_BASE_URL, such as http://localhost:8000/v1.',
      );
    },
    models: (environment.POLYPHONY_MODELS ?? '').split(',').flatMap((id) => id.trim() || []),
    ...(apiKey ? { apiKey } : {}),
  });
}

export default definePlugin({ name: 'openai-compatible', providers: [fromEnvironment(process.env)] });
