/**
 * Plans that are known to be good, as examples: those of `workflows/` whose steps can run here, the likest to the request first.
 * The files are read once, for the first planning.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { estimateTokens } from '../../kit/models/tokens.ts';
import { rankByWords, type WordIndex, wordIndex } from '../../kit/retrieval/rank.ts';
import { contentWords } from './relevant-tools.ts';

const MOST_EXAMPLES = 3;
const MOST_FILES = 100;
const MOST_CHARACTERS = 2400;

export interface WorkedExample {
  /** What was asked for. */
  readonly goal: string;
  /** The plan as it is shown, as JSON. */
  readonly text: string;
  /** Steps and evaluators that it needs. */
  readonly uses: readonly string[];
  readonly evaluators: readonly string[];
  readonly tokens: number;
  readonly words: WordIndex;
}

interface PlanFile {
  readonly goal?: unknown;
  /** Workflows of its own, which its nodes use by name. */
  readonly workflows?: unknown;
  readonly nodes?: unknown;
  readonly output?: unknown;
  readonly input?: unknown;
}

interface FileNode {
  readonly id?: unknown;
  readonly use?: unknown;
  readonly limits?: unknown;
  readonly escalate?: { readonly evaluator?: unknown };
}

/** Where no file is found, as in a program that was bundled into one file, and where none of them can run here. */
const ALWAYS: PlanFile = {
  goal: 'Write a letter from notes, in the right tone',
  input: { notes: 'string' },
  nodes: [
    {
      id: 'facts',
      use: 'llm',
      in: { prompt: 'List every fact that a letter must hold.\n\nNotes:\n{{input.notes}}' },
      out: { facts: 'string[]', tone: 'formal|friendly' },
      model: { tier: 'fast' },
    },
    {
      id: 'letter',
      use: 'llm',
      in: { prompt: 'Write a {{facts.tone}} letter of at most 150 words with all these facts:\n{{facts.facts}}' },
      model: { tier: 'balanced' },
    },
  ],
  output: { letter: '{{letter.text}}' },
} as const;

let known: readonly WorkedExample[] | undefined;

export function workedExamples(): readonly WorkedExample[] {
  known ??= [...shipped(), ...exampleOf(ALWAYS)];
  return known;
}

function shipped(): readonly WorkedExample[] {
  try {
    const manifest = createRequire(import.meta.url ?? __filename).resolve('polyphony/package.json');
    const folder = new URL('workflows/', pathToFileURL(manifest));
    const names = readdirSync(folder).filter((name) => name.endsWith('.plan.json'));
    return names
      .sort()
      .slice(0, MOST_FILES)
      .flatMap((name) => exampleOf(JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as PlanFile));
  } catch {
    return [];
  }
}

/** Empty where the plan is longer than an example may be, or brings workflows of its own. */
export function exampleOf({ goal, input, workflows, nodes, output }: PlanFile): readonly WorkedExample[] {
  // The workflows would need a page of their own, and without them the plan cannot run.
  if (typeof goal !== 'string' || !Array.isArray(nodes) || workflows !== undefined) return [];
  const shown = nodes.map(({ limits: _limits, ...node }: FileNode) => node);
  const text = JSON.stringify({ version: 1, goal, ...(input === undefined ? {} : { input }), nodes: shown, output });
  if (text.length > MOST_CHARACTERS) return [];
  return [
    {
      goal,
      text,
      uses: [...new Set(shown.map(({ use }) => String(use)))],
      evaluators: shown.flatMap(({ escalate }) => (escalate === undefined ? [] : String(escalate.evaluator))),
      tokens: estimateTokens(text),
      words: wordIndex([`${goal} ${text}`]),
    },
  ];
}

export interface ExampleChoice {
  readonly request: string;
  /** What a plan may use here. */
  readonly canUse: (use: string) => boolean;
  readonly evaluators: readonly string[];
  /** Tokens for all. */
  readonly room: number;
}

/** At most three, as many as there is room for; one in any case, unless there is no room for the shortest. */
export function chosenExamples(choice: ExampleChoice, all = workedExamples()): readonly WorkedExample[] {
  const able = all.filter(
    ({ uses, evaluators }) =>
      uses.every(choice.canUse) && evaluators.every((evaluator) => choice.evaluators.includes(evaluator)),
  );
  const liked = rankByWords(
    able.map(({ words }) => words),
    contentWords(choice.request),
  );
  const chosen: WorkedExample[] = [];
  let left = choice.room;
  const add = (example: WorkedExample | undefined): void => {
    if (example === undefined || chosen.length === MOST_EXAMPLES || example.tokens > left) return;
    chosen.push(example);
    left -= example.tokens;
  };
  for (const { index } of liked) add(able[index]);
  // Without a word in common, and where the likest are too long, the shortest one shows the form.
  if (chosen.length === 0) add([...able].sort((a, b) => a.tokens - b.tokens)[0]);
  return chosen;
}
