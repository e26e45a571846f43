/** The providers whose keys are in the environment; without any key, the embedded one, which needs neither key nor network. */
import type { Plugin } from 'polyphony/kit';

type Environment = Readonly<Record<string, string | undefined>>;
/** A plugin's file exports the plugin, or the function that makes it. */
type Load = () => Promise<{ readonly default: Plugin | (() => Plugin) }>;

interface Entry {
  /** At least one of these must be set. */
  readonly variables: readonly string[];
  /** This one must be set as well. */
  readonly also?: string;
  readonly load: Load;
}

/** One line per provider: its variables and its file. */
const PROVIDERS: readonly Entry[] = [
  { variables: ['POLYPHONY_BASE_URL', 'OPENAI_BASE_URL'], load: () => import('./openai-compatible.ts') },
  { variables: ['OPENAI_API_KEY'], load: () => import('./openai.ts') },
  { variables: ['ANTHROPIC_API_KEY'], load: () => import('./anthropic.ts') },
  { variables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'], load: () => import('./google.ts') },
  { variables: ['MISTRAL_API_KEY'], load: () => import('./mistral.ts') },
  { variables: ['DEEPSEEK_API_KEY'], load: () => import('./deepseek.ts') },
  { variables: ['DASHSCOPE_API_KEY'], load: () => import('./qwen.ts') },
  { variables: ['TOGETHER_API_KEY'], load: () => import('./together.ts') },
  { variables: ['OPENROUTER_API_KEY'], load: () => import('./openrouter.ts') },
  { variables: ['GROQ_API_KEY'], load: () => import('./groq.ts') },
  { variables: ['XAI_API_KEY'], load: () => import('./xai.ts') },
  { variables: ['PERPLEXITY_API_KEY'], load: () => import('./perplexity.ts') },
  { variables: ['AZURE_OPENAI_API_KEY'], also: 'AZURE_OPENAI_ENDPOINT', load: () => import('./azure-openai.ts') },
  { variables: ['COHERE_API_KEY'], load: () => import('./cohere.ts') },
  // An AWS access key grants far more than access to models, so it is used only where POLYPHONY_BEDROCK allows it.
  { variables: ['AWS_BEARER_TOKEN_BEDROCK', 'POLYPHONY_BEDROCK'], load: () => import('./bedrock.ts') },
  { variables: ['OLLAMA_HOST'], load: () => import('./ollama.ts') },
  { variables: ['STABILITY_API_KEY'], load: () => import('./stability.ts') },
  { variables: ['REPLICATE_API_TOKEN'], load: () => import('./replicate.ts') },
  { variables: ['FAL_KEY'], load: () => import('./fal.ts') },
];

/**
 * Loads only the files of the providers that it returns. `environment` says which ones; each reads its key and its address from
 * `process.env` when it is asked, so that they can be replaced without a restart.
 */
export async function providersFromEnvironment(environment: Environment): Promise<readonly Plugin[]> {
  const present = PROVIDERS.filter(
    ({ variables, also }) =>
      variables.some((name) => environment[name]) && (also === undefined || Boolean(environment[also])),
  );
  // A base URL states where the key of the same family belongs, so the key is never sent to the vendor's own address too.
  const chosen = environment.OPENAI_BASE_URL
    ? present.filter(({ variables }) => !variables.includes('OPENAI_API_KEY'))
    : present;
  const loads: readonly Load[] = chosen.length > 0 ? chosen.map(({ load }) => load) : [() => import('./embedded.ts')];
  const modules = await Promise.all(loads.map((load) => load()));
  return modules.map(({ default: plugin }) => (typeof plugin === 'function' ? plugin() : plugin));
}
