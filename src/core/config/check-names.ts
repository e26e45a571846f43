/** Whether the names in a config lead to what they are meant for. A model itself is known to nobody before there are providers. */
import type { Config } from '../config.ts';
import { MOST_ALIASES, meantBy } from '../model/model.ts';

type Refuse = (path: string[], message: string) => void;

/** Aliases lead to a model, within so many steps as the router takes. */
export function checkAliases({ aliases = {} }: Pick<Config, 'aliases'>, refuse: Refuse): void {
  const told = new Set<string>();
  for (const name of Object.keys(aliases)) {
    if (told.has(name) || meantBy(name, aliases) !== undefined) continue;
    const way = wayOf(name, aliases);
    const shown = way.slice(0, MOST_ALIASES + 2).map((step) => `"${step}"`);
    const isCircle = way.indexOf(way.at(-1) ?? '') < way.length - 1;
    refuse(
      ['aliases', name],
      isCircle
        ? `leads in a circle (${shown.join(' to ')}), so it names no model: point one of them at a model`
        : `leads through more than ${MOST_ALIASES} aliases (${shown.join(' to ')}): point it at a model`,
    );
    // Each circle is told once, by the first name that leads into it.
    if (isCircle) for (const step of way) told.add(step);
  }
}

/** The names one after the other, until one is no alias or comes again. */
function wayOf(name: string, aliases: Readonly<Record<string, string>>): readonly string[] {
  const way = new Set<string>();
  let step: string | undefined = name;
  while (step !== undefined && !way.has(step)) {
    way.add(step);
    step = Object.hasOwn(aliases, step) ? aliases[step] : undefined;
  }
  return step === undefined ? [...way] : [...way, step];
}

/** A model has one candidate: of two, the second would never get a call. Aliases are other names of a model. */
export function checkCandidates({ candidates = {}, aliases = {} }: Config, refuse: Refuse): void {
  const meant = (name: string): string => meantBy(name, aliases) ?? name;
  const taken = new Map<string, string>();
  for (const [name, { of, model }] of Object.entries(candidates)) {
    if (of !== model && meant(of) === meant(model))
      refuse(['candidates', name, 'model'], `"${model}" is the model "${of}" itself, by an alias: name another one`);
    const before = taken.get(meant(of));
    if (before === undefined) taken.set(meant(of), name);
    else
      refuse(['candidates', name, 'of'], `"${of}" has a candidate already, candidates.${before}: remove one of them`);
  }
}
