/** Arithmetic that a request consists of, as an expression for the tool `calculate`: `What is 15% of 240?` as `(15 / 100) * 240`. */

const OPENING =
  /^(?:(?:hi|hello|please|bitte)[\s,]+)?(?:(?:can|could) you (?:please )?(?:tell me )?)?(?:what(?:'s|’s| is| are| does)|how much (?:is|are|does)|calculate|compute|work out|evaluate|solve|was (?:ist|sind|ergibt)|wie ?viel (?:ist|sind|ergibt|macht)|berechne|rechne|combien (?:font?|fait)|calcule[zr]?|cu[aá]nto (?:es|son)|calcula|quanto (?:fa|fanno|è)|calcola)?[\s:]*/iu;
const SPOKEN: readonly (readonly [RegExp, string])[] = [
  [/(?<=\d)\s*(?:%|percent|prozent|pour cent|por ciento)\s*(?:of|von|de|di)\s+/giu, ' / 100 * '],
  [/(?<!\p{L})(?:the )?square root of\s+(\d[\d.]*)/giu, 'sqrt($1)'],
  [/(?<!\p{L})(?:plus|più|más)(?!\p{L})/giu, '+'],
  [/(?<!\p{L})(?:minus|moins|menos|meno)(?!\p{L})|−|–/giu, '-'],
  [/(?<!\p{L})(?:times|multiplied by|mal|fois|por|per)(?!\p{L})|[×·]/giu, '*'],
  [/(?<!\p{L})(?:divided by|over|geteilt durch|durch|divisé par|dividido (?:por|entre)|diviso)(?!\p{L})|÷/giu, '/'],
  [/(?<=\d)\s*x\s*(?=\d)/giu, ' * '],
  [/\s*(?:to the power of|hoch)\s*/giu, '^'],
  [/(?<=\d)\s+squared/giu, '^2'],
];
const LONGEST = 300;

/** The expression; undefined for a request that is anything else. */
export function arithmeticIn(request: string): string | undefined {
  const whole = request.trim();
  if (whole.length > LONGEST || !/\d/.test(whole)) return undefined;
  let text = whole.slice(OPENING.exec(whole)?.[0].length ?? 0).replace(/[\s?=.!]+$/, '');
  for (const [pattern, sign] of SPOKEN) text = text.replace(pattern, sign);
  text = text.replace(/(?<=\d),(?=\d{3}(?!\d))/g, '').replace(/(?<=\d),(?=\d)/g, '.');
  const plain = text.replaceAll('sqrt(', '(');
  if (!/^[\d\s.+\-*/^()%]+$/.test(plain) || !/[\d)]\s*[+\-*/^%]\s*[\d(-]|sqrt/.test(text)) return undefined;
  // A date or a phone number is written with the same signs.
  if (/^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}$|^\+?\d{2,}(?:[-\s]\d{2,})+$/.test(text.trim())) return undefined;
  return text.trim();
}
