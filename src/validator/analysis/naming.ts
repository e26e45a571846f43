/**
 * What the names of one plan may be repaired to. Whatever has side effects, or does not say that it has none, is never taken for
 * another thing because of a letter: only case and separators are repaired there.
 */
import type { PlanNode } from '../../core/plan/plan.ts';
import type { Catalogue, StepType } from '../../core/plan/validation.ts';
import { respelt } from '../../language/spelling/respelt.ts';
import { wordsOfName } from '../../language/spelling/same-word.ts';
import { isRecord } from '../document/document.ts';
import { changesNothing } from './side-effects.ts';

export interface Naming {
  /**
   * The only candidate that the name is another spelling of.
   *
   * @param isHarmless whether nothing with side effects depends on the name: then one letter may differ, too
   */
  respelt(name: string, candidates: readonly string[], isHarmless: boolean): string | undefined;
  /** Whether the node changes nothing outside the run; true for the output of the plan, which is no node. */
  isHarmless(node: NodeWithStep | undefined): boolean;
}

interface NodeWithStep {
  readonly node: PlanNode;
  readonly step: StepType | undefined;
}

/** @param texts what the plan is for, in words: a word that stands in them is meant as it is written */
export function openNaming(catalogue: Catalogue, texts: readonly (string | undefined)[]): Naming {
  let asked: ReadonlySet<string> | undefined;
  const isInUse = (word: string): boolean => {
    asked ??= wordsOfTexts(texts);
    return asked.has(word) || registeredWords(catalogue).has(word);
  };
  return {
    respelt: (name, candidates, isHarmless) =>
      respelt(name, candidates, { mayDiffer: isHarmless ? 'letter' : 'form', isInUse }),
    isHarmless: (of) => of === undefined || changesNothing(of.node, of.step, catalogue),
  };
}

const LONGEST_TEXT = 200_000;

function wordsOfTexts(texts: readonly (string | undefined)[]): ReadonlySet<string> {
  const words = new Set<string>();
  for (const text of texts) {
    if (text === undefined) continue;
    for (const word of text
      .slice(0, LONGEST_TEXT)
      .toLowerCase()
      .match(/\p{L}+/gu) ?? [])
      words.add(word);
    // A name in the request, such as `serachDocs`, has words of its own.
    for (const word of wordsOfName(text.slice(0, LONGEST_TEXT))) words.add(word);
  }
  return words;
}

const registered = new WeakMap<Catalogue, ReadonlySet<string>>();

/** The words of all that is registered, with the fields of the steps. A catalogue is replaced, never changed in place. */
function registeredWords(catalogue: Catalogue): ReadonlySet<string> {
  const before = registered.get(catalogue);
  if (before !== undefined) return before;
  const words = new Set<string>();
  for (const name of namesOf(catalogue)) for (const word of wordsOfName(name)) words.add(word);
  registered.set(catalogue, words);
  return words;
}

function* namesOf({ steps, models, aliases, routes, tasks = [], evaluators }: Catalogue): Generator<string> {
  yield* routes;
  yield* tasks;
  yield* evaluators;
  yield* Object.keys(aliases);
  for (const { provider, card } of models) yield* [provider, card.id, ...(card.aliases ?? [])];
  for (const { use, input, output } of steps.values()) {
    yield use;
    for (const schema of [input, output]) if (isRecord(schema?.properties)) yield* Object.keys(schema.properties);
  }
}
