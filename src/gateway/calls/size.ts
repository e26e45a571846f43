/**
 * The size of a request in tokens: a cheap upper bound first, the exact estimate only if the decision depends on it.
 * A token of every byte-level vocabulary covers at least one byte, so the number of bytes is an upper bound.
 */
import { estimateTokenCount } from 'tokenx';
import { shown } from '../../core/checked-options.ts';
import { newList } from '../../core/lists.ts';
import type { ChatRequest, MediaSource, Message, ModelRequest, Part } from '../../core/model/model.ts';
import { isThenable } from '../../core/user-code/guarded-listener.ts';
import { ignorePromises } from '../../core/user-code/ignored-promises.ts';
import { thrownText } from '../../core/user-code/thrown-text.ts';

export interface RequestSize {
  /** Never below the provider's count for text; media count as generous constants. */
  readonly upperTokens: number;
  /** A quarter of the bytes: precise enough to compare prices. */
  readonly roughTokens: number;
  /** The estimate of the default tokeniser, computed once on demand. */
  exactTokens(): number;
  /** By an exact tokenizer, once for each; undefined where it fails. */
  countedTokens(counter: TokenCounter): number | undefined;
  readonly images: number;
  /** The longest of the texts that a model reads one by one, so that only each of them has to fit; undefined for a chat. */
  readonly longest: string | undefined;
}

/** The tokens of roles, separators and a hidden preamble, per message and per request. */
const MESSAGE_OVERHEAD = 16;
const REQUEST_OVERHEAD = 32;
/** Tokens per image in full detail, and per base64 byte of other media, at the expensive end of price lists. */
const IMAGE_TOKENS = 2000;
const MEDIA_TOKENS_PER_BYTE = 0.25;
const REMOTE_MEDIA_TOKENS = 10_000;

/** Tokenizers take the square of the length of a word. */
const PIECE = 2048;
/** Of longer requests every second, third … piece is counted for all. */
const MOST_COUNTED = 262_144;

/** The tokenizer of a plugin, within bounds: it is asked for pieces, and what is no count of tokens is not believed. */
export class TokenCounter {
  readonly #countOf: (text: string) => unknown;
  readonly #warn: (problem: string) => void;
  #hasWarned = false;

  constructor(countOf: (text: string) => unknown, warn: (problem: string) => void) {
    this.#countOf = countOf;
    this.#warn = warn;
  }

  /** Of all texts together; undefined where the tokenizer fails. */
  count(texts: readonly string[]): number | undefined {
    let total = 0;
    for (const text of texts) total += text.length;
    const stride = Math.max(1, Math.ceil(total / MOST_COUNTED));
    let [tokens, counted, piece] = [0, 0, 0];
    for (const text of texts) {
      for (let start = 0; start < text.length; piece += 1) {
        const end = endOfPiece(text, start);
        if (piece % stride === 0) {
          const known = this.#piece(text.slice(start, end));
          if (known === undefined) return undefined;
          tokens += known;
          counted += end - start;
        }
        start = end;
      }
    }
    return counted === 0 ? 0 : Math.ceil((tokens * total) / counted);
  }

  #piece(text: string): number | undefined {
    let count: unknown;
    try {
      count = this.#countOf(text);
    } catch (error) {
      return this.#failed(`failed (${thrownText(error)})`);
    }
    // A token covers at least a byte, and every text takes one.
    if (typeof count === 'number' && count > 0 && count <= Buffer.byteLength(text)) return count;
    // What it rejects with later would end the process.
    ignorePromises(count);
    return this.#failed(
      `returned ${isThenable(count) ? 'a promise, but has to count at once,' : shown(count)} for ${text.length} characters`,
    );
  }

  #failed(problem: string): undefined {
    if (!this.#hasWarned) this.#warn(problem);
    this.#hasWarned = true;
  }
}

/** Before a space where there is one: words and their spaces are one token. */
function endOfPiece(text: string, start: number): number {
  const end = start + PIECE;
  if (end >= text.length) return text.length;
  const space = text.lastIndexOf(' ', end);
  return space > start + PIECE / 2 ? space : end;
}

/** A class, and so is what is made from it: see docs/decisions/objects-of-a-call.md. */
class Measure {
  bytes = 0;
  media = 0;
  messages = 0;
  images = 0;
  readonly texts = newList<string>();
}

class Counts {
  exact: number | undefined = undefined;
  readonly byCounter = new Map<TokenCounter, number | undefined>();
}

/** By request: it may be measured twice, which is cheap, but its text is counted once. */
const counts = new WeakMap<ModelRequest, Counts>();

