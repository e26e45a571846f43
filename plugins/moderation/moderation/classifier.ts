/** The port between the moderation layer and whoever judges a text. */
import type { Call, Gateway } from 'polyphony/kit';

export interface Finding {
  readonly category: string;
  /** Where it stands in the judged text; both or neither. Without a place the whole text is meant. */
  readonly start?: number;
  readonly end?: number;
}

export interface ClassifierContext {
  readonly call: Call;
  readonly gateway: Gateway;
  readonly direction: 'input' | 'output';
  /** The character before the text, judged earlier: tells whether the text begins within a word. Empty at the beginning. */
  readonly before: string;
}

export interface Classifier {
  readonly name: string;
  classify(text: string, context: ClassifierContext): readonly Finding[] | Promise<readonly Finding[]>;
  /**
   * How many characters at the end of an unfinished text may be the beginning of something that it would find; they are
   * held back until more is known. @default the layer's `overlap`
   */
  pending?(text: string, context: Pick<ClassifierContext, 'before'>): number;
}
