/** The answer of a node that prepares figures for the tool `calculate`: what each one is of, and its expression. */
import { asRecord, type JsonSchema, type JsonValue } from 'polyphony/kit';
import { refusal } from '../refusal.ts';
import type { Task } from '../task.ts';
import { type Figures, figuresOf } from './figures.ts';
import { figuresOfText, namesIn, tableOf } from './material-table.ts';
import { mayAskFigure } from './operations.ts';

const text = { type: 'string' } as const;

export const FIGURES_SHAPE = {
  type: 'object',
  properties: {
    figures: {
      type: 'array',
      items: {
        type: 'object',
        properties: { of: text, expression: text },
        required: ['of', 'expression'],
        additionalProperties: false,
      },
    },
    note: text,
  },
  required: ['figures', 'note'],
  additionalProperties: false,
} as const;

/** True for a schema of that shape, also where a plan adds to it. */
export function isFiguresShape(schema: JsonSchema): boolean {
  const list = asRecord(asRecord(schema.properties)?.figures);
  return asRecord(asRecord(list?.items)?.properties)?.expression !== undefined;
}

/** What a task asks a figure about: the part behind `Question:`, else its last question, else all of it. */
export function askedFigureOf({ instruction, question }: Task): string {
  const marked = /(?:^|\n)\s*question:\s*([\s\S]+)$/i.exec(instruction)?.[1];
  if (marked !== undefined) return marked.trim();
  return question !== '' && mayAskFigure(question) ? question : instruction;
}

/** @throws unsupported where the text has neither a table nor numbers to work on */
export function figuresOfTask(task: Task): Figures {
  const asked = askedFigureOf(task);
  const source = task.json === undefined ? task.documents : [{ name: task.documents[0]?.name ?? '', text: task.json }];
  const found = source.flatMap((document) => {
    const table = tableOf(document);
    return table === undefined ? [] : [figuresOf(asked, table, [document.name, ...namesIn(task.instruction)])];
  });
  const shown =
    found.find(({ figures }) => figures.length > 0) ??
    found[0] ??
    figuresOfText(asked, task.documents.map((document) => document.text).join('\n\n'));
  if (shown !== undefined) return shown;
  throw refusal('The request asks for a figure, but the given text has no table or list of numbers to take it from.');
}

/** The figures as the value of the shape. @throws unsupported as `figuresOfTask` does */
export function figuresValue(task: Task): { value: JsonValue; confidence: number } {
  const { figures, note } = figuresOfTask(task);
  const listed = figures.map(({ of, expression }) => ({ of, expression }));
  return { value: { figures: listed, note }, confidence: figures.length === 0 ? 0.1 : 0.85 };
}
