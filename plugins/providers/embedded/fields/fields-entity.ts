/** Fields that are entities of a kind: which one of the text a field asks for by its name. */
import { type EntityKind, entities } from '../text/entities.ts';
import { contentStems } from '../text/language.ts';
import { type Field, type Filled, fieldStems, mentions, nearness, type Source, spoken } from './fields.ts';

export const ENTITY_FIELDS: readonly (readonly [RegExp, EntityKind])[] = [
  [/\be ?-?mail(?: address)?\b/i, 'email'],
  [/\b(?:url|link|website|homepage|uri)\b/i, 'url'],
  [/\b(?:phone|telephone|mobile|fax|telefon\w*|téléphone|teléfono|telefono)\b/i, 'phone'],
  [/\b(?:date|deadline|due|day|when|published|birthday|since|until|\w*datum|fecha|data|fälligkeit)\b/i, 'date'],
  [/\b(?:price|cost|amount|total|fee|budget|salary|\w*betrag|\w*preis|prix|montant|precio|importe|prezzo)\b/i, 'money'],
  [/\bversion\b/i, 'version'],
  [
    /\b(?:order|invoice|ticket|reference|customer|tracking|account|case|booking|user|product) (?:id|no|nr|number|code)\b|^(?:id|identifier|reference|order|ticket)$/i,
    'identifier',
  ],
  [
    /\b(?:name|person|author|customer|sender|recipient|manager|speaker|who|client|company|organi[sz]ation|\w*kunde|absender|nom|nombre|cliente)\b/i,
    'name',
  ],
];
/** Words that say only the kind; any other word of a field says which one of that kind it is (`due` in `due date`). */
const GENERIC = new Set(
  `phone telephone tel telefon telefonnummer téléphone teléfono telefono number numbers no nr date day when datum fecha data price cost amount money betrag preis
  prix montant precio importe prezzo id identifier reference code name full first last person who nom nombre contact version of the`.split(
    /\s+/,
  ),
);

export const COMPANY_FIELD = /\b(?:company|organi[sz]ation|employer|firm)\b/i;
const COMPANY =
  /\b(?:GmbH|AG|Inc|Ltd|LLC|Corp|Corporation|Company|Co|PLC|SA|SAS|SpA|BV|NV|KG|Foundation|Institute|University|Agency)\b/;
/** The entity that a field asks for by its name; `none` where the text has none, undefined for a field of another kind. */
export function readEntity(field: Field, source: Source): Filled | 'none' | undefined {
  const name = spoken(field.name);
  if (COMPANY_FIELD.test(name)) return company(field, source) ?? 'none';
  const kind = ENTITY_FIELDS.find(([pattern]) => pattern.test(name))?.[1];
  if (kind === undefined) return undefined;
  if (!says(kind, name, source)) return 'none';
  const people = kind === 'name' && !/\bcompany|organi[sz]ation\b/i.test(name);
  if (people && qualifiers(name).length === 0) return person(source) ?? 'none';
  return nearest(field, kind, source) ?? 'none';
}

/** The first name of two words or more that is no company's: a single capitalised word counts only beside the word "name". */
function person({ text, reading }: Source): Filled | undefined {
  const names = entities(text, 'name').filter((entity) => !COMPANY.test(entity.text));
  const places = mentions(text, new Map(contentStems('name', 'en').map((stem) => [stem, 1])), reading);
  const found =
    names.find((entity) => entity.text.includes(' ')) ?? names.find(({ at }) => nearness(text, at, places) > 0.7);
  return found === undefined ? undefined : { value: found.text, confidence: 0.5 };
}

const qualifiers = (name: string): string[] => name.split(' ').filter((word) => !GENERIC.has(word));

/** False where a field says which one of a kind it is, and no such thing stands beside a word that says so. */
function says(kind: EntityKind, name: string, { text, reading }: Source): boolean {
  if (kind === 'email' || kind === 'url' || kind === 'version') return true;
  const own = qualifiers(name);
  if (own.length === 0) return true;
  const places = mentions(
    text,
    new Map(own.flatMap((word) => contentStems(word, reading.language).map((stem) => [stem, 1]))),
    reading,
  );
  return entities(text, kind).some(({ at }) => nearness(text, at, places) > 0.3);
}

/** The entity nearest to the field's words; the first one when the text contains few. */
export function nearest(field: Field, kind: EntityKind, source: Source): Filled | undefined {
  const { text, reading } = source;
  const found = entities(text, kind);
  const [first] = found;
  if (first === undefined || (kind !== 'name' && !says(kind, spoken(field.name), source))) return undefined;
  const places = mentions(text, fieldStems(field, reading), reading);
  const scored = found.map((entity) => ({ entity, near: nearness(text, entity.at, places) }));
  scored.sort((a, b) => b.near - a.near || a.entity.at - b.entity.at);
  const best = scored[0];
  if (best === undefined) return undefined;
  const certain = kind === 'email' || kind === 'url' ? 0.6 : kind === 'name' ? 0.3 : 0.5;
  const single = new Set(found.map((entity) => entity.text)).size === 1 ? 0.25 : 0;
  // Names are guessed only from capitals: without the field's word near by, a name must be the only one.
  if (kind === 'name' && best.near < 0.2 && single === 0 && !field.required) return undefined;
  return { value: best.entity.text, confidence: Math.min(0.95, certain + single + 0.35 * best.near) };
}

/** A name with the ending of a company name, else one next to the field's word: a person is no organisation. */
export function company(field: Field, { text, reading }: Source): Filled | undefined {
  const found = entities(text, 'name');
  const named = found.find((entity) => COMPANY.test(entity.text));
  if (named !== undefined) return { value: named.text, confidence: 0.7 };
  const places = mentions(text, fieldStems(field, reading), reading);
  const beside = found.find((entity) => nearness(text, entity.at, places) > 0.5);
  return beside === undefined ? undefined : { value: beside.text, confidence: 0.45 };
}
