/**
 * Any server with a chat-completions API: vLLM, LM Studio, llama.cpp, LiteLLM, a proxy of your own.
 * The plugin reads POLYPHONY_BASE_URL with POLYPHONY_API_KEY, or else OPENAI_BASE_URL with OPENAI_API_KEY, and
 * POLYPHONY_MODELS, a comma-separated list of model ids. A server on this machine is asked for its models and their windows;
 * POLYPHONY_FREE=1 says that they cost nothing.
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
  const addressOf = (): string | undefined => environment.POLYPHONY_BASE_URL || environment.OPENAI_BASE_URL;
  const apiKey = environment.POLYPHONY_BASE_URL ? environment.POLYPHONY_API_KEY : environment.OPENAI_API_KEY;
  return openaiCompatible({
    baseURL: () => {
      const baseURL = addressOf();
      if (baseURL) return baseURL;
      throw new PolyphonyError(
        'invalid-config',
        'There is no server: set POLYPHONY_BASE_URL, such as http://localhost:8000/v1.',
      );
    },
    models: (environment.POLYPHONY_MODELS ?? '').split(',').flatMap((id) => id.trim() || []),
    // Whoever names a loopback address in the environment means a server on this machine.
    local: () => isLoopback(addressOf()),
    free: () => /^(?:1|true|yes)$/i.test(environment.POLYPHONY_FREE ?? ''),
    ...(apiKey ? { apiKey } : {}),
  });
}

function isLoopback(address: string | undefined): boolean {
  const host = /^https?:\/\/(?:[^/?#@]*@)?(\[[^\]]*\]|[^/:?#]*)/i.exec(address ?? '')?.[1]?.toLowerCase() ?? '';
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

export default definePlugin({ name: 'openai-compatible', providers: [fromEnvironment(process.env)] });
