/** Which provider of ours answers for which vendor of the recordings, where several vendors share a protocol. */
import type { ModelCard, Provider } from 'polyphony';
import { azureOpenAI } from '../../plugins/providers/azure-openai.ts';
import { deepseek } from '../../plugins/providers/deepseek.ts';
import { groq } from '../../plugins/providers/groq.ts';
import { mistral } from '../../plugins/providers/mistral.ts';
import { openai } from '../../plugins/providers/openai.ts';
import { openrouter } from '../../plugins/providers/openrouter.ts';
import { perplexity } from '../../plugins/providers/perplexity.ts';
import { qwen } from '../../plugins/providers/qwen.ts';
import { together } from '../../plugins/providers/together.ts';
import { xai } from '../../plugins/providers/xai.ts';

interface Given {
  readonly baseURL: string;
  readonly apiKey: string;
  readonly models: readonly ModelCard[];
}
type Api = 'responses' | 'chat-completions';

const VENDORS: Readonly<Record<string, (given: Given, api: Api) => Provider>> = {
  alibaba: qwen,
  'azure-openai': (given, api) => azureOpenAI({ ...given, api }),
  deepseek,
  groq,
  mistral,
  openai: (given, api) => openai({ ...given, api }),
  openrouter,
  perplexity,
  together,
  xai: (given, api) => xai({ ...given, api }),
};

/** Vendors whose provider takes the Responses wire too; those of others are read by the provider of that wire. */
const WITH_RESPONSES: ReadonlySet<string> = new Set(['azure-openai', 'openai', 'xai']);
const SHARED: ReadonlySet<string> = new Set(['openai-chat', 'openai-responses', 'embeddings', 'images', 'moderations']);

/** The vendor's own provider; undefined where the protocol or the vendor has none. */
export function vendorProvider(
  fixture: { readonly protocol: string; readonly provider?: string | undefined },
  baseURL: string,
  model: ModelCard,
): Provider | undefined {
  const { protocol, provider = '' } = fixture;
  if (!SHARED.has(protocol) || !Object.hasOwn(VENDORS, provider)) return undefined;
  const api = protocol === 'openai-responses' ? 'responses' : 'chat-completions';
  if (api === 'responses' && !WITH_RESPONSES.has(provider)) return undefined;
  return VENDORS[provider]?.({ baseURL, apiKey: 'recorded', models: [model] }, api);
}
