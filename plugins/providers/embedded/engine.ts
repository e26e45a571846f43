/** Answers one chat request, from messages to text. The provider loads this module at its first use. */
import type { ChatRequest, JsonSchema, JsonValue } from 'polyphony/kit';
import { answer } from './answers.ts';
import { classify } from './classification.ts';
import { fieldsValue } from './fields/extraction.ts';
import { fillSchema } from './fields/schema.ts';
import { figuresValue, isFiguresShape } from './figures/shape.ts';
import { planText } from './planner/planner.ts';
import { type Reply, readAll, reply } from './reply.ts';
import type { Effort } from './summary.ts';
import { readTask, type Task } from './task.ts';
import { keyTerms } from './terms.ts';

interface Response extends Reply {
  /** The jobs done, for the warning on the response. */
  readonly done: string;
}

/** Answers a chat request. @throws unsupported for what needs a language model */
export function respond(request: ChatRequest, effort: Effort): Response {
  const structured = request.output !== undefined;
  const task = readTask(request.messages, { structured });
  const done = task.jobs.length === 0 ? 'extract' : task.jobs.join(', ');
  if (!structured) return { ...reply(task, effort), done };
  const schema = request.output?.schema;
  const { value, confidence } = schema === undefined ? freeJson(task, effort) : typed(schema, task, effort);
  return { text: JSON.stringify(value), confidence, done };
}

function typed(schema: JsonSchema, task: Task, effort: Effort): { value: JsonValue; confidence: number } {
  if (isFiguresShape(schema)) return figuresValue(task);
  return fieldsValue(schema, task, effort) ?? fillSchema(schema, task, effort);
}

/** Answers a planning request with a plan as JSON. @throws unsupported for what this engine cannot plan */
export function respondWithPlan(request: ChatRequest): Response {
  return { text: planText(request.messages), confidence: 0.8, done: 'plan' };
}

/** JSON mode without a schema: one field per job. */
function freeJson(task: Task, effort: Effort): { value: JsonValue; confidence: number } {
  const text = task.documents.map((document) => document.text).join('\n\n');
  const fields = new Map<string, JsonValue>();
  let confidence = 1;
  const whole = readAll(task);
  for (const job of task.jobs.length === 0 ? (['summarise', 'key-terms'] as const) : task.jobs) {
    const single = { ...task, jobs: [job] };
    const done = reply(single, effort);
    confidence = Math.min(confidence, done.confidence);
    if (job === 'key-terms')
      fields.set(
        'terms',
        keyTerms(whole, task.terms ?? 10).map(({ term }) => term),
      );
    else if (job === 'classify') fields.set('label', classify(text, task.labels).label);
    else if (job === 'answer') {
      fields.set('answer', done.text);
      fields.set('found', answer(whole, task.question).found);
    } else fields.set(job === 'summarise' ? 'summary' : job, done.text);
  }
  fields.set('confidence', Math.round(confidence * 100) / 100);
  return { value: Object.fromEntries(fields), confidence };
}

/** Splits an answer into the pieces that are streamed: sentences and lines. Joined, they equal the text. */
export function sentenceChunks(text: string): string[] {
  const chunks: string[] = [];
  let start = 0;
  for (const end of text.matchAll(/[.!?。！？][)"'”’\]]*\s+|\n+/g)) {
    const next = end.index + end[0].length;
    if (next - start < 20) continue;
    chunks.push(text.slice(start, next));
    start = next;
  }
  if (start < text.length) chunks.push(text.slice(start));
  return chunks;
}

/** JSON in pieces of `size` characters. */
export function plainChunks(text: string, size = 160): string[] {
  const chunks: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = /[\uD800-\uDBFF]/.test(text.charAt(at + size - 1)) ? at + size + 1 : at + size;
    chunks.push(text.slice(at, end));
    at = end;
  }
  return chunks;
}
