/** Which deployments satisfy every requirement and limit of a request, and what the others fail. */
import type { Warning } from '../../core/model/model.ts';
import { nameOf } from '../calls/target.ts';
import { figuresFor, keepFigures, Measures, type Negotiation } from './negotiation.ts';
import type { Deployment } from './registry.ts';
import { ABILITIES, endOf, hasEnded, PLAIN, PlainNumbers, RULES, type Rule } from './rules.ts';

const applying = (rules: readonly Rule[], question: Negotiation): readonly Rule[] =>
  rules.filter(({ applies }) => applies === undefined || applies(question));

function failsNone(rules: readonly Rule[], deployment: Deployment, question: Negotiation, measures: Measures): boolean {
  for (const rule of rules) if (rule.fails(deployment, question, measures)) return false;
  return true;
}

/** Whether one of those that are meant could serve such a request, with no regard to limits, sensitivity and exclusions. */
export function someCapable(
  deployments: readonly Deployment[],
  question: Negotiation,
  isMeant: (deployment: Deployment) => boolean,
): boolean {
  const rules = applying(ABILITIES, question);
  const measures = new Measures(question);
  return deployments.some((deployment) => isMeant(deployment) && failsNone(rules, deployment, question, measures));
}

/** Those that fail no rule. No message is made, because nobody reads it. `selection`: that of the same question. */
export function satisfying(
  deployments: readonly Deployment[],
  question: Negotiation,
  selection?: Selection,
): readonly Deployment[] {
  const [only] = deployments;
  if (
    selection === undefined &&
    deployments.length === 1 &&
    only !== undefined &&
    question.request.limits === undefined
  )
    return isAble(only, question) ? deployments : NONE;
  return selected(deployments, question, selection ?? new Selection(question));
}

const NONE: readonly Deployment[] = [];

/** What a selection would find of it, without what makes asking many cheap. */
function isAble(deployment: Deployment, question: Negotiation): boolean {
  const measures = new Measures(question);
  if (failsApplying(BY_TERMS, deployment, question, measures)) return false;
  const isPlain = new PlainNumbers(question).fit(deployment.row);
  if (!isPlain && failsApplying(PLAIN_RULES, deployment, question, measures)) return false;
  return !failsApplying(OTHERS, deployment, question, measures);
}

function failsApplying(
  rules: readonly Rule[],
  deployment: Deployment,
  question: Negotiation,
  measures: Measures,
): boolean {
  for (const { applies, fails } of rules)
    if ((applies === undefined || applies(question)) && fails(deployment, question, measures)) return true;
  return false;
}

function selected(
  deployments: readonly Deployment[],
  question: Negotiation,
  selection: Selection,
): readonly Deployment[] {
  if (question.request.limits === undefined) {
    const able: Deployment[] = [];
    for (const deployment of deployments) if (selection.has(deployment)) able.push(deployment);
    return able;
  }
  const able: Deployment[] = [];
  const { measures } = selection;
  const found = figuresFor(deployments.length);
  for (const deployment of deployments) {
    if (!selection.has(deployment) || !measures.isWithin(deployment)) continue;
    found.quality[able.length] = measures.quality;
    found.nanoUsd[able.length] = measures.nanoUsd;
    found.isUnknown[able.length] = Number.isNaN(measures.p95Ms) ? 1 : 0;
    able.push(deployment);
  }
  keepFigures(found, able);
  return able;
}

const PASSES = 1;
const FAILS = 2;

const BY_TERMS = RULES.filter(({ byTerms }) => byTerms === true);
const PLAIN_RULES = [...PLAIN];
const OTHERS = RULES.filter((rule) => rule.byTerms !== true && rule.isLimit !== true && !PLAIN.has(rule));

/** The rules of one request without its limits, asked as seldom as they can be. */
export class Selection {
  readonly measures: Measures;
  readonly #question: Negotiation;
  readonly #byTerms: readonly Rule[];
  readonly #plain: readonly Rule[];
  readonly #others: readonly Rule[];
  readonly #numbers: PlainNumbers;
  /** By terms; 0 for those that were not asked for. */
  readonly #found: Uint8Array;

  constructor(question: Negotiation) {
    this.measures = new Measures(question);
    this.#question = question;
    this.#byTerms = applying(BY_TERMS, question);
    this.#plain = applying(PLAIN_RULES, question);
    this.#others = applying(OTHERS, question);
    this.#numbers = new PlainNumbers(question);
    this.#found = new Uint8Array(question.registry.columns.termCount);
  }

  has(deployment: Deployment): boolean {
    const found = this.#found[deployment.terms];
    if (found === FAILS) return false;
    if (found !== PASSES && !this.#passes(deployment)) return false;
    if (!this.#numbers.fit(deployment.row) && !this.#failsNone(this.#plain, deployment)) return false;
    return this.#others.length === 0 || this.#failsNone(this.#others, deployment);
  }

  #passes(deployment: Deployment): boolean {
    const passes = this.#failsNone(this.#byTerms, deployment);
    this.#found[deployment.terms] = passes ? PASSES : FAILS;
    return passes;
  }

  #failsNone(rules: readonly Rule[], deployment: Deployment): boolean {
    return failsNone(rules, deployment, this.#question, this.measures);
  }
}

/** What deployments fail of a request: every requirement and limit, as predicates with their values. */
export function failuresOf(question: Negotiation): (deployment: Deployment) => readonly string[] {
  const rules = applying(RULES, question);
  const measures = new Measures(question);
  return (deployment) => {
    const failed: string[] = [];
    for (const rule of rules)
      if (rule.fails(deployment, question, measures)) failed.push(rule.says(deployment, question, measures));
    return failed;
  };
}

// ---------------------------------------------------------------------------------------------------- who is asked

/**
 * The deployments that the request names, or all. Those that stand in are left out where another one of them could serve such a
 * request, even if not within its limits: the caller is then told what it fails, and no stand-in answers in its place.
 */
export function askedOf(question: Negotiation): readonly Deployment[] {
  const { registry, needs } = question;
  const { id } = needs.choice;
  const asked = id === undefined ? registry.deployments : living(registry.named(id), question);
  if (!registry.hasStandIns || !someCapable(asked, question, isNoStandIn)) return asked;
  return asked.filter(isNoStandIn);
}

const isNoStandIn = ({ card }: Deployment): boolean => card.standIn !== true;

/** The deployments that have not ended; all where every one of them has. */
function living(named: readonly Deployment[], question: Negotiation): readonly Deployment[] {
  if (named.length < 2 || !named.some((deployment) => hasEnded(deployment, question))) return named;
  const alive = named.filter((deployment) => !hasEnded(deployment, question));
  return alive.length > 0 ? alive : named;
}

/** What the response says where the request names a model that has ended by what is known of it. */
export function endedWarning(question: Negotiation, first: Deployment | undefined): Warning | undefined {
  if (question.needs.choice.id === undefined || first === undefined || !hasEnded(first, question)) return undefined;
  const message = `${nameOf(first.target)} ${endOf(first.card)} by what is known of it, and was asked because the request names it: choose another model, or correct its lifecycle in the config (models).`;
  return { code: 'model-retired', message };
}
