/** Keys as they can be sent: environment files and copies add newlines, spaces and byte order marks. */
import { PolyphonyError } from '../../core/errors.ts';

/** Reads the keys without white space around them and without the empty ones. Returns the list itself if all are clean. */
export function cleanKeys(read: () => readonly string[]): () => readonly string[] {
  return () => {
    const given = read();
    for (const key of given) if (key === '' || key.trim() !== key) return given.map(trimmed).filter(Boolean);
    return given;
  };
}

const trimmed = (key: string): string => key.trim();

/** @throws invalid-credential, without the key, for one that a header cannot carry */
export function assertSendable(key: string, name: string): void {
  for (let at = 0; at < key.length; at += 1) {
    const code = key.charCodeAt(at);
    if (code > 0x20 && code < 0x7f) continue;
    const found = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
    throw new PolyphonyError(
      'invalid-credential',
      `The API key "${name}" has the character ${found} at position ${at + 1} of ${key.length}, which no key contains and no header carries: copy the key again, without quotes, dashes or spaces that an editor changed.`,
    );
  }
}
