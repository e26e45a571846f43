/**
 * OpenAI over chat completions, embeddings, images and moderation; `api: 'responses'` uses the Responses API for chats.
 * Key: OPENAI_API_KEY, read at each request.
 */
import { definePlugin } from 'polyphony/kit';
import { openai } from './openai/provider.ts';

export { type OpenAIOptions, openai } from './openai/provider.ts';

export default definePlugin({ name: 'openai', providers: [openai()] });
