/** The kinds of entities that an instruction asks for all of: `the e-mail addresses and dates`. */
import type { EntityKind } from './entities.ts';

const ASKED: readonly (readonly [RegExp, EntityKind])[] = [
  [/(?<!\p{L})(?:e-?mails?(?: ?-?ad\p{L}+)?|correos|adresses e-?mail)(?!\p{L})/iu, 'email'],
  [/(?<!\p{L})(?:urls?|links)(?!\p{L})/iu, 'url'],
  [/(?<!\p{L})(?:dates|daten|fechas)(?!\p{L})/iu, 'date'],
  [/(?<!\p{L})(?:phone|telefon)/iu, 'phone'],
  [/(?<!\p{L})(?:amounts?|prices|beträge)(?!\p{L})/iu, 'money'],
  [/(?<!\p{L})identifiers(?!\p{L})/iu, 'identifier'],
  [/(?<!\p{L})(?:names|people|persons|namen|noms|nombres)(?!\p{L})/iu, 'name'],
];

const NAMES: Readonly<Record<EntityKind, string>> = {
  email: 'e-mail address',
  url: 'link',
  date: 'date',
  phone: 'phone number',
  money: 'amount',
  identifier: 'identifier',
  name: 'name',
  version: 'version',
};

export const kindsIn = (instruction: string): EntityKind[] =>
  ASKED.filter(([pattern]) => pattern.test(instruction)).map(([, kind]) => kind);

export const kindName = (kind: EntityKind): string => NAMES[kind];

const PLURAL =
  /^(?:all\s+|every\s+|any\s+)?(?:the\s+)?(?:\p{L}+\s+)?(?:e-?mails|addresses|urls|links|dates|names|people|persons|numbers|amounts|prices|identifiers|adressen|namen|daten|telefonnummern|beträge|noms|adresses|correos|nombres|fechas)$|^(?:all|every|any)\s/iu;

/** True for a name that asks for all entities of a kind, not for one value. */
export const asksAll = (name: string): boolean => PLURAL.test(name) && kindsIn(name).length > 0;
