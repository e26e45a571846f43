/** What is settled before a planner is asked: the prompt, who plans, and that prompt, plan and repair fit the window. */
import { PolyphonyError } from '../core/errors.ts';
import type { CallOptions, Gateway } from '../core/gateway.ts';
import { type ChatRequest, type Message, meantBy, SENSITIVITIES, type Sensitivity } from '../core/model/model.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Catalogue } from '../core/plan/validation.ts';
import { choosePlanner, nameOf, PLANNING_MODEL, type PlannerChoice, type PlannerRules } from './choice.ts';
import { type PlanForms, planForms } from './form/plan-form.ts';
import { leftOf } from './prompt/run-bounds.ts';
import { type PromptFacts, type PromptPart, promptParts, systemText } from './prompt.ts';
import { LEAST_ROOM, planTokens } from './repair.ts';

export interface PreparationParts {
  readonly gateway: Gateway;
  readonly catalogue: Catalogue;
}

export interface PlanningTask {
  readonly request: string;
  /** Messages after the request: those of a revision. @default none */
  readonly further?: readonly Message[];
  /** `use` of the nodes of a plan that is revised. @default none */
  readonly needed?: ReadonlySet<string>;
  readonly seconds?: number | undefined;
  readonly sensitivity?: Sensitivity | undefined;
  readonly vectors?: PromptFacts['vectors'];
}

export interface Preparation {
  readonly parts: readonly PromptPart[];
  /** Asks for any JSON; each model is asked for the form that it writes. */
  readonly chat: ChatRequest;
  readonly choice: PlannerChoice;
  readonly forms: PlanForms;
}

/** @throws budget-exceeded where no planner is within `maxUsd`, context-window where the prompt leaves no room for a plan */
export function prepare(
  task: PlanningTask,
  rules: PlannerRules,
  options: Pick<CallOptions, 'exclude' | 'scopes'>,
  parts: PreparationParts,
): Preparation {
  const forms = planForms(parts.catalogue, task.needed);
  const first = prepareWithin(undefined, task, rules, options, { ...parts, forms });
  const window = smallestWindow(first.choice, rules, parts.catalogue);
  if (window === undefined || fits(first, window.tokens)) return first;
  const prompt = first.parts.reduce((sum, { tokens }) => sum + tokens, 0);
  const room = window.tokens - LEAST_ROOM - (first.choice.promptTokens - prompt);
  const smaller = prepareWithin(Math.floor(room * MARGIN), task, rules, options, { ...parts, forms });
  if (smaller.choice.promptTokens + LEAST_ROOM <= window.tokens) return smaller;
  throw new PolyphonyError(
    'context-window',
    `The prompt of the planner "${window.name}" needs about ${smaller.choice.promptTokens} tokens, and a plan with its repair ${LEAST_ROOM} more, but its context window has ${window.tokens}: set a planner with a larger window in the config (planner.model), or register fewer tools.`,
  );
}

/** Estimates of tokens are a little low for JSON. */
const MARGIN = 0.95;

/**
 * No plan is one passage over and over for so long. More than an honest server writes within the tokens that it is told, because an answer
 * that is cut there is repaired.
 */
const REPEATED_CHARACTERS = 131_072;

const fits = ({ choice: { promptTokens } }: Preparation, tokens: number): boolean =>
  promptTokens + LEAST_ROOM <= tokens;

function prepareWithin(
  room: number | undefined,
  { request, further = [], needed, seconds, sensitivity, vectors }: PlanningTask,
  rules: PlannerRules,
  options: Pick<CallOptions, 'exclude' | 'scopes'>,
  { gateway, catalogue, forms }: PreparationParts & Pick<Preparation, 'forms'>,
): Preparation {
  const facts: PromptFacts = {
    leftNanoUsd: leftOf(options.scopes),
    seconds,
    room,
    vectors,
    ...(needed === undefined ? {} : { needed }),
  };
  const parts = promptParts(request, catalogue, facts);
  const chat: ChatRequest = {
    operation: 'chat',
    messages: [{ role: 'system', content: systemText(parts) }, { role: 'user', content: request }, ...further],
    model: PLANNING_MODEL,
    output: { type: 'json' },
    answerTokens: planTokens(catalogue.bounds),
    temperature: 0,
    repeatedCharacters: REPEATED_CHARACTERS,
    optimise: 'quality',
    // The planner's own rounds end with a stronger model.
    escalate: false,
    ...(sensitivity === undefined ? {} : { sensitivity }),
  };
  const choice = choosePlanner(chat, rules, options, { gateway, catalogue, formTokens: forms.tokens });
  return { parts, chat, choice, forms };
}

/** The window of the model that plans; of the largest that can plan, where the router admits none for this prompt. */
function smallestWindow(
  { planners }: PlannerChoice,
  { model }: PlannerRules,
  { models, aliases }: Catalogue,
): { readonly name: string; readonly tokens: number } | undefined {
  const [first] = planners;
  if (first !== undefined) return { name: nameOf(first.target), tokens: first.contextTokens };
  const meant = model === undefined ? undefined : (meantBy(model, aliases) ?? model);
  const able = models.filter(({ provider, card }) =>
    meant === undefined
      ? card.capabilities.includes('planning') && card.operations.includes('chat')
      : `${provider}/${card.id}` === meant || card.id === meant || card.aliases?.includes(meant) === true,
  );
  const largest = [...able].sort((a, b) => b.card.contextTokens - a.card.contextTokens)[0];
  return largest === undefined
    ? undefined
    : { name: `${largest.provider}/${largest.card.id}`, tokens: largest.card.contextTokens };
}

/** The strictest of what the nodes of a plan say of their data: who revises it sees their outputs. */
export function sensitivityOf({ nodes }: Plan, given: Sensitivity | undefined): Sensitivity | undefined {
  const levels = [given, ...nodes.map(({ sensitivity }) => sensitivity)].map((level) =>
    level === undefined ? -1 : SENSITIVITIES.indexOf(level),
  );
  return SENSITIVITIES[Math.max(...levels)];
}
