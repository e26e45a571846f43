/**
 * Texts in the shape of a vendor's key, a header's token, a signed token, a private key or the password of an address.
 *
 * A key is told from a name by its pieces: names of models, files and tools are words, numbers and short parts between
 * separators ("key-of-the-node-2"), while something random has at least one long piece.
 */

/** Followed by `[-_A-Za-z0-9]`, where a name may begin in the same way. */
const PREFIXED = '(?:sk-(?=[A-Za-z0-9])|(?:glpat|pplx|csk|key|pa|pcsk|tvly)-|xox[abeoprs]-)[-_A-Za-z0-9]{8,}';
const HEADER = '(?:[Bb]earer|[Bb]asic)\\s+[-._~+/A-Za-z0-9]{8,}=*';
const CERTAIN = [
  '(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{8,}',
  '(?:gsk|hf|r8|fw|npm|ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{16,}',
  'github_pat_[A-Za-z0-9_]{16,}',
  'A[KS]IA[0-9A-Z]{12,}',
  'AIza[-_A-Za-z0-9]{16,}',
  'ya29\\.[-_A-Za-z0-9]{8,}',
  // A signed token, and its beginning.
  'eyJ[-_A-Za-z0-9]{8,}(?:\\.[-_A-Za-z0-9]+){1,2}',
].join('|');
const PRIVATE_KEY = '-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?';
/** What comes before the secret of an address stays: the name of a field of the query, or the user. */
const QUERY = '([?&](?:key|api[-_]?key|access[-_]?token|token|sig|signature)=)[^&\\s"\'\\\\]+';
const PASSWORD = '(:\\/\\/[^\\s/?#@:"\'\\\\]*:)[^\\s/?#"\'\\\\]+(?=@)';
/** No lookahead over what a key consists of: each character is read once, however often a prefix is repeated. */
const SECRET_TEXT = new RegExp(`\\b(?:(${PREFIXED})|(${HEADER})|${CERTAIN})|${PRIVATE_KEY}|${QUERY}|${PASSWORD}`, 'g');

const SEPARATORS = /[-_.~+/\\:\s]+/;
const PIECE_OF_A_NAME = /^(?:[A-Z]?[a-z]{1,14}(?:[A-Z][a-z]{1,13}){0,3}|[A-Z]{1,14}|[A-Za-z0-9]{1,7}|\d{8})?$/;
const SCHEME = /^\w+\s+/;
const AFTER_ITS_NAME = /authorization["'\\\s]{0,8}[:=]["'\\\s]{0,8}$/i;
const NAME_CHARACTERS = 32;
/** A user and a password, as the scheme "Basic" joins them before it encodes them. */
const USER_AND_PASSWORD = /^[^\p{Cc}]+:[^\p{Cc}]+$/u;

/** Words, numbers and short parts only, so that no piece is long enough to be a key. */
export const consistsOfNames = (text: string): boolean =>
  text.split(SEPARATORS).every((piece) => PIECE_OF_A_NAME.test(piece));

const isUserAndPassword = (base64: string): boolean =>
  USER_AND_PASSWORD.test(Buffer.from(base64, 'base64').toString('latin1'));

function isHeader(text: string, before: string): boolean {
  const value = text.replace(SCHEME, '');
  return !consistsOfNames(value) || AFTER_ITS_NAME.test(before) || (/^basic/i.test(text) && isUserAndPassword(value));
}

export function removeSecretShapes(text: string, replacement: string): string {
  return text.replace(
    SECRET_TEXT,
    (match: string, key?: string, header?: string, query?: string, user?: string, offset = 0) => {
      if (key !== undefined && consistsOfNames(key)) return match;
      const before = header === undefined ? '' : text.slice(Math.max(0, offset - NAME_CHARACTERS), offset);
      if (header !== undefined && !isHeader(header, before)) return match;
      return `${query ?? user ?? ''}${replacement}`;
    },
  );
}
