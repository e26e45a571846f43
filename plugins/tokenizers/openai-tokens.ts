/**
 * Exact counts for the models of OpenAI whose encoding is public (`o200k_base`). A stated limit, a window or a cap is then held against
 * what the provider counts, before it has answered once.
 *
 * Needs the package "gpt-tokenizer".
 */
import { definePlugin, type Plugin, PolyphonyError } from 'polyphony/kit';

export interface OpenAITokensOptions {
  /** Names of models that use the encoding; `*` stands for any characters. @default the families of which that is known */
  readonly models?: readonly string[];
}

/** As the tables of tiktoken have them (github.com/openai/tiktoken, tiktoken/model.py). Nothing is known of later models. */
const KNOWN = ['o1*', 'o3*', 'o4-mini*', 'gpt-5*', 'gpt-4.5-*', 'gpt-4.1*', 'chatgpt-4o-*', 'gpt-4o*', 'gpt-oss-*'];

/** What looks like a special token stands for itself in a message. */
const AS_TEXT = { disallowedSpecial: new Set<string>() };

/** @throws invalid-config when `models` is no list of names */
export function openaiTokens({ models = KNOWN }: OpenAITokensOptions = {}): Plugin {
  if (!areNames(models)) {
    const message = `openaiTokens: models is ${JSON.stringify(models)}; give a list of one or more names, such as ["gpt-4o*"], or leave it out.`;
    throw new PolyphonyError('invalid-config', message);
  }
  return definePlugin({
    name: 'openai-tokens',
    async setup() {
      const { countTokens } = await encoding();
      const count = (text: string): number => countTokens(text, AS_TEXT);
      return { tokenizers: Object.fromEntries(models.map((name) => [name, count])) };
    },
  });
}

const areNames = (models: unknown): boolean =>
  Array.isArray(models) && models.length > 0 && models.every((name) => typeof name === 'string' && name.trim() !== '');

/** The package is an optional peer dependency, of 30 MB. */
async function encoding(): Promise<typeof import('gpt-tokenizer/encoding/o200k_base')> {
  try {
    return await import('gpt-tokenizer/encoding/o200k_base');
  } catch (error) {
    const message =
      'Counts of OpenAI tokens need the package "gpt-tokenizer", which cannot be loaded: install it (npm i gpt-tokenizer).';
    throw new PolyphonyError('invalid-config', message, { cause: error });
  }
}

/** For configs that load the plugin by its path. */
export default (options?: OpenAITokensOptions) => openaiTokens(options);
