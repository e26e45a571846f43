/** Reads the files that a catalogue of models is built from, and checks their shape. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const text = z.string().min(1).max(500);
const share = z.number().min(0).max(1);
const day = z.string().regex(/^\d{4}-\d{2}(-\d{2})?$/);
const names = z.array(text).max(100);

const StrengthsSchema = z.object({
  version: text,
  anchors: z.record(text, share),
  models: z.record(
    text,
    z.object({
      providerIds: names.optional(),
      confidence: z.enum(['good', 'medium', 'low']).optional(),
      fields: z.record(text, z.object({ value: share, observations: z.int().positive(), sources: names.min(1) })),
    }),
  ),
});

const SpeedSchema = z.object({
  cards: z.record(
    text,
    z.object({
      ttftMs: z.number().positive().optional(),
      tokensPerSecond: z.number().positive().optional(),
      expectedMs: z.number().positive(),
      grade: text,
    }),
  ),
  models: z.record(
    text,
    z.object({
      measurements: z.array(z.object({ metric: text, value: z.number(), unit: text, source: text })).max(1000),
    }),
  ),
});

const LifecycleSchema = z.object({
  cards: z.record(
    text,
    z.object({
      stage: z.enum(['active', 'deprecated', 'retired']),
      released: day.optional(),
      knowledge: day.optional(),
      endsOn: day.optional(),
      notBefore: day.optional(),
      replacement: text.optional(),
      sources: names.optional(),
    }),
  ),
  vertex: z.record(text, day).optional(),
});

const MappingSchema = z.object({
  cards: z.record(text, z.object({ canonical: text, languages: names.optional() })),
});

const RowSchema = z.object({ model: text, metric: text, value: z.number() });

const SourcesSchema = z.record(
  text,
  z.strictObject({
    from: text,
    date: text,
    licence: text,
    use: z.enum(['open', 'fact', 'cards-only', 'ask-first']),
  }),
);

export type MeasuredStrengths = z.infer<typeof StrengthsSchema>;
export type MeasuredSpeed = z.infer<typeof SpeedSchema>;
export type MeasuredLifecycle = z.infer<typeof LifecycleSchema>;
export type Sources = z.infer<typeof SourcesSchema>;

export type MeasuredRow = z.infer<typeof RowSchema>;

export interface Measures {
  readonly strengths: MeasuredStrengths;
  readonly speed: MeasuredSpeed;
  readonly lifecycle: MeasuredLifecycle;
  readonly mapping: z.infer<typeof MappingSchema>;
  /** Single rows of the source that measures maths. @default none */
  readonly maths?: readonly MeasuredRow[];
}

export const parsed = <T>(path: string, schema: z.ZodType<T>): T => {
  const result = schema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (result.success) return result.data;
  throw new Error(`${path} has not the expected shape:\n${z.prettifyError(result.error)}`);
};

/** @throws when a file is missing or has another shape */
export function readMeasures(folder: string): Measures {
  return {
    strengths: parsed(join(folder, 'strengths.json'), StrengthsSchema),
    speed: parsed(join(folder, 'speed.json'), SpeedSchema),
    lifecycle: parsed(join(folder, 'lifecycle.json'), LifecycleSchema),
    mapping: parsed(join(folder, 'mapping.json'), MappingSchema),
    maths: rowsOf(join(folder, 'measures/simple-evals.jsonl')),
  };
}

/** One row a line; none where the folder has no such file. */
function rowsOf(path: string): readonly MeasuredRow[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  const result = z
    .array(RowSchema)
    .max(100_000)
    .safeParse(lines.map((line) => JSON.parse(line)));
  if (result.success) return result.data;
  throw new Error(`${path} has not the expected shape:\n${z.prettifyError(result.error)}`);
}

/** The sources with their terms. @throws when the file has another shape */
export const readSources = (path: string): Sources => parsed(path, SourcesSchema);
