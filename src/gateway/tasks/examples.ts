/**
 * The class of a request by examples: its seven nearest ones vote. Near means alike in words: cosine similarity of tf-idf
 * vectors (Salton and Buckley, "Term-weighting approaches in automatic text retrieval", 1988) in which a word counts once a text; each
 * of the nearest votes with the square of its similarity (Dudani, "The distance-weighted k-nearest-neighbor rule", 1976). The
 * certainty is the share of the winner in the votes. It is no probability: docs/how-to/routes.md says what it was measured to mean.
 */
import type { TaskConfig } from '../../core/config.ts';
import { wordsOf } from '../../kit/retrieval/words.ts';

type Tasks = Readonly<Record<string, TaskConfig>>;

const NEIGHBOURS = 7;

export interface NearestTask {
  readonly task: string;
  /** The share of the task in the votes, above 0 to 1. */
  readonly certainty: number;
}

/** The examples in which a word occurs, with its part of their vectors. */
interface Postings {
  readonly examples: number[];
  readonly weights: number[];
}

interface ExampleIndex {
  /** The task of each example. */
  readonly tasks: readonly string[];
  readonly words: ReadonlyMap<string, Postings>;
}

const indexes = new WeakMap<Tasks, ExampleIndex>();

/** Undefined where no example has a word in common with the text. */
export function taskByExamples(tasks: Tasks, words: readonly string[]): NearestTask | undefined {
  const index = indexOf(tasks);
  if (index.tasks.length === 0) return undefined;
  const votes = new Map<string, number>();
  let all = 0;
  for (const { example, similarity } of nearest(similarities(index, new Set(words)))) {
    const task = index.tasks[example] ?? '';
    votes.set(task, (votes.get(task) ?? 0) + similarity ** 2);
    all += similarity ** 2;
  }
  let best: NearestTask | undefined;
  for (const [task, vote] of votes) {
    if (best === undefined || vote / all > best.certainty) best = { task, certainty: vote / all };
  }
  return best;
}

/** Made once for a config, because a config is replaced and never changed. */
function indexOf(tasks: Tasks): ExampleIndex {
  const known = indexes.get(tasks);
  if (known !== undefined) return known;
  const names: string[] = [];
  const texts: ReadonlySet<string>[] = [];
  for (const [task, { examples = [] }] of Object.entries(tasks)) {
    for (const example of examples) {
      names.push(task);
      texts.push(new Set(wordsOf(example)));
    }
  }
  const index: ExampleIndex = { tasks: names, words: postingsOf(texts) };
  indexes.set(tasks, index);
  return index;
}

function postingsOf(texts: readonly ReadonlySet<string>[]): ReadonlyMap<string, Postings> {
  const postings = new Map<string, Postings>();
  texts.forEach((words, example) => {
    for (const word of words) {
      const found = postings.get(word) ?? { examples: [], weights: [] };
      postings.set(word, found);
      found.examples.push(example);
    }
  });
  const rarity = (word: string): number => rarityOf(postings.get(word), texts.length);
  const lengths = texts.map((words) => Math.hypot(...[...words].map(rarity)));
  for (const [word, { examples, weights }] of postings) {
    for (const example of examples) weights.push(rarity(word) / (lengths[example] || 1));
  }
  return postings;
}

/** The inverse document frequency, above 0 also for a word of every example. */
const rarityOf = (postings: Postings | undefined, count: number): number =>
  Math.log(1 + count / (1 + (postings?.examples.length ?? 0)));

/** Of the text with each example, up to a factor that is the same for all of them. */
function similarities({ tasks, words }: ExampleIndex, asked: ReadonlySet<string>): Float64Array {
  const similar = new Float64Array(tasks.length);
  for (const word of asked) {
    const found = words.get(word);
    if (found === undefined) continue;
    const rarity = rarityOf(found, tasks.length);
    found.examples.forEach((example, at) => {
      similar[example] = (similar[example] ?? 0) + rarity * (found.weights[at] ?? 0);
    });
  }
  return similar;
}

interface Neighbour {
  readonly example: number;
  readonly similarity: number;
}

function nearest(similar: Float64Array): readonly Neighbour[] {
  const kept: Neighbour[] = [];
  similar.forEach((similarity, example) => {
    if (similarity === 0 || similarity <= (kept.length < NEIGHBOURS ? 0 : (kept.at(-1)?.similarity ?? 0))) return;
    let at = kept.length;
    while (at > 0 && (kept[at - 1]?.similarity ?? 0) < similarity) at -= 1;
    kept.splice(at, 0, { example, similarity });
    if (kept.length > NEIGHBOURS) kept.pop();
  });
  return kept;
}
