/** Parses a conversation: which jobs it asks for, and on which texts. */
import { defined, type Message } from 'polyphony/kit';
import { asksBullets, BULLET_NOUNS } from './bullets.ts';
import type { Label } from './classification.ts';
import { asksEach } from './each-document.ts';
import { fieldsIn } from './fields/asked-fields.ts';
import { asksLength, asRows, isTable, tableOf } from './figures/material-table.ts';
import { mayAskFigure } from './figures/operations.ts';
import { countBefore, type Intent, type JobType, readIntent } from './intent.ts';
import { readLabels } from './labels.ts';
import { type Material, type Prompt, splitPrompt, splitSystem } from './material.ts';
import { refusal } from './refusal.ts';

export interface Task {
  readonly jobs: readonly JobType[];
  readonly instruction: string;
  readonly question: string;
  readonly labels: readonly Label[];
  /** At least one, none of them empty. */
  readonly documents: readonly Material[];
  readonly sentences?: number;
  readonly words?: number;
  readonly terms?: number;
  /** The names of the fields that the instruction asks for. */
  readonly fields: readonly string[];
  /** The JSON that the documents were made of, if they were: it may be a table. */
  readonly json?: string;
  /** A result for each document. */
  readonly each: boolean;
  /** A summary as a list of points. */
  readonly bullets: boolean;
}

interface TaskOptions {
  /** True when the caller wants JSON of a given shape: an instruction that names no job then asks for extraction. */
  readonly structured: boolean;
}

/** @throws unsupported when the conversation asks for what the engine cannot do, or contains no text to work on */
export function readTask(messages: readonly Message[], { structured }: TaskOptions): Task {
  const whole = messages
    .filter(({ role }) => role === 'system')
    .map(textOfMessage)
    .join('\n')
    .trim();
  const { instruction: system, documents: context } = splitSystem(whole);
  const turns = messages
    .filter(({ role }) => role !== 'system')
    .map((message) => ({ role: message.role, text: textOfMessage(message) }));
  const last = turns.findLast(({ role, text }) => role === 'user' && text.trim() !== '')?.text ?? '';
  const split = splitPrompt(last);
  const asked = readIntent(split.instruction);
  const prompt = isEcho(split, asked, system) ? { instruction: '', documents: [{ name: '', text: last }] } : split;
  const own = prompt === split ? asked : readIntent('');
  const intent = combine(own, prompt, system);
  if (intent.beyond !== undefined)
    throw refusal(`The request asks to "${intent.beyond}", which needs a language model.`);
  const earlier = turns.filter(({ text }) => text !== last).map(({ text }) => text);
  const documents = given(prompt, { asked: own, earlier, last, intent, context });
  const instruction = own.jobs.length > 0 ? prompt.instruction : `${system}\n${prompt.instruction}`.trim();
  if (intent.jobs.length === 0 && !structured) {
    throw refusal('The request asks for nothing that this engine can do.');
  }
  if (documents.length === 0) {
    const asked = intent.jobs.includes('answer')
      ? 'The request asks a question, but it contains no text to answer it from.'
      : 'The request contains no text to work on.';
    throw refusal(asked);
  }
  const source = prompt.json === undefined ? documents : [{ name: documents[0]?.name ?? '', text: prompt.json }];
  const jobs = withFigures(intent.jobs, prompt.question ?? instruction, source);
  const read = jobs.length === 1 && jobs[0] === 'answer' ? documents.map(asRows) : documents;
  return { ...details({ jobs }, prompt, instruction, system), documents: read, ...defined({ json: prompt.json }) };
}

/** A question about a figure is one where the material is a table: elsewhere "the highest mountain" is quoted. */
function withFigures(jobs: readonly JobType[], asked: string, documents: readonly Material[]): readonly JobType[] {
  if (jobs.length !== 1 || jobs[0] !== 'answer' || !mayAskFigure(asked)) return jobs;
  if (asksLength(asked)) return ['figures'];
  return documents.some((document) => tableOf(document) !== undefined && isTable(document)) ? ['figures'] : jobs;
}

