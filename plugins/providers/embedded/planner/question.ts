/** The words around a question that say where to look, which are no part of what is asked. */

const PLACE =
  "(?:in|from|of|per|using|on|see|read|laut|gemäß|nach|aus|im|siehe|lies|vgl\\.?|selon|d['’]après|dans|voir|lis|lire|según|en|de|lee|ver|secondo|leggi|vedi|segundo|volgens)";
const EACH =
  '(?:each|every|all|both)(?:\\s+(?:of\\s+)?(?:the\\s+)?(?:files?|documents?|texts?|notes?|reports?|tickets?|reviews?|letters?|e-?mails?|one))?';
/** A longer question is left as it is. */
const LONGEST = 1000;
const AT_END = new RegExp(
  `(?<!\\p{L})[\\s,;(–-]*(?:(?:answer|reply|tell me|say|do (?:so|this))\\s+)?(?:(?:for|in|from|of|per|pro|je|par|por)\\s+)?(?:${EACH}\\s+)?(?:${PLACE}\\s+){0,3}(?<!(?:according to|based on)\\s)(?:the texts?|${EACH})[\\s).;:]*$`,
  'iu',
);
const AT_START = new RegExp(
  `^(?:(?:for|in|from|of)\\s+${EACH}\\s*(?:${PLACE}\\s+){0,3}(?:the texts?)?\\s*[,:]?\\s*|(?:for|${PLACE})\\s+(?:${EACH}\\s+)?(?:${PLACE}\\s+){0,3}the texts?\\s*[,:]\\s*)`,
  'iu',
);
const INSIDE = new RegExp(`\\s(?:for|in|from)\\s+${EACH}\\s+(?:(?:in|of|from)\\s+)?(?:the texts?\\s+)?`, 'iu');

const NAMED =
  /\s(?:laut|gemäß|according to|based on|selon|d['’]après|según|secondo|segundo|volgens)\s+the texts?(?=\s\S)/giu;

/** The question alone: `Who wrote it? Answer for each file in the text` as `Who wrote it?`. */
export function withoutPlaces(question: string): string {
  if (question.length > LONGEST) return question;
  const start = question.trim().replace(AT_START, '').replace(NAMED, '');
  const mark = /[?？]/.exec(start);
  // Behind a question mark only a place stands, so the question keeps its mark; a question that ends with a place gets it back.
  if (mark !== null && mark.index < start.length - 1) {
    const tail = start.slice(mark.index + 1).trim();
    if (AT_END.test(` ${tail}`) && ` ${tail}`.replace(AT_END, '').trim() === '') return start.slice(0, mark.index + 1);
  }
  const marked = /[?？]\s*$/.test(start);
  const bare = start
    .replace(/[?？\s]+$/, '')
    .replace(AT_END, '')
    .replace(INSIDE, ' ')
    .trim();
  return bare === '' ? question : marked ? `${bare}?` : bare;
}
