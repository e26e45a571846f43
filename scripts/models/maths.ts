/**
 * Maths as a field of its own, from the one openly licensed measurement of it. The reasoning of a model and its share of solved
 * problems are on a line where both are taken as logits; the line is fitted by least squares over the models of which both are
 * known, and gives a value on the scale of all other fields. Without it, maths would only be a part of reasoning.
 */
import type { MeasuredStrength } from '../../src/core/model/model-facts.ts';
import type { MeasuredRow, MeasuredStrengths } from './read-measures.ts';

const METRIC = 'math';
const SOURCE = 'simple-evals';
/** A line through fewer models says nothing of others. */
const LEAST_MODELS = 8;

const logit = (share: number): number => {
  const clamped = Math.min(0.995, Math.max(0.005, share));
  return Math.log(clamped / (1 - clamped));
};

/** By the model's own name; empty where too few models are known by both. */
export function mathsOf(
  rows: readonly MeasuredRow[],
  { models }: MeasuredStrengths,
): ReadonlyMap<string, MeasuredStrength> {
  const best = new Map<string, number>();
  for (const { model, metric, value } of rows) {
    if (metric === METRIC && models[model] !== undefined) best.set(model, Math.max(value, best.get(model) ?? 0));
  }
  const points = [...best].flatMap(([model, percent]) => {
    const reasoning = models[model]?.fields.reasoning?.value;
    return reasoning === undefined ? [] : [{ x: logit(percent / 100), y: logit(reasoning) }];
  });
  if (points.length < LEAST_MODELS) return new Map();
  const line = fitted(points);
  const strengthAt = (percent: number): MeasuredStrength => ({
    value: Math.round(1000 / (1 + Math.exp(-line(logit(percent / 100))))) / 1000,
    observations: 1,
    sources: [SOURCE],
  });
  return new Map([...best].map(([model, percent]) => [model, strengthAt(percent)]));
}

function fitted(points: readonly { readonly x: number; readonly y: number }[]): (x: number) => number {
  const mean = (of: (point: { readonly x: number; readonly y: number }) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const spread = mean((point) => (point.x - x) ** 2);
  const slope = spread === 0 ? 0 : mean((point) => (point.x - x) * (point.y - y)) / spread;
  return (at) => y + slope * (at - x);
}
