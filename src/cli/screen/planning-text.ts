/** What `polyphony plan` shows while it plans, what a planner is told, and why this one. */
import { addMoney, formatUsd, type NanoUsd } from '../../core/money/money.ts';
import type { PlannerAnswer, PlanningPreview } from '../../core/plan/planner.ts';
import { oneLine, printable } from '../../drawing/plain-text.ts';
import { counted } from './counted.ts';

export interface PlanningProgress {
  /** Takes more of the text of the answer that is being written. */
  written(text: string): void;
  /** Takes an answer with its cost. */
  answered(answer: PlannerAnswer): void;
  line(): string;
}

const costText = (costNanoUsd: NanoUsd | null): string =>
  costNanoUsd === null ? 'at an unknown cost' : `for ${formatUsd(costNanoUsd)}`;

export function planningProgress(): PlanningProgress {
  let characters = 0;
  let rounds = 0;
  let tokens = 0;
  let costNanoUsd: NanoUsd | null = 0;
  return {
    written(text) {
      characters += text.length;
    },
    answered(answer) {
      characters = 0;
      rounds = answer.round;
      tokens += (answer.usage?.input ?? 0) + (answer.usage?.output ?? 0);
      costNanoUsd = addMoney(costNanoUsd, answer.costNanoUsd);
    },
    line() {
      const now = characters === 0 ? '' : `, about ${Math.ceil(characters / CHARACTERS_PER_TOKEN)} tokens written`;
      const before =
        rounds === 0 ? '' : `; ${counted(rounds, 'round')} with ${tokens} tokens ${costText(costNanoUsd)} so far`;
      return `planning …${now}${before}`;
    },
  };
}

/** Of plans in JSON; counting exactly would cost time for each piece. */
const CHARACTERS_PER_TOKEN = 3.5;

/** Each part under its name and tokens, and who would plan. */
export function promptText({ parts, tokens, form, because }: PlanningPreview): string {
  const sections = parts.map((part) => `--- ${part.name}: ${part.tokens} tokens\n${printable(part.text)}`);
  const total = `--- ${tokens} tokens with the request, by estimate`;
  return [...sections, total, formText(form), ...because.map(oneLine)].join('\n\n');
}

function formText({ name, tokens }: PlanningPreview['form']): string {
  if (name === 'json') return '--- 0 tokens for the form: the plan is written as any JSON';
  const how = name === 'schema' ? 'by a schema that the provider enforces' : 'as the argument of a tool';
  return `--- ${tokens} tokens for the form: the plan is written ${how}`;
}

export const becauseText = (because: readonly string[]): string => because.map(oneLine).join('\n');
