/** The port between the moderation layer and a classifier of texts. */
import type { Call, Gateway } from 'polyphony/kit';

export interface Finding {
  readonly category: string;
  /** Offsets in the judged text; both or neither. Without offsets the finding covers the whole text. */
  readonly start?: number;
  readonly end?: number;
}

export interface ClassifierContext {
  readonly call: Call;
  readonly gateway: Gateway;
  readonly direction: 'input' | 'output';
  /** The character before the text, judged earlier: shows whether the text begins within a word. Empty at the beginning. */
  readonly before: string;
}

export interface Classifier {
  readonly name: string;
  classify(text: string, context: ClassifierContext): readonly Finding[] | Promise<readonly Finding[]>;
  /**
   * How many characters at the end of an unfinished text may be the beginning of a finding; they are
   * held back until more text arrives. @default the layer's `overlap`
   */
  pending?(text: string, context: Pick<ClassifierContext, 'before'>): number;
}
