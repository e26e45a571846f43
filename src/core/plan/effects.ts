/** What a step takes in, changes, gives data to and costs, outside its run. */

/**
 * A kind of place: `files`, `web`, `store` (what Polyphony keeps beyond the run), `cache` (what it keeps to save work, and can make
 * again at any time), `people`, `events`, or a name of your own such as `crm`; lower-case letters, digits and dashes. `*` is any place.
 */
export type EffectPlace = 'files' | 'web' | 'store' | 'cache' | 'people' | 'events' | '*' | (string & {});

/** `models`: calls of models, which are counted. `money`: it may cost what Polyphony does not see, such as a paid interface. */
export type EffectCosts = 'none' | 'models' | 'money';

/** What running it does outside the run, at most. What is left out is nothing. */
export interface Effects {
  /** Where it takes data from. @default nowhere */
  readonly reads?: readonly EffectPlace[];
  /** Where it changes something. @default nowhere */
  readonly writes?: readonly EffectPlace[];
  /**
   * Where data may go: hosts (`api.example.com`, `*.example.com`), `models` (the providers of the models that may be asked), `people`, or
   * `*` for a host that the plan names. @default nowhere
   */
  readonly reaches?: readonly string[];
  /** @default 'none' */
  readonly costs?: EffectCosts;
}

/** What a plan may do outside its run, with all that it uses. */
export interface PlanEffects extends Required<Effects> {
  /** `provider/model` of every model that may be asked: of variants, rungs and agents too, not those that an evaluator asks itself. */
  readonly models: readonly string[];
  /** Where only the run says who is asked, such as `triage: agents`: there it may be models that `models` does not name. */
  readonly openModels: readonly string[];
  /** What declares no effects, and so may do anything: its `*` in the lists is theirs. */
  readonly undeclared: readonly string[];
}

/** What it does is not known, so it may do anything. */
export const ANY_EFFECTS: Effects = { reads: ['*'], writes: ['*'], reaches: ['*'], costs: 'money' };

/** A step or a tool: what it declares. */
export interface Declared {
  readonly effects?: Effects | undefined;
  readonly sideEffects?: boolean | undefined;
}

/**
 * Whether it changes something outside the run: as it says, else by its effects. It does where it writes to a place, but for the
 * cache. Where it writes nothing, but gives data to people or to a host that the plan names, that is not known.
 */
export function sideEffectsOf({ sideEffects, effects }: Declared): boolean | undefined {
  if (sideEffects !== undefined || effects === undefined) return sideEffects;
  const { writes = [], reaches = [] } = effects;
  if (writes.some((place) => place !== '*' && place !== 'cache')) return true;
  if (writes.includes('*')) return undefined;
  return reaches.some((place) => place === '*' || place === 'people') ? undefined : false;
}

/** What it declares, in full; what declares none may do anything, but for writing where it has said that it has no side effects. */
export function effectsOfDeclared({ sideEffects, effects }: Declared): Required<Effects> {
  if (effects !== undefined) return { reads: [], writes: [], reaches: [], costs: 'none', ...effects };
  return { reads: ['*'], writes: sideEffects === false ? [] : ['*'], reaches: ['*'], costs: 'money' };
}

const MOST_NAMES = 1000;
const PLACE = /^(?:\*|[a-z][a-z0-9-]{0,60})$/;
/** A host, with a port where it has one: no blanks, no path. */
const TARGET = /^(?:\*|(?:\*\.)?[\p{L}\p{N}_.:[\]-]{1,260})$/u;
const COSTS: ReadonlySet<unknown> = new Set<EffectCosts>(['none', 'models', 'money']);
const FIELDS: ReadonlySet<string> = new Set<keyof Effects>(['reads', 'writes', 'reaches', 'costs']);

/** What is wrong with the declaration, and what it should be; undefined: nothing. */
export function effectsProblem({
  effects,
  sideEffects,
}: { readonly [field in keyof Declared]: unknown }): string | undefined {
  if (effects === undefined) return undefined;
  if (typeof effects !== 'object' || effects === null || Array.isArray(effects))
    return 'has "effects" that are no object: give { reads, writes, reaches, costs }, or leave them out';
  const given = effects as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(given).find((field) => !FIELDS.has(field));
  if (unknown !== undefined)
    return `has effects with the unknown field "${unknown.slice(0, 60)}": give reads, writes, reaches or costs`;
  const wrong =
    listProblem('reads', given.reads, PLACE) ??
    listProblem('writes', given.writes, PLACE) ??
    listProblem('reaches', given.reaches, TARGET);
  if (wrong !== undefined) return wrong;
  if (given.costs !== undefined && !COSTS.has(given.costs))
    return 'has effects.costs that are none of "none", "models" and "money": give one of them';
  return contradiction(given.writes, sideEffects);
}

function listProblem(field: keyof Effects, list: unknown, allowed: RegExp): string | undefined {
  if (list === undefined) return undefined;
  const isList = Array.isArray(list) && list.length <= MOST_NAMES;
  if (isList && list.every((name) => typeof name === 'string' && allowed.test(name))) return undefined;
  const names = field === 'reaches' ? 'hosts, "models", "people" or "*"' : 'names such as "files", or "*"';
  return `has effects.${field} that are no list of at most ${MOST_NAMES} ${names}: correct it`;
}

/** The two fields say the same thing, so they have to agree. */
function contradiction(writes: unknown, sideEffects: unknown): string | undefined {
  const count = Array.isArray(writes) ? writes.filter((place) => place !== 'cache').length : 0;
  if (sideEffects === false && count > 0)
    return 'has sideEffects: false, but effects.writes names places that it changes: correct one of them';
  if (sideEffects === true && Array.isArray(writes) && count === 0)
    return 'has sideEffects: true, but effects.writes is empty: name what it changes, or leave sideEffects out';
  return undefined;
}
