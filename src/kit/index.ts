/** polyphony/kit: for authors of plugins and providers. */

export { SuspendRun } from '../core/engine.ts';
export { abortError, asPolyphonyError, errorRecord } from '../core/errors.ts';
export { compose } from '../core/model.ts';
export { formatUsd, nanoToUsd, usdToNano } from '../core/money.ts';
export { costOf, type PriceSpan, type PriceTerms, worstCostOf } from '../core/price.ts';
export { collect, replay, textOf } from '../core/response.ts';
export { type AnswerOptions, answerEvents, type BodyDecoder, parseDocument, readJson } from './answer.ts';
export { apiKeysOf } from './api-keys.ts';
export { aspectRatioOf, nearestShape } from './aspect-ratio.ts';
export { citationsOf, logprobsOf } from './chat-completions/decode-extras.ts';
export { mediaURL } from './chat-completions/encode-messages.ts';
export {
  type ChatCompletionsProviderOptions,
  type ChatCompletionsVendorOptions,
  chatCompletionsProvider,
} from './chat-completions/provider.ts';
export type { ChatCompletionsQuirks } from './chat-completions/quirks.ts';
export { usageOf } from './chat-completions/usage.ts';
export { authorisation, chatCompletionsWire } from './chat-completions/wire.ts';
export { sleep, systemClock, systemIds, systemRandom, systemRuntime } from './clock.ts';
export { closedSchema } from './closed-schema.ts';
export {
  type AnswerEnding,
  type AnswerState,
  answerState,
  type DocumentReader,
  decodeAnswer,
  decodeBody,
  finishAnswer,
  usageMissing,
} from './decode-answer.ts';
export { finishReason } from './finish-reason.ts';
export { failureOf, type HttpFailure, httpError, impliedStatus, readFailure } from './http-errors.ts';
export { type HttpProviderOptions, httpProvider } from './http-provider.ts';
export { imageWire } from './image-wire.ts';
export { asList, asNumber, asRecord, asText, defined, type JsonRecord, tryParseJson } from './json-shape.ts';
export { type ExtractedJson, extractJson, schemaInstruction } from './json-text.ts';
export {
  dropOptionalNulls,
  type JsonIssue,
  type JsonValidation,
  resolvePointer,
  validateJson,
} from './json-validation.ts';
export { type InlineMedia, inlineMedia } from './media.ts';
export { CHAT_CAPABILITIES, type ModelCardFields, modelCard } from './model-card.ts';
export { parseRateLimits, parseReset, parseRetryAfter } from './rate-limits.ts';
export { type ResponsesWireOptions, responsesWire, wireByCard } from './responses/wire.ts';
export { type DialectResult, type SchemaDialect, toDialect } from './schema-dialects.ts';
export { rememberSecret } from './scrub.ts';
export * from './testing.ts';
export { estimateRequestTokens, estimateTokens } from './tokens.ts';
export { type ToolCallAssembler, type ToolCallPiece, toolCallAssembler } from './tool-calls.ts';
export { cardsOf, type VendorOptions } from './vendor-options.ts';