function countsOf(request: ModelRequest): Counts {
  const known = counts.get(request);
  if (known !== undefined) return known;
  const made = new Counts();
  counts.set(request, made);
  return made;
}

class MeasuredSize implements RequestSize {
  readonly upperTokens: number;
  readonly roughTokens: number;
  readonly images: number;
  readonly longest: string | undefined;
  readonly #measure: Measure;
  readonly #request: ModelRequest;

  constructor(request: ModelRequest, measure: Measure, longest: string | undefined) {
    this.upperTokens = measure.bytes + measure.media + overheadOf(measure);
    this.roughTokens = Math.ceil(measure.bytes / 4) + measure.media + measure.messages * 4;
    this.images = measure.images;
    this.longest = longest;
    this.#measure = measure;
    this.#request = request;
  }

  exactTokens(): number {
    const { texts, media } = this.#measure;
    const known = countsOf(this.#request);
    known.exact ??= texts.reduce((sum, text) => sum + estimateTokenCount(text), media + overheadOf(this.#measure) / 4);
    return Math.ceil(known.exact);
  }

  countedTokens(counter: TokenCounter): number | undefined {
    const { byCounter } = countsOf(this.#request);
    if (byCounter.has(counter)) return byCounter.get(counter);
    const { texts, media } = this.#measure;
    const counted = counter.count(texts);
    const tokens = counted === undefined ? undefined : Math.ceil(counted + media + overheadOf(this.#measure) / 4);
    byCounter.set(counter, tokens);
    return tokens;
  }
}

const overheadOf = ({ messages }: Measure): number => REQUEST_OVERHEAD + messages * MESSAGE_OVERHEAD;

const toolBytes = new WeakMap<object, string>();

/** JSON of tools and schemas, cached by reference, because callers pass the same objects repeatedly. */
function jsonOf(value: object): string {
  const known = toolBytes.get(value);
  if (known !== undefined) return known;
  const text = JSON.stringify(value);
  toolBytes.set(value, text);
  return text;
}

export function sizeOf(request: ModelRequest): RequestSize {
  const measure = new Measure();
  if (request.operation === 'chat') measureChat(measure, request);
  else measureOther(measure, request);
  const reads = request.operation !== 'chat' && request.operation !== 'image';
  return new MeasuredSize(request, measure, reads ? longestOf(measure.texts) : undefined);
}

function longestOf(texts: readonly string[]): string {
  let longest = '';
  for (const text of texts) if (text.length > longest.length) longest = text;
  return longest;
}

function measureOther(measure: Measure, request: Exclude<ModelRequest, ChatRequest>): void {
  switch (request.operation) {
    case 'embed':
      for (const text of request.input) addText(measure, text);
      return;
    case 'image':
      addText(measure, request.prompt);
      addText(measure, request.negativePrompt ?? '');
      measure.images = request.count ?? 1;
      return;
    case 'moderate':
      for (const part of request.input) measurePart(measure, part);
      return;
    case 'rerank':
      // The query is read once with every document.
      for (const document of request.documents) addText(measure, request.query + document);
      return;
  }
}

function measureChat(measure: Measure, request: ChatRequest): void {
  for (const message of request.messages) measureMessage(measure, message);
  if (request.tools !== undefined) addText(measure, jsonOf(request.tools));
  if (request.output?.schema !== undefined) addText(measure, jsonOf(request.output.schema));
}

function measureMessage(measure: Measure, message: Message): void {
  measure.messages += 1;
  if (typeof message.content === 'string') addText(measure, message.content);
  else for (const part of message.content) measurePart(measure, part);
}

function addText(measure: Measure, text: string): void {
  measure.bytes += Buffer.byteLength(text);
  measure.texts.push(text);
}

function measurePart(measure: Measure, part: Part): void {
  switch (part.type) {
    case 'text':
      addText(measure, part.text);
      return;
    case 'reasoning':
      addText(measure, part.text + (part.signature ?? '') + (part.redacted ?? ''));
      return;
    case 'tool-call':
      addText(measure, part.name + (part.raw ?? JSON.stringify(part.arguments)));
      return;
    case 'tool-result':
      if (typeof part.content === 'string') addText(measure, part.content);
      else for (const inner of part.content) measurePart(measure, inner);
      return;
    case 'image':
      measure.media += IMAGE_TOKENS;
      return;
    default:
      measure.media += mediaTokens(part.source);
  }
}

function mediaTokens(source: MediaSource): number {
  const data = source.type === 'base64' ? source.data : source.url.startsWith('data:') ? source.url : undefined;
  return data === undefined ? REMOTE_MEDIA_TOKENS : Math.ceil(data.length * MEDIA_TOKENS_PER_BYTE);
}
