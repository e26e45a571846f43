/** What was measured, as the strength `planning` in a file of models: `modelsFile` of a config names it. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { EvaluationReport } from './report.ts';

/** Fewer requests than this, or more that were not answered, say too little about a model. */
const LEAST_REQUESTS = 40;
const MOST_UNANSWERED = 0.1;

/** The scale of cards: 0.34 is a model that plans nothing, 0.99 one that writes every gold plan. See docs/reference/models.md. */
export const planningStrength = (score: number): number => Math.round((0.34 + 0.65 * score) * 1000) / 1000;

type Fields = Record<string, unknown>;

/** Why a report says too little to be written down; undefined: it does not. */
export function tooLittle({ model, requests, measured }: EvaluationReport): string | undefined {
  if (model === null) return 'no model answered';
  if (measured < LEAST_REQUESTS) return `${measured} requests were measured, and ${LEAST_REQUESTS} are needed`;
  if (measured < requests * (1 - MOST_UNANSWERED))
    return `${requests - measured} of ${requests} requests were not answered`;
  return undefined;
}

/** The file with the figure of this model; all else of it stays. @throws for a file that is no file of models */
export function withPlanning(before: unknown, model: string, score: number): Fields {
  const file = fieldsOf(before ?? {}, 'the file');
  const models = fieldsOf(file.models ?? {}, 'models');
  const own = fieldsOf(Object.hasOwn(models, model) ? models[model] : {}, model);
  const strengths = { ...fieldsOf(own.strengths ?? {}, 'strengths'), planning: planningStrength(score) };
  return { ...file, models: { ...models, [model]: { ...own, strengths } } };
}

function fieldsOf(value: unknown, name: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new Error(`${name} is no object: name a JSON file of models, or one that is not there yet.`);
}

/** Writes the figure beside the others of the file. @throws when the report says too little, or the file is none of models */
export function writeOverlay(path: string, report: EvaluationReport): void {
  const reason = tooLittle(report);
  if (reason !== undefined || report.model === null) throw new Error(`${path} stays as it is: ${reason}.`);
  const before: unknown = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
  const text = `${JSON.stringify(withPlanning(before, report.model, report.score), null, 2)}\n`;
  // Whoever reads the file meanwhile finds the old one or the new one, and no half.
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
