/** Runs all classifiers on one text and decides what happens to the findings. */
import { asPolyphonyError, type Call, type Gateway, PolyphonyError, type Warning } from 'polyphony/kit';
import type { Classifier, ClassifierContext, Finding } from './classifier.ts';

export type ModerationAction = 'block' | 'redact' | 'flag' | 'allow';

export interface Inspector {
  readonly classifiers: readonly Classifier[];
  readonly action: (finding: Finding, direction: 'input' | 'output') => ModerationAction;
  readonly failOpen: boolean;
  readonly overlap: number;
}

export interface Span {
  readonly start: number;
  readonly end: number;
  readonly category: string;
}

export interface Inspection {
  readonly spans: readonly Span[];
  readonly warnings: readonly Warning[];
}

/** A text, and the offset of its undecided part (its end, when no more text follows). */
export interface InspectedText {
  readonly text: string;
  /** Text before this offset was judged in an earlier window. */
  readonly from: number;
  readonly until: number;
  /** The character before it. */
  readonly before: string;
  /**
   * What can be replaced: only places with offsets, also everything undecided, or nothing. A finding that cannot be
   * replaced is blocked.
   */
  readonly replaceable: 'places' | 'window' | 'nothing';
}

export const wholeText = (text: string, replaceable: InspectedText['replaceable']): InspectedText => ({
  text,
  from: 0,
  until: text.length,
  before: '',
  replaceable,
});

/**
 * @throws blocked when a finding has the action `block`; plugin-failed when a classifier fails without `failOpen`; the
 * error of the caller's own budget or cancellation
 */
export async function inspect(
  inspector: Inspector,
  call: Call,
  gateway: Gateway,
  direction: 'input' | 'output',
  input: InspectedText,
): Promise<Inspection> {
  const context: ClassifierContext = { call, gateway, direction, before: input.before };
  const spans: Span[] = [];
  const warnings: Warning[] = [];
  const judged = inspector.classifiers.map((classifier) => ask(inspector, classifier, input.text, context));
  for (const [index, { findings, failure }] of (await Promise.all(judged)).entries()) {
    const name = inspector.classifiers[index]?.name ?? '';
    if (failure !== undefined) warnings.push(failure);
    for (const finding of findings) {
      const { start = input.from, end = input.until } = finding;
      // Judged before, or judged again when more text arrives.
      if (end <= input.from || start >= input.until) continue;
      const action = possible(inspector.action(finding, direction), finding, input);
      if (action === 'block') throw blocked(finding.category, name, direction);
      if (action === 'redact') spans.push({ start: Math.max(start, input.from), end, category: finding.category });
      if (action !== 'allow') warnings.push(warningOf(action, finding.category, name, direction));
    }
  }
  return { spans, warnings };
}

const ACTIONS: readonly unknown[] = ['block', 'redact', 'flag', 'allow'] satisfies ModerationAction[];

/** An action that does not exist lets nothing through. */
function possible(action: ModerationAction, { start }: Finding, { replaceable }: InspectedText): ModerationAction {
  if (!ACTIONS.includes(action)) return 'block';
  const cannot = replaceable === 'nothing' || (replaceable === 'places' && start === undefined);
  return action === 'redact' && cannot ? 'block' : action;
}

interface Judged {
  readonly findings: readonly Finding[];
  readonly failure?: Warning;
}

async function ask(
  { failOpen }: Inspector,
  classifier: Classifier,
  text: string,
  context: ClassifierContext,
): Promise<Judged> {
  try {
    return { findings: wellFormed(await classifier.classify(text, context)) };
  } catch (error) {
    const { code, message, retryable } = asPolyphonyError(error);
    if (context.call.signal.aborted || code === 'budget-exceeded') throw error;
    const problem = `The moderation classifier "${classifier.name}" failed: ${message}`;
    if (failOpen) return { findings: [], failure: { code: 'not-moderated', message: problem } };
    const remedy = 'A text that was not judged does not pass: fix the classifier, or set failOpen.';
    throw new PolyphonyError('plugin-failed', `${problem} ${remedy}`, { cause: error, retryable });
  }
}

/** A classifier that answers with something else has judged nothing. */
function wellFormed(findings: readonly Finding[]): readonly Finding[] {
  if (!Array.isArray(findings)) throw new PolyphonyError('invalid-output', 'It returned no list of findings.');
  for (const finding of findings as readonly (Finding | null | undefined)[]) {
    const { category, start = 0, end = Number.POSITIVE_INFINITY } = finding ?? {};
    if (typeof category === 'string' && start <= end) continue;
    throw new PolyphonyError(
      'invalid-output',
      'It returned a finding without a category, or whose end is before its start.',
    );
  }
  return findings;
}

const what = { input: 'request', output: 'answer' } as const;

/** The error never contains the text itself. */
function blocked(category: string, classifier: string, direction: 'input' | 'output'): PolyphonyError {
  return new PolyphonyError(
    'blocked',
    `The ${what[direction]} was blocked, because "${classifier}" found "${category}" in it. Change the ${direction === 'input' ? 'request' : 'question'} or the moderation rules.`,
    { details: { category, classifier, direction } },
  );
}

function warningOf(action: 'redact' | 'flag', category: string, name: string, direction: 'input' | 'output'): Warning {
  const done = action === 'redact' ? 'replaced' : 'passed unchanged';
  return {
    code: action === 'redact' ? 'redacted' : 'flagged',
    message: `"${name}" found "${category}" in the ${what[direction]}: the text was ${done}.`,
  };
}

/** The part of the text from `from` to `to` with its spans replaced. */
export function redacted(text: string, spans: readonly Span[], from: number, to: number): string {
  let shown = '';
  let at = from;
  for (const { start, end, category } of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (start >= to || end <= at) continue;
    if (start >= at) shown += `${text.slice(at, start)}[${category}]`;
    at = Math.min(to, end);
  }
  return shown + text.slice(at, Math.max(at, to));
}
