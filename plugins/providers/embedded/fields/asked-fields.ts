/** The fields that an instruction asks for by name: `Extract the name, the order number and the total from …`. */
import { asksAll } from '../text/asked-kinds.ts';

const MOST = 40;
const VERB =
  /(?:^|[.!?:\n]\s{0,5}|\b(?:please|and|then|bitte|from (?:this|the) \p{L}+,?)\s+)(?<verb>extract|pull(?: out)?|read(?: out)?|get|find|give me|list|collect|fill in|extrahiere?|entnimm|nenne(?: mir)?|finde|gib(?: mir)?|extrai[st]|extraire|relève|donne(?:-moi| moi)?|extrae|extraer|saca|dame|estrai|extraia)\s+(?<rest>[^\n?]{2,600})/giu;
/** Only these verbs ask for a field whatever it is called. */
const STRONG = /^(?:extract|pull|extra|entnimm|estrai|relève|saca|fill)/i;
const HEAD =
  /^(?:(?:me|us|all|just|only|following|the following|these|folgende(?:n|s)?|die folgenden|les|suivants?|los siguientes?)\s+){0,4}(?:fields?|values?|details|data|information|facts|items|things|felder|angaben|daten|champs|informations|campos|datos)?\s*(?:\((?=[^)]*\)))?\s*:\s*/iu;
const TAIL =
  /(?:^|\s+|\s*[,;]\s*)(?:from|out of|in|of (?:this|the) (?:text|message|e-?mail|letter|document|file)s?|of the texts?|contained|mentioned|given|found|as (?:json|a table|key)|into|for (?:each|every)|per|aus|von|im|dans|depuis|du texte|de (?:el|la|los|las)|del|en|dal?|nel|where|that|which|if|with)(?![\p{L}\p{N}-])[\s\S]*$/iu;
const ARTICLE =
  /^(?:(?:and|or|the|a|an|its|his|her|their|und|den|die|das|der|et|le|la|les|l['’]|y|e|el|los|las|il|both|also|as well as|sowie)\s+){0,3}(?:l['’])?/iu;
/** Results of other jobs, and what no text is asked for. */
const OTHER_JOB =
  /(?<!\p{L})(?:sentences?|bullets?|points?|takeaways?|key|keywords?|terms?|topics?|tags?|themes|concepts|summar\p{L}+|recipe|ideas?|examples?|joke|story|poem|passage|everything)(?!\p{L})/iu;
const KNOWN_FIELD =
  /\b(?:name|e-?mail(?: address)?|phone|telephone|fax|date|deadline|price|amount|total|cost|number|id|address|city|country|company|author|title|customer|sender|recipient|subject|url|website|version|age|datum|nummer|betrag|preis|adresse|stadt|firma|nom|prix|montant|ville|numéro|nombre|fecha|precio|importe|ciudad|número)\b/iu;

/** The names of the fields, in order, without articles; [] where the instruction asks for something else. */
export function fieldsIn(instruction: string): string[] {
  for (const match of instruction.slice(0, 5000).matchAll(VERB)) {
    const { verb = '', rest = '' } = match.groups ?? {};
    const names = namesIn(rest);
    const strong = STRONG.test(verb) || names.length > 1;
    if (names.length === 0 || names.some((name) => OTHER_JOB.test(name)) || names.every(asksAll)) continue;
    if (
      STRONG.test(verb) ||
      (strong && names.every((name) => name.split(' ').length <= 3)) ||
      names.every((name) => KNOWN_FIELD.test(name))
    )
      return names;
  }
  return [];
}

function namesIn(rest: string): string[] {
  const list = rest
    .replace(HEAD, '')
    .split(/[.!](?:\s|$)|:\s/)[0]
    ?.replace(TAIL, '')
    .replace(/[()[\]]/g, ' ');
  const names = (list ?? '')
    .split(/\s*[,;/|]\s*(?:and\s+|or\s+|und\s+|et\s+|y\s+|e\s+)?|\s+(?:and|und|et|y|as well as|sowie)\s+/iu)
    .map((name) =>
      name
        .replace(ARTICLE, '')
        .replace(/^["'“„«]|["'”“»]$/gu, '')
        .trim(),
    )
    .filter((name) => name !== '');
  const usable = names.every((name) => name.length <= 60 && name.split(/\s+/).length <= 5 && /\p{L}/u.test(name));
  return usable ? [...new Set(names)].slice(0, MOST) : [];
}
