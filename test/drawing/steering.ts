/** What could drive a terminal or turn a line around: every control but line ends and tabs, and bidirectional overrides. */
export const STEERING = /[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/u;

/** Starts of the control sequences that a terminal got, spelt so that a pattern can name them: `ESC[2A`. */
export const spelt = (text: string): string => text.replaceAll('\u001b', 'ESC');
