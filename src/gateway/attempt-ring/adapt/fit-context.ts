/**
 * Leaves messages out of a conversation until it fits a window.
 *
 * X1. From the middle outwards: what came first says what it is about, and what came last is being answered.
 * X2. A call of a tool and its results stay together or go together.
 * X3. The newest message, with the calls that it answers, always stays. System messages go last.
 */
import type { Message } from '../../../core/model/model.ts';

export interface Fitted {
  readonly messages: readonly Message[];
  readonly left: number;
  readonly leftTokens: number;
  /** False: what has to stay is already too long. */
  readonly fits: boolean;
}

interface Unit {
  readonly indexes: number[];
  readonly isSystem: boolean;
  tokens: number;
}

/** @param excess tokens that are too many, by the same measure as `tokensOf` */
export function withoutMiddle(
  messages: readonly Message[],
  excess: number,
  tokensOf: (message: Message) => number,
): Fitted {
  const units = unitsOf(messages, tokensOf);
  const dropped = new Set<number>();
  let leftTokens = 0;
  for (const unit of droppable(units)) {
    if (leftTokens >= excess) break;
    leftTokens += unit.tokens;
    for (const index of unit.indexes) dropped.add(index);
  }
  const kept = messages.filter((_, index) => !dropped.has(index));
  return { messages: kept, left: dropped.size, leftTokens, fits: leftTokens >= excess };
}

function unitsOf(messages: readonly Message[], tokensOf: (message: Message) => number): readonly Unit[] {
  const units: Unit[] = [];
  /** The unit that made each call which has no result yet. */
  const open = new Map<string, Unit>();
  messages.forEach((message, index) => {
    const answered = idsOf(message, 'tool-result').flatMap((id) => open.get(id) ?? []);
    const known = message.role === 'tool' ? (answered[0] ?? units.at(-1)) : undefined;
    const unit = known ?? { indexes: [], isSystem: message.role === 'system', tokens: 0 };
    if (known === undefined) units.push(unit);
    unit.indexes.push(index);
    unit.tokens += tokensOf(message);
    for (const id of idsOf(message, 'tool-call')) open.set(id, unit);
  });
  return units;
}

function idsOf({ content }: Message, type: 'tool-call' | 'tool-result'): readonly string[] {
  if (typeof content === 'string') return [];
  return content.flatMap((part) => (part.type === type ? [part.id] : []));
}

const lastOf = ({ indexes }: Unit): number => indexes.at(-1) ?? -1;

/** The middle one first, then its neighbours on both sides, the older one before the newer one; then system messages, the newest first. */
function droppable(units: readonly Unit[]): readonly Unit[] {
  const all = units.filter(({ isSystem }) => !isSystem);
  const newest = Math.max(...all.map(lastOf));
  const said = all.filter((unit) => lastOf(unit) !== newest);
  const middle = (said.length - 1) / 2;
  const outwards = said
    .map((unit, index) => ({ unit, away: Math.abs(index - middle) }))
    .sort((a, b) => a.away - b.away);
  return [...outwards.map(({ unit }) => unit), ...units.filter(({ isSystem }) => isSystem).reverse()];
}
