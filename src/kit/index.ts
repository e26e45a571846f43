/**
 * polyphony/kit: everything that the author of a plugin imports. Fakes and conformance suites for tests are in
 * polyphony/testing.
 */

// ---------------------------------------------------------------------------------------------------- plugins, errors, money

export type * from '../core/clock.ts';
export type { ConfigInput as Config } from '../core/config/config-input.ts';
export type { ErrorCode, ErrorRecord, PolyphonyErrorOptions } from '../core/errors.ts';
export { abortError, asPolyphonyError, errorRecord, PolyphonyError } from '../core/errors.ts';
export type * from '../core/gateway.ts';
export { firstOf, lastOf } from '../core/json/cut-text.ts';
export { append } from '../core/lists.ts';
export type * from '../core/model/model.ts';
export type * from '../core/model/provider.ts';
export { timeLeftMs } from '../core/model/time-left.ts';
export { formatUsd, nanoToUsd, usdToNano } from '../core/money/money.ts';
export { costOf, type PriceTerms, worstCostOf } from '../core/money/price.ts';
export type * from '../core/money/token-price.ts';
export { type JoinedSignal, joinedSignal, onAbort } from '../core/on-abort.ts';
export type * from '../core/plan/planner.ts';
export type * from '../core/plan/validation.ts';
export type * from '../core/plugin.ts';
export { definePlugin } from '../core/plugin.ts';
export type * from '../core/run/engine.ts';
export { SuspendRun } from '../core/run/engine.ts';
export { rememberSecret } from '../core/scrub.ts';
export type * from '../core/stores/passages.ts';
export type * from '../core/stores.ts';
export { defineTool, type ToolDefinitionOptions } from './define-tool.ts';

// ---------------------------------------------------------------------------------------------------- layers: observe, read and replay streams

export { collect, replay, textOf } from '../core/model/response.ts';
export { sleep, systemClock } from '../system/clock.ts';
export { globMatches } from '../system/glob.ts';
export { type Secret, secretOf } from '../system/secret.ts';
export { observe, type StreamControl, type StreamEnding, type StreamObserver } from './streams/observe.ts';

// ---------------------------------------------------------------------------------------------------- providers over HTTP

export type { BatchHttp, BatchLine, BatchWire, EncodedBatch, EncodedCall } from './batches/batch-wire.ts';
export { type FileBatchOptions, fileBatches } from './batches/file-batches.ts';
export { httpBatches } from './batches/http-batches.ts';
export { jsonLines } from './batches/json-lines.ts';
export { apiKeysOf } from './http/api-keys.ts';
export { failureOf, type HttpFailure, httpError, impliedStatus, readFailure } from './http/http-errors.ts';
export { type HttpProviderOptions, httpProvider, type ListingContext } from './http/http-provider.ts';
export { parseRateLimits, parseReset, parseRetryAfter } from './http/rate-limits.ts';
export { cardsOf, type VendorOptions } from './http/vendor-options.ts';
export { assumedStrengths, CHAT_CAPABILITIES, type ModelCardFields, modelCard } from './models/model-card.ts';
export { estimateRequestTokens, estimateTokens } from './models/tokens.ts';

// ---------------------------------------------------------------------------------------------------- JSON that is not trusted

export {
  asCount,
  asList,
  asNumber,
  asRecord,
  asText,
  type Defined,
  defined,
  type JsonRecord,
  tryParseJson,
} from './json/json-shape.ts';
export { type ExtractedJson, extractJson, schemaInstruction } from './json/json-text.ts';
export { type JsonIssue, type JsonValidation, resolvePointer, validateJson } from './json/json-validation.ts';
export { withoutPatterns } from './json/own/without-patterns.ts';
export { type DialectResult, type SchemaDialect, toDialect } from './json/schema-dialects.ts';
export { sendableJson } from './json/sendable-json.ts';
export { type ToolSchema, toolSchema } from './json/tool-schema.ts';

// ---------------------------------------------------------------------------------------------------- a wire of your own: requests

export { withAnswerMedia } from './requests/answer-media.ts';
export { cleanRequest } from './requests/clean-request.ts';
export { type InlineMedia, inlineMedia } from './requests/media.ts';
export { mergeFields, withProviderOptions } from './requests/provider-options.ts';
export { typedTool } from './requests/provider-tools.ts';
export { type RenamedTools, renamedTools, USUAL_TOOL_NAMES } from './requests/tool-names.ts';
export { aspectRatioOf, nearestShape } from './wires/aspect-ratio.ts';
export { mediaURL } from './wires/chat-completions/encode-messages.ts';
export { closedSchema } from './wires/closed-schema.ts';
export { asVector } from './wires/vectors.ts';

// ---------------------------------------------------------------------------------------------------- a wire of your own: answers

export { parseDocument, readJson } from './http/answer.ts';
export {
  type AnswerEnding,
  type AnswerState,
  answerState,
  type DocumentReader,
  decodeAnswer,
  finishAnswer,
  textIn,
  usageMissing,
} from './http/decode-answer.ts';
export { argumentsObject } from './requests/tool-arguments.ts';
export { type BodyDecoder, type BodyState, decodeBody } from './streams/answer-body.ts';
export { boundOf, ownOptions, ownTools, responsesSearches } from './wires/billed-searches.ts';
export { firstCount, laterCounts } from './wires/counts.ts';
export { finishReason } from './wires/finish-reason.ts';
export { imageWire } from './wires/image-wire.ts';
export { type ToolCallAssembler, type ToolCallPiece, toolCallAssembler } from './wires/tool-calls.ts';

// ---------------------------------------------------------------------------------------------------- ready-made wires

export {
  type ChatCompletionsProviderOptions,
  type ChatCompletionsVendorOptions,
  chatCompletionsProvider,
} from './wires/chat-completions/provider.ts';
export type { ChatCompletionsQuirks } from './wires/chat-completions/quirks.ts';
export { chatCompletionsWire } from './wires/chat-completions/wire.ts';
export { type ResponsesWireOptions, responsesWire, wireByCard } from './wires/responses/wire.ts';

// ---------------------------------------------------------------------------------------------------- passages: to rank texts for a query

export { PASSAGE_NAME_LENGTH, searchableText } from '../core/stores/passages.ts';
export {
  joinedRankings,
  type Ranked,
  rankByVectors,
  rankByWords,
  type WordIndex,
  wordIndex,
} from './retrieval/rank.ts';
