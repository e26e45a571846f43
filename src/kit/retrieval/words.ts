/** The words of a text, as they are compared: composed, in lower case, without marks. Scripts without spaces by pairs. */

const WORD = /[\p{L}\p{N}]+/gu;
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const MARKS = /\p{M}+/gu;
const MAX_WORD = 64;

export function* wordsOf(text: string): Generator<string> {
  const plain = text.normalize('NFKD').replace(MARKS, '').toLowerCase();
  for (const [word] of plain.matchAll(WORD)) {
    if (!UNSPACED.test(word)) {
      yield word.slice(0, MAX_WORD);
      continue;
    }
    const characters = [...word];
    if (characters.length === 1) yield word;
    for (let at = 0; at + 1 < characters.length; at += 1) yield `${characters[at]}${characters[at + 1]}`;
  }
}
