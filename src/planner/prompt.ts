import type { Catalogue, StepType } from '../core/plan/validation.ts';
import { estimateTokens } from '../kit/models/tokens.ts';
import { poolLines } from './prompt/model-pool.ts';
import { MOST_TOOLS, type ToolVectors, toldTools } from './prompt/relevant-tools.ts';
import { ADVICE, RULES } from './prompt/rules.ts';
import { boundsLines, type RunBounds } from './prompt/run-bounds.ts';
import { stepLines } from './prompt/step-lines.ts';
import { usableSteps } from './prompt/usable-steps.ts';
import { chosenExamples } from './prompt/worked-examples.ts';

/** The most tokens of the message, without the request: of up to 30 tools, and of more. */
const ROOM = { few: 2380, many: 3850 } as const;
const FEW_TOOLS = 30;
const EXAMPLES_ROOM = 420;
const LEAST_EXAMPLES_ROOM = { few: 150, many: 300 } as const;

/** A part of what a planner is told. */
export interface PromptPart {
  readonly name: (typeof ORDER)[number];
  readonly text: string;
  /** By the product's own estimate. */
  readonly tokens: number;
}

export interface PromptFacts extends RunBounds {
  /** Steps of a plan that is revised: they are told in any case. @default none */
  readonly needed?: ReadonlySet<string>;
  /** Of the request and the tools. @default tools are chosen by their words alone */
  readonly vectors?: ToolVectors | undefined;
  /** The most tokens, where the planner's window is small. @default 2,380 for up to 30 tools, 3,850 for more */
  readonly room?: number | undefined;
}

const part = (name: PromptPart['name'], text: string): PromptPart => ({ name, text, tokens: estimateTokens(text) });
const tokensOf = (parts: readonly PromptPart[]): number => parts.reduce((sum, { tokens }) => sum + tokens, 0);

/** Steps that few plans need have names that say enough. */
const RARE: ReadonlySet<string> = new Set(['image', 'embed', 'moderate', 'rerank', 'wait', 'plan']);
const stepLine = (step: StepType): string => stepLines(step)[RARE.has(step.use) ? 'brief' : 'short'];

/** What is the same for every request comes first, so that providers can keep it. */
const ORDER = ['rules', 'advice', 'steps', 'tools', 'models', 'run', 'examples'] as const;

/** In the order in which they are told. */
export function promptParts(request: string, catalogue: Catalogue, facts: PromptFacts = {}): readonly PromptPart[] {
  const { steps, tools } = usableSteps(catalogue);
  const size = tools.length > FEW_TOOLS ? 'many' : 'few';
  const room = Math.min(facts.room ?? Infinity, ROOM[size]);
  const fixed = [
    part('rules', RULES),
    part('advice', ADVICE),
    part('steps', steps.map(stepLine).join('\n')),
    part('models', poolLines(catalogue).join('\n')),
    part('run', boundsLines(catalogue, facts).join('\n')),
  ];
  const left = room - tokensOf(fixed);
  const told = toldTools(tools, {
    request,
    room: Math.max(0, left - LEAST_EXAMPLES_ROOM[size]),
    ...(facts.needed === undefined ? {} : { needed: facts.needed }),
    vectors: tools.length > MOST_TOOLS ? facts.vectors : undefined,
  });
  const usable = new Set([...steps, ...tools].map(({ use }) => use));
  const rest = told.left === 0 ? [] : [`${told.left} more tools that fit the request less are left out.`];
  const toolsPart = part('tools', [...told.lines, ...rest].join('\n'));
  const examples = chosenExamples({
    request,
    canUse: (use) => usable.has(use),
    evaluators: catalogue.escalates === false ? [] : catalogue.evaluators,
    room: Math.min(EXAMPLES_ROOM, left - toolsPart.tokens),
  });
  const shown = examples.map(({ goal, text }) => `For "${goal}":\n${text}`).join('\n');
  const all = [...fixed, toolsPart, part('examples', shown)];
  return ORDER.flatMap((name) => all.find((one) => one.name === name && one.text !== '') ?? []);
}

/** The text of the parts, each under what it is. */
export function systemText(parts: readonly PromptPart[]): string {
  const text = (name: PromptPart['name']): string => parts.find((one) => one.name === name)?.text ?? '';
  const section = (title: string, name: PromptPart['name']): string =>
    text(name) === '' ? '' : `${title}\n${text(name)}\n`;
  return [
    text('rules'),
    text('advice'),
    `<catalogue>\n${section('Steps: use(inputs) -> output; "?" may be left out, media is a picture or file as a step gives it.', 'steps')}${section('Tools:', 'tools')}${section('Models:', 'models')}</catalogue>`,
    text('run'),
    ...(text('examples') === '' ? [] : [`Examples of good plans:\n${text('examples')}`]),
  ].join('\n\n');
}
