/**
 * OpenAI over the Responses API, as a separate provider next to `openai`: reasoning is sent back from turn to turn, the
 * newest models call tools at every effort, summaries of reasoning can be read. `openai({ api: 'responses' })` is the same
 * under the usual name. With `baseURL` and `models` it works with any other server of this API.
 */
import { definePlugin, type Provider } from 'polyphony/kit';
import { type OpenAIOptions, openai } from './openai/provider.ts';

export type OpenAIResponsesOptions = Omit<OpenAIOptions, 'api'>;

/** @throws invalid-config when an option is malformed */
export function openaiResponses(options: OpenAIResponsesOptions = {}): Provider {
  return openai({ id: 'openai-responses', ...options, api: 'responses' });
}

export default definePlugin({ name: 'openai-responses', providers: [openaiResponses()] });