/** A user message without an instruction is material as a whole when the system prompt contains the instruction. */
function isEcho({ instruction, question, documents }: Prompt, asked: Intent, system: string): boolean {
  if (asked.jobs.length > 0 || asked.beyond !== undefined || question !== undefined) return false;
  return instruction !== '' && documents.length === 0 && readIntent(system).jobs.length > 0;
}

function combine(own: Intent, prompt: Prompt, system: string): Intent {
  if (own.beyond !== undefined) return own;
  if (prompt.question !== undefined)
    return { jobs: own.jobs.length > 0 ? [...new Set([...own.jobs, 'answer' as const])] : ['answer'] };
  const ruling = readIntent(system);
  // Under a system prompt that states the job ("classify the ticket"), a question is itself the material.
  const named = own.jobs.filter((job) => job !== 'answer');
  if (named.length > 0) return { jobs: own.jobs };
  const rulingJobs = ruling.jobs.filter((job) => job !== 'answer');
  if (rulingJobs.length > 0) return ruling.beyond === undefined ? { jobs: rulingJobs } : ruling;
  if (own.jobs.length > 0) return { jobs: own.jobs };
  // "Answer the user's questions" is no job as long as no question is asked.
  return system.includes('?') ? ruling : { jobs: [] };
}

interface Surroundings {
  /** What the instruction of the last message asks for by itself. */
  readonly asked: Intent;
  readonly earlier: readonly string[];
  readonly last: string;
  readonly intent: Intent;
  readonly context: readonly Material[];
}

/** The texts of the last message, else the whole message, else those of the system prompt, else earlier turns. */
function given(prompt: Prompt, { asked, earlier, last, intent, context }: Surroundings): Material[] {
  const solid = ({ text }: Material) => text.trim() !== '';
  const own = prompt.documents.filter(solid);
  if (own.length > 0) return own;
  const ruledBySystem = intent.jobs.length > 0 && !intent.jobs.some((job) => asked.jobs.includes(job));
  if (ruledBySystem && last.trim() !== '') return [{ name: '', text: last }];
  if (context.some(solid)) return context.filter(solid);
  const past = earlier.filter((text) => text.length > 80).map((text) => splitPrompt(text));
  return past.flatMap(({ documents }) => documents.filter(solid)).slice(-20);
}

function details(intent: Intent, prompt: Prompt, instruction: string, system: string): Omit<Task, 'documents'> {
  const sentences =
    countBefore(instruction, `sentences?|sätzen?|satz|phrases?|frases|frasi|zinnen|${BULLET_NOUNS}`) ??
    byTone(instruction);
  const words = countBefore(instruction, 'words|wörter|mots|palabras|parole');
  const terms = countBefore(instruction, 'terms?|keywords?|key|topics?|tags?|concepts?|phrases');
  const labels = readLabels(prompt.instruction);
  return {
    jobs: intent.jobs,
    instruction,
    question: prompt.question ?? questionOf(prompt.instruction === '' ? system : prompt.instruction),
    labels: labels.length > 0 ? labels : readLabels(system),
    fields: fieldsIn(instruction),
    each: asksEach(instruction),
    bullets: asksBullets(instruction, sentences),
    ...defined({ sentences, words, terms }),
  };
}

const byTone = (instruction: string): number | undefined => {
  if (/\b(?:one[- ]line|tl;?dr|very short|a sentence)\b/i.test(instruction)) return 1;
  if (/\b(?:brief|short|concise)/i.test(instruction)) return 2;
  return /\b(?:detailed|comprehensive|long|thorough)\b/i.test(instruction) ? 8 : undefined;
};

/** The question in an instruction: its last one, else the whole instruction. */
function questionOf(instruction: string): string {
  const questions = instruction.match(/[^.!?\n:]{3,500}\?/g);
  return (questions?.at(-1) ?? instruction).trim();
}

function textOfMessage({ content }: Message): string {
  if (typeof content === 'string') return content;
  return content
    .flatMap((part) => {
      if (part.type === 'text') return part.text;
      if (part.type === 'tool-result') {
        return typeof part.content === 'string'
          ? part.content
          : part.content.flatMap((inner) => (inner.type === 'text' ? inner.text : []));
      }
      return [];
    })
    .join('\n\n');
}
