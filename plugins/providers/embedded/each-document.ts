/** Requests that want a result for each document, not one for all. */
const KINDS =
  '(?:files?|documents?|texts?|notes?|reports?|letters?|e-?mails?|reviews?|tickets?|articles?|messages?|pages?)';
const EACH = new RegExp(
  `(?<!\\p{L})(?:(?:each|every|per|both|all)\\s+(?:one\\s+)?(?:of\\s+)?(?:the\\s+|these\\s+)?(?:\\p{L}+\\s+){0,1}?(?:${KINDS}|of them)(?:\\s+(?:separately|individually|on its own))?|one by one|separately|individually|(?:file|document) by (?:file|document)|(?:pro|je|für jede[sn]?|jede[rsn]?|in jede[mr])\\s+(?:datei|text|dokument|notiz|brief)|einzeln|(?:par|pour chaque|chaque|dans chaque)\\s+(?:fichier|texte|document)|(?:por|para cada|cada|en cada)\\s+(?:archivo|fichero|texto|documento)|(?:per ogni|ogni|per)\\s+(?:file|testo|documento))(?!\\p{L})`,
  'iu',
);
/** All of them at once: only a word such as "each" separates them. */
const ALL = /(?<!\p{L})all\s/iu;

/** True for `for each file`, `per document`, `jede Datei`, `chaque fichier`. */
export function asksEach(instruction: string): boolean {
  const match = EACH.exec(instruction.slice(0, 5000))?.[0];
  return match !== undefined && !(ALL.test(match) && !/separately|individually/i.test(match));
}
