/** The texts of a prompt that the plan itself holds: all that an exact tokenizer can count before the run. */
import type { TokenCounts } from '../../core/plan/validation.ts';
import { roughTokens } from './tokens.ts';

export class WrittenTexts {
  /** By the estimate, which the input of the node contains. */
  tokens = 0;
  readonly #texts: string[] = [];
  /** One tokenizer counts for many models. */
  readonly #counts = new Map<TokenCounts, number | undefined>();

  add(text: string): void {
    this.#texts.push(text);
    this.tokens += roughTokens(text);
  }

  /** Undefined where the tokenizer fails. */
  countedBy(counter: TokenCounts): number | undefined {
    if (!this.#counts.has(counter)) this.#counts.set(counter, counter.count(this.#texts));
    return this.#counts.get(counter);
  }
}
