/** What a chat asks, as rules and classifiers read it: the last message of the user, bounded, and what follows from it on demand. */
import type { ChatRequest, Message, Part } from '../../core/model/model.ts';
import { wordsOf } from '../../kit/retrieval/words.ts';
import { languageOf } from './language.ts';

/** Characters of the beginning, and as many of the end: where a request says what it wants. */
const HALF = 2000;
/** Parts of a message that are read. */
const MOST_PARTS = 64;

export interface AskedText {
  readonly request: ChatRequest;
  /** At most 4001 characters. */
  readonly text: string;
  readonly words: readonly string[];
  /** The words between spaces, so that phrases are found as whole words. */
  readonly spaced: string;
  /** BCP 47, undefined where it cannot be told. */
  readonly language: string | undefined;
}

/** A class, so that what nobody asks for is not computed, and what is asked for only once. */
class LazyText implements AskedText {
  readonly request: ChatRequest;
  readonly text: string;
  #words: readonly string[] | undefined;
  #spaced: string | undefined;
  #language: { readonly tag: string | undefined } | undefined;

  constructor(request: ChatRequest) {
    this.request = request;
    this.text = bounded(contentOf(lastOfUser(request)));
  }

  get words(): readonly string[] {
    this.#words ??= [...wordsOf(this.text)];
    return this.#words;
  }

  get spaced(): string {
    this.#spaced ??= ` ${this.words.join(' ')} `;
    return this.#spaced;
  }

  get language(): string | undefined {
    this.#language ??= { tag: languageOf(this.text)?.tag };
    return this.#language.tag;
  }
}

export const askedText = (request: ChatRequest): AskedText => new LazyText(request);

export const lastOfUser = ({ messages }: ChatRequest): Message | undefined =>
  messages.findLast(({ role }) => role === 'user');

function contentOf(message: Message | undefined): string {
  if (message === undefined) return '';
  if (typeof message.content === 'string') return message.content;
  const texts = message.content
    .slice(0, MOST_PARTS)
    .map((part: Part) => (part.type === 'text' ? bounded(part.text) : ''));
  return texts.filter((text) => text !== '').join('\n');
}

const bounded = (text: string): string =>
  text.length <= 2 * HALF ? text : `${text.slice(0, HALF)}\n${text.slice(-HALF)}`;
