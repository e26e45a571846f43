/** The providers whose keys are in the environment; without any, the embedded one, which needs neither key nor network. */
import type { Plugin } from 'polyphony';

type Environment = Readonly<Record<string, string | undefined>>;
/** A plugin's file exports the plugin, or the function that makes it. */
type Load = () => Promise<{ readonly default: Plugin | (() => Plugin) }>;

/** One line a provider: the variables of which one must be set, and its file. */
const PROVIDERS: readonly { readonly variables: readonly string[]; readonly load: Load }[] = [
  { variables: ['POLYPHONY_BASE_URL', 'OPENAI_BASE_URL'], load: () => import('./openai-compatible.ts') },
  { variables: ['OPENAI_API_KEY'], load: () => import('./openai.ts') },
  { variables: ['ANTHROPIC_API_KEY'], load: () => import('./anthropic.ts') },
  { variables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'], load: () => import('./google.ts') },
];

/** Loads only the files of the providers that it returns. */
export async function providersFromEnvironment(environment: Environment): Promise<readonly Plugin[]> {
  const present = PROVIDERS.filter(({ variables }) => variables.some((name) => environment[name]));
  // A base URL says where the key of the same family belongs: never send it to the vendor's own address as well.
  const chosen = environment.OPENAI_BASE_URL
    ? present.filter(({ variables }) => !variables.includes('OPENAI_API_KEY'))
    : present;
  const loads: readonly Load[] = chosen.length > 0 ? chosen.map(({ load }) => load) : [() => import('./embedded.ts')];
  const modules = await Promise.all(loads.map((load) => load()));
  return modules.map(({ default: plugin }) => (typeof plugin === 'function' ? plugin() : plugin));
}
