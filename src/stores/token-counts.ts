/** What providers counted of prompts, beside our own estimates, by model. */
import type { LedgerRow } from '../core/stores.ts';

export interface TokenCounts {
  /** `provider/model`. */
  readonly model: string;
  /** Answers whose provider stated the tokens of a prompt of text, of 64 estimated tokens or more. */
  readonly answers: number;
  /** Prompt tokens by our own estimates, a quarter of the bytes. */
  readonly estimated: number;
  /** Prompt tokens as the provider counted them. */
  readonly claimed: number;
  /** `claimed / estimated` of the answers before the recent ones; null for none. */
  readonly before: number | null;
  /** The same of the recent ones. */
  readonly recent: number | null;
  /** `recent / before - 1`: 0.1 means that it lately counts a tenth more for the same text; null where one of them is missing. */
  readonly drift: number | null;
}

/** Shorter prompts consist of what providers add. */
export const SHORTEST = 64;

interface Sum {
  answers: number;
  estimated: number;
  claimed: number;
}

/** One pass, a few numbers for each model. @param recentFromMs epoch milliseconds from which answers are recent */
export async function tokenCounts(
  rows: AsyncIterable<LedgerRow>,
  recentFromMs: number,
): Promise<readonly TokenCounts[]> {
  const models = new Map<string, { readonly before: Sum; readonly recent: Sum }>();
  for await (const { target, usage, estimatedInput = 0, startedAt } of rows) {
    if (usage === null || estimatedInput < SHORTEST) continue;
    const model = `${target.provider}/${target.model}`;
    const known = models.get(model) ?? { before: nothing(), recent: nothing() };
    models.set(model, known);
    const sum = startedAt >= recentFromMs ? known.recent : known.before;
    sum.answers += 1;
    sum.estimated += estimatedInput;
    sum.claimed += usage.input;
  }
  return [...models].map(([model, { before, recent }]) => countsOf(model, before, recent));
}

const nothing = (): Sum => ({ answers: 0, estimated: 0, claimed: 0 });
const ratioOf = ({ estimated, claimed }: Sum): number | null => (estimated === 0 ? null : claimed / estimated);

function countsOf(model: string, before: Sum, recent: Sum): TokenCounts {
  const [earlier, lately] = [ratioOf(before), ratioOf(recent)];
  return {
    model,
    answers: before.answers + recent.answers,
    estimated: before.estimated + recent.estimated,
    claimed: before.claimed + recent.claimed,
    before: earlier,
    recent: lately,
    drift: earlier === null || lately === null || earlier === 0 ? null : lately / earlier - 1,
  };
}
