/** The error for requests that the engine cannot handle. */
import { PolyphonyError } from 'polyphony/kit';

/** Environment variables that register a provider with language models. */
const MODEL_KEYS = [
  'OPENAI_API_KEY',
  'ANTHROPIC_API_KEY',
  'GOOGLE_API_KEY',
  'GEMINI_API_KEY',
  'MISTRAL_API_KEY',
  'DEEPSEEK_API_KEY',
  'DASHSCOPE_API_KEY',
  'TOGETHER_API_KEY',
  'OPENROUTER_API_KEY',
  'GROQ_API_KEY',
  'XAI_API_KEY',
  'COHERE_API_KEY',
  'PERPLEXITY_API_KEY',
  'AZURE_OPENAI_API_KEY',
  'AWS_BEARER_TOKEN_BEDROCK',
  'OLLAMA_HOST',
] as const;

const CAN =
  'it summarises, lists key terms, classifies into given labels, answers questions from a given text, compares texts and extracts facts';

/** The error `unsupported`, with the reason, what the engine is, and which keys would register a language model. */
export function refusal(reason: string): PolyphonyError {
  const message =
    `${reason} This is the embedded extractive engine, not a language model: ${CAN}. ` +
    `For anything else, set one of these environment variables: ${MODEL_KEYS.join(', ')}.`;
  return new PolyphonyError('unsupported', message, { details: { engine: 'embedded', keys: [...MODEL_KEYS] } });
}
