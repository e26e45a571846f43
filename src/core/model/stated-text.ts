/** Ids and names that endpoints state. */
import { firstOf } from '../json/cut-text.ts';
import { scrubText } from '../scrub.ts';

/** They are never longer than that. */
const MAX_CHARACTERS = 200;

/** The text without secrets and at most 200 characters long; undefined for what is no text, or empty. */
export const statedText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? firstOf(scrubText(value), MAX_CHARACTERS) : undefined;
