/** Which tools a planner is told of, and how much of each, where there are many: those that the words of the request speak of. */
import type { StepType } from '../../core/plan/validation.ts';
import { estimateTokens } from '../../kit/models/tokens.ts';
import {
  joinedRankings,
  type Ranked,
  rankByVectors,
  rankByWords,
  type WordIndex,
  wordIndex,
} from '../../kit/retrieval/rank.ts';
import { stepLines } from './step-lines.ts';

/** All are told up to here. */
export const MOST_TOOLS = 40;
const MOST_WORDS = 4000;
/** They say nothing of what is asked, but among few tools they would count as rare. */
const FUNCTION_WORDS =
  /\b(?:an?|and|are|as|at|be|by|for|from|her|his|i|in|into|is|it|its|me|my|of|on|or|our|please|so|that|the|their|them|then|this|to|us|was|we|with|you|your|auf|aus|das|dem|den|der|des|die|ein|eine|einem|einen|einer|ich|im|ist|mit|und|von|zu)\b/giu;
/** With `tool:` before it: a shorter name stands in other words too. */
const SHORTEST_NAME = 11;

/** Vectors of the request and of each tool, in the order of the tools. */
export interface ToolVectors {
  readonly request: ArrayLike<number>;
  readonly tools: readonly ArrayLike<number>[];
}

export interface ToolChoice {
  readonly request: string;
  /** `use` of tools that are told in any case: those of a plan that is revised. @default none */
  readonly needed?: ReadonlySet<string>;
  /** Tokens for the lines of all. */
  readonly room: number;
  /** @default by words alone */
  readonly vectors?: ToolVectors | undefined;
}

export interface ToldTools {
  readonly lines: readonly string[];
  /** Tools that are not told. */
  readonly left: number;
}

const indexes = new WeakMap<StepType, WordIndex>();

/** What a tool is compared by. */
export const toolText = (step: StepType): string =>
  `${step.use.slice('tool:'.length).replaceAll(/[_-]/g, ' ')} ${step.description}`;

function indexOf(step: StepType): WordIndex {
  const known = indexes.get(step);
  if (known !== undefined) return known;
  const index = wordIndex([toolText(step).slice(0, MOST_WORDS)]);
  indexes.set(step, index);
  return index;
}

/** The words of a request that speak of its matter. */
export const contentWords = (request: string): string => request.slice(0, MOST_WORDS).replace(FUNCTION_WORDS, ' ');

/** Best first; tools without a word of the request follow in their order. */
function ranked(tools: readonly StepType[], { request, needed, vectors }: ToolChoice): readonly StepType[] {
  const text = request.slice(0, MOST_WORDS);
  const byWords = rankByWords(tools.map(indexOf), contentWords(text));
  const rankings: readonly (readonly Ranked[])[] =
    vectors === undefined ? [byWords] : [byWords, rankByVectors(vectors.tools, vectors.request)];
  const places = new Map(joinedRankings(rankings).map(({ index }, place) => [index, place]));
  const isNamed = ({ use }: StepType): boolean =>
    needed?.has(use) === true || (use.length >= SHORTEST_NAME && text.includes(use.slice('tool:'.length)));
  return tools
    .map((step, index) => ({ step, place: isNamed(step) ? -1 : (places.get(index) ?? tools.length + index) }))
    .sort((a, b) => a.place - b.place)
    .map(({ step }) => step);
}

/**
 * Lines in the order in which the tools are registered. All of up to 40 tools are told, of more the 40 that fit the request best,
 * as far as there is room. What room is left makes the lines of those that fit best longer: with what they are for,
 * then with types, then with explanations.
 */
export function toldTools(tools: readonly StepType[], choice: ToolChoice): ToldTools {
  const order = ranked(tools, choice).slice(0, MOST_TOOLS);
  const chosen = new Map<StepType, string>();
  let left = choice.room;
  for (const step of order) {
    const { bare } = stepLines(step);
    const tokens = estimateTokens(bare);
    if (tokens > left && chosen.size > 0) break;
    chosen.set(step, bare);
    left -= tokens;
  }
  for (const form of ['brief', 'short', 'whole'] as const) {
    for (const [step, line] of chosen) {
      const longer = stepLines(step)[form];
      const more = estimateTokens(longer) - estimateTokens(line);
      if (more > left) continue;
      chosen.set(step, longer);
      left -= more;
    }
  }
  return { lines: tools.flatMap((step) => chosen.get(step) ?? []), left: tools.length - chosen.size };
}
