/** How likely the conditions of a plan are, and which of them exclude each other. */
import type { ForecastCondition } from '../../core/run/simulation.ts';
import { compileCondition, type ParsedCondition } from '../../language/condition.ts';
import type { NodeAnalysis, PlanAnalysis } from '../analysis/plan-analysis.ts';
import { RUN_SHARE } from './assumptions.ts';

/** What a condition asks of one value: whether it is one of these, or not; undefined: something else. */
interface Question {
  readonly value: string;
  readonly answers: readonly string[];
  readonly isNegated: boolean;
}

/** The conditions by the ids of their nodes. */
export function forecastConditions({ nodes }: PlanAnalysis): ReadonlyMap<string, ForecastCondition> {
  const questions = new Map<string, Question>();
  const answers = new Map<string, Set<string>>();
  for (const nodeAnalysis of nodes) {
    const question = questionOf(nodeAnalysis);
    if (question === undefined) continue;
    questions.set(nodeAnalysis.node.id, question);
    const known = answers.get(question.value) ?? new Set();
    answers.set(question.value, known);
    for (const answer of question.answers) known.add(answer);
    for (const answer of declaredAnswers(nodeAnalysis)) known.add(answer);
  }
  const conditions = new Map<string, ForecastCondition>();
  for (const { node } of nodes) {
    if (node.when === undefined) continue;
    const question = questions.get(node.id);
    conditions.set(node.id, question === undefined ? unknown(node.id) : partOf(question, answers.get(question.value)));
  }
  return conditions;
}

const unknown = (id: string): ForecastCondition => ({
  question: `of ${id}`,
  count: Math.round(1 / RUN_SHARE),
  answers: [0],
  isNegated: false,
});

function questionOf({ node: { when } }: NodeAnalysis): Question | undefined {
  if (when === undefined) return undefined;
  const compiled = compileCondition(when, { heads: () => true });
  if (!compiled.ok) return undefined;
  const { condition } = compiled;
  const value = onlyValue(condition);
  if (value === undefined) return undefined;
  return condition.comparisons.length === 0 ? ofFlag(when, value) : ofComparison(condition, value);
}

/** The one value that the condition reads. */
function onlyValue({ references, source }: ParsedCondition): string | undefined {
  const [first, ...others] = references;
  // What is joined or chosen from asks more than one thing.
  if (first === undefined || others.length > 0 || /[&|?]/.test(source)) return undefined;
  return JSON.stringify([first.head, ...first.path]);
}

function ofFlag(when: string, value: string): Question | undefined {
  const text = when.trim();
  const isNegated = text.startsWith('!');
  if (!/^!?\s*[\w.]+$/.test(text)) return undefined;
  return { value, answers: ['true'], isNegated };
}

function ofComparison({ comparisons, source }: ParsedCondition, value: string): Question | undefined {
  const [comparison] = comparisons;
  // `!(a == 1)` negates the whole, and arithmetic changes what is compared.
  if (comparison?.literals === undefined || comparisons.length > 1 || /[!+*/%](?!=)|size\(/.test(source))
    return undefined;
  const answers = comparison.literals.map((literal) => JSON.stringify(literal) ?? 'null');
  switch (comparison.operator) {
    case '==':
    case 'in':
      return { value, answers, isNegated: false };
    case '!=':
      return { value, answers, isNegated: true };
    default:
      // The two sides of one bound exclude each other.
      return {
        value: `${value} at ${answers.join()}`,
        answers: ['true'],
        isNegated: comparison.operator.startsWith('>'),
      };
  }
}

/** The names that the value may be, where the type of the node that gives it says so. */
function declaredAnswers({ uses, inferredTypes }: NodeAnalysis): readonly string[] {
  const read = uses.find(({ place }) => place === 'when');
  const inferred = read === undefined ? undefined : inferredTypes.get(read.text);
  const schema = inferred === undefined || inferred === 'any' ? undefined : inferred[0]?.schema;
  const names: unknown = schema?.enum;
  return Array.isArray(names) ? names.slice(0, 100).map((name) => JSON.stringify(name) ?? 'null') : [];
}

/** All answers are alike likely; where only one is known there is another. */
function partOf({ value, answers, isNegated }: Question, known: ReadonlySet<string> = new Set()): ForecastCondition {
  const all = [...known];
  return {
    question: value,
    count: Math.max(2, all.length),
    answers: answers.map((answer) => all.indexOf(answer)),
    isNegated,
  };
}
