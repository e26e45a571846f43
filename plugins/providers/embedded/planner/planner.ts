/**
 * The embedded planner: turns requests over local files, or over a text that the request contains, into plans of several
 * nodes. It plans only what the embedded engine can do and refuses the rest.
 */
import { defined, type JsonValue, type Message } from 'polyphony/kit';
import { arithmeticIn } from '../figures/arithmetic.ts';
import { askedFigureOf } from '../figures/shape.ts';
import type { JobType } from '../intent.ts';
import { refusal } from '../refusal.ts';
import { readTask, type Task } from '../task.ts';
import { type FileJob, type FileReference, fileReferences, readFileJobs } from './planner-request.ts';
import { FIGURE_INSTRUCTION, fieldKey, fieldsShape, figurePart } from './planner-results.ts';

interface Node {
  readonly id: string;
  readonly use: string;
  readonly [field: string]: JsonValue;
}

/** A text that a prompt refers to: its rendering, and the name that its nodes derive from. */
interface TextSource {
  readonly name: string;
  readonly slug: string;
  /** The node that returns an array of `{ text, path }`, one per item. */
  readonly list?: string;
  /** The list node of a pattern. */
  readonly files?: string;
  readonly rendered: string;
}

interface Draft {
  readonly nodes: Node[];
  readonly output: Map<string, JsonValue>;
  readonly sources: Map<string, TextSource>;
  readonly tools: ReadonlySet<string>;
  readonly model: { readonly model?: { readonly tier: 'fast' } };
}

const GOAL_LENGTH = 300;
const CALCULATE = 'tool:calculate';

/** The plan of the last request, as JSON. @throws unsupported when the request needs a language model or a missing tool */
export function planText(messages: readonly Message[]): string {
  if (messages.some(({ role }) => role === 'assistant')) {
    throw refusal('The embedded planner cannot repair a plan: it would return the same plan again.');
  }
  const system = messages
    .filter(({ role }) => role === 'system')
    .map(contentOf)
    .join('\n');
  const request = contentOf(messages.findLast(({ role }) => role === 'user')).trim();
  if (request === '') throw refusal('The request is empty.');
  const catalogue = readCatalogue(system);
  const tiers = catalogue.tiers;
  const model = tiers.length === 0 || tiers.includes('fast') ? { model: { tier: 'fast' as const } } : {};
  const draft: Draft = { nodes: [], output: new Map(), sources: new Map(), tools: catalogue.tools, model };
  refuseAddress(request);
  const expression = arithmeticIn(request);
  if (expression !== undefined) addArithmetic(draft, expression);
  else if (isAboutFiles(request)) for (const job of readFileJobs(request)) addFileJob(draft, job);
  else addInlineJobs(draft, request);
  const goal = request.replace(/\s+/g, ' ').slice(0, GOAL_LENGTH);
  return JSON.stringify({ version: 1, goal, nodes: draft.nodes, output: Object.fromEntries(draft.output) });
}

function addArithmetic(draft: Draft, expression: string): void {
  if (!draft.tools.has(CALCULATE))
    throw refusal(`The request is a calculation, but the catalogue has no ${CALCULATE}: register that tool.`);
  draft.nodes.push({ id: 'result', use: CALCULATE, in: { expression } });
  draft.output.set('result', '{{result.value}}');
}

/** Refuses a web page that the request names in place of a text, because it would have to be fetched. */
function refuseAddress(request: string): void {
  const address = /https?:\/\/\S+/.exec(request)?.[0];
  if (address === undefined || request.length > 200 + address.length) return;
  throw refusal(`The request names ${address}, but this planner reads only local files.`);
}

/** Files count only in the instruction of the request, not inside a text that it contains. */
function isAboutFiles(request: string): boolean {
  const head = /^[\s\S]{0,600}?(?=:\s*\S{1,40}\s\S|\n\s*\n|$)/.exec(request)?.[0] ?? request;
  return fileReferences(head).length > 0 || (request.length < 500 && fileReferences(request).length > 0);
}

function contentOf(message: Message | undefined): string {
  if (message === undefined) return '';
  if (typeof message.content === 'string') return message.content;
  return message.content.flatMap((part) => (part.type === 'text' ? part.text : [])).join('\n');
}

const TOOL_LINE = /^(tool:[\w-]{1,100})\(/;
const TIER = /^(?:\S{1,300}|\d+ more) (fast|balanced|premium)\b/;

/** The tools and the tiers of the lines between the tags. */
function readCatalogue(system: string): { tools: ReadonlySet<string>; tiers: readonly string[] } {
  const start = system.lastIndexOf('<catalogue>');
  const end = system.lastIndexOf('</catalogue>');
  const lines = start === -1 || end < start ? [] : system.slice(start + '<catalogue>'.length, end).split('\n');
  const models = lines.lastIndexOf('Models:');
  const tools = new Set(lines.flatMap((line) => TOOL_LINE.exec(line)?.[1] ?? []));
  const tiers = models < 0 ? [] : lines.slice(models).flatMap((line) => TIER.exec(line)?.[1] ?? []);
  return { tools, tiers };
}

// ------------------------------------------------------------------------------------------------- files

function addFileJob(draft: Draft, job: FileJob): void {
  const sources = job.files.map((file) => sourceOf(draft, file));
  const whole = job.job === 'compare' || (job.job === 'answer' && !job.each) || job.together;
  if (job.job === 'compare' && sources.length === 1 && sources[0]?.list === undefined) {
    throw refusal(`A comparison needs at least two files, but the request names only ${job.files[0]?.path ?? 'one'}.`);
  }
  // Key terms of several files are computed over all of them, unless the request asks for each file.
  const joined =
    whole ||
    (job.job === 'key-terms' &&
      sources.every(({ list }) => list === undefined) &&
      !/\b(?:each|every|both)\b/i.test(job.clause));
  if (joined && sources.length > 0) addNode(draft, job, sources);
  else for (const source of sources) addNode(draft, job, [source]);
}

/** The node or nodes that read a file or a pattern, created at its first use. */
function sourceOf(draft: Draft, { path, pattern }: FileReference): TextSource {
  const known = draft.sources.get(path);
  if (known !== undefined) return known;
  requireTool(draft, 'tool:read_file', path);
  const slug = freeSlug(draft, path);
  const source = pattern ? addPattern(draft, path, slug) : addFile(draft, path, slug);
  draft.sources.set(path, source);
  return source;
}

function addFile(draft: Draft, path: string, slug: string): TextSource {
  const id = `read_${slug}`;
  draft.nodes.push({ id, use: 'tool:read_file', in: { path: literal(path) } });
  return { name: path, slug, rendered: `<document name="${literal(path)}">\n{{${id}.text}}\n</document>` };
}

function addPattern(draft: Draft, path: string, slug: string): TextSource {
  requireTool(draft, 'tool:list_files', path);
  const files = `list_${slug}`;
  const list = `read_${slug}`;
  draft.nodes.push({ id: files, use: 'tool:list_files', in: { pattern: literal(path) } });
  draft.nodes.push({ id: list, use: 'tool:read_file', each: `{{${files}.files}}`, in: { path: '{{item}}' } });
  return { name: path, slug, list, files, rendered: `<document name="${literal(path)}">\n{{${list}}}\n</document>` };
}

function requireTool({ tools }: Draft, use: string, path: string): void {
  if (tools.has(use)) return;
  throw refusal(`The request names ${path}, but the catalogue has no ${use} to read it: register that tool.`);
}

const LONGEST_SLUG = 12;
const RESERVED_ENDS = new Set([...'0123456789']);

/** A short name for nodes from a path: `docs/a.md` as `docs_a`, unique in the draft. */
function freeSlug(draft: Draft, path: string): string {
  const words =
    path
      .replace(/\.[a-z0-9]+$/i, '')
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? [];
  // The end of a long path is the most specific: keep as many whole words of it as fit.
  while (words.length > 1 && words.join('_').length > LONGEST_SLUG) words.shift();
  const base = words.join('_').slice(0, LONGEST_SLUG);
  const taken = new Set([...draft.sources.values()].map(({ slug }) => slug));
  const named = base === '' ? 'files' : RESERVED_ENDS.has(base.charAt(0)) ? `f${base}` : base;
  let slug = named;
  for (let number = 2; taken.has(slug); number++) slug = `${named}_${number}`;
  return slug;
}

// ------------------------------------------------------------------------------------------------- jobs

const NAMES: Readonly<Record<JobType, string>> = {
  summarise: 'summary',
  'key-terms': 'terms',
  classify: 'label',
  answer: 'answer',
  compare: 'comparison',
  entities: 'found',
  fields: 'fields',
  figures: 'figures',
};

function addNode(draft: Draft, job: FileJob, sources: readonly TextSource[]): void {
  const [first] = sources;
  if (first === undefined) return;
  const kind = NAMES[job.job];
  const single = sources.length === 1 && draft.sources.size === 1;
  const id = freeId(draft, sources.length > 1 || single ? kind : `${kind}_${first.slug}`);
  const out = outputShape(job);
  const separate = job.job !== 'compare' && (job.job !== 'answer' || job.each);
  const perItem = sources.length === 1 && first.list !== undefined && !job.together && separate;
  const material = perItem
    ? '<document name="{{item.path}}">\n{{item.text}}\n</document>'
    : sources.map(({ rendered }) => rendered).join('\n\n');
  const prompt = `${instructionOf(job, sources.length > 1 || (first.list !== undefined && !perItem))}\n\n${material}`;
  if (job.job === 'figures' && !perItem && draft.tools.has(CALCULATE)) {
    const part = figurePart(id, prompt, draft.model);
    draft.nodes.push(...part.nodes);
    draft.output.set(id, part.output);
    return;
  }
  const each = perItem ? { each: `{{${first.list ?? ''}}}` } : {};
  draft.nodes.push({ id, use: 'llm', ...each, in: { prompt }, ...draft.model, ...defined({ out }) });
  const field = out === undefined ? '.text' : job.job === 'key-terms' ? '.terms' : '';
  addOutput(draft, {
    kind,
    id,
    field: perItem ? '' : field,
    source: sources.length > 1 || single ? undefined : first.name,
  });
  if (perItem && first.files !== undefined)
    draft.output.set(single ? 'files' : `files of ${first.name}`, `{{${first.files}.files}}`);
}

/** Adds a result to the output: results of single files under the file's name, results of all files under their kind. */
function addOutput(
  { output }: Draft,
  { kind, id, field, source }: { kind: string; id: string; field: string; source: string | undefined },
): void {
  const reference = `{{${id}${field}}}`;
  if (source === undefined) {
    output.set(output.has(kind) ? id : kind, reference);
    return;
  }
  const group = `${kind} by file`;
  const known = output.get(group);
  output.set(group, { ...(isJsonObject(known) ? known : {}), [source]: reference });
}

const isJsonObject = (value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function freeId({ nodes }: Draft, wanted: string): string {
  let id = wanted.slice(0, 36);
  for (let number = 2; nodes.some((node) => node.id === id); number++) id = `${wanted.slice(0, 36)}_${number}`;
  return id;
}

type Asked = Pick<FileJob, 'job' | 'clause' | 'labels' | 'count' | 'each' | 'bullets' | 'fields'>;

function outputShape({ job, labels, each, fields }: Asked): JsonValue | undefined {
  if (job === 'key-terms') return { terms: 'string[]' };
  if (job === 'fields') return fieldsShape(fields);
  if (job === 'answer')
    return { ...(each ? { file: 'string' } : {}), answer: 'string', found: 'boolean', confidence: 'number' };
  if (job !== 'classify') return undefined;
  if (labels.length < 2)
    throw refusal('A classification needs at least two labels, such as "classify as billing|tech".');
  const names = labels.map(({ name }) => name);
  if (names.every((name) => /^[\p{L}\p{N}_-]+(?: [\p{L}\p{N}_-]+)*$/u.test(name)))
    return { label: names.join('|'), confidence: 'number' };
  const properties = { label: { type: 'string', enum: names }, confidence: { type: 'number' } };
  return { type: 'object', properties, required: ['label', 'confidence'], additionalProperties: false };
}

/** The first paragraph of the prompt, in plain words that any model can follow. */
function instructionOf({ job, clause, labels, count, bullets, fields }: Asked, several: boolean): string {
  const what = several ? 'the following documents' : 'the following document';
  switch (job) {
    case 'summarise':
      return `Summarise ${what} in ${count ?? 3} ${bullets ? 'bullet point' : 'sentence'}${count === 1 ? '' : 's'}.`;
    case 'key-terms':
      return `List the ${count ?? 10} key terms of ${what}.`;
    case 'classify':
      return [
        `Classify ${what} as ${labels.map(({ name }) => literal(name)).join('|')}.`,
        ...describedLabels(labels),
      ].join('\n');
    case 'compare':
      return `Compare ${what}: what they share and where they differ.`;
    case 'answer':
      return `Answer the question from ${what} only.\n\nQuestion: ${literal(clause)}`;
    case 'fields':
      return `Extract these fields from ${what}: ${fields.map(fieldKey).map(literal).join(', ')}.`;
    case 'figures':
      return `${FIGURE_INSTRUCTION}\n\nQuestion: ${literal(clause)}`;
    case 'entities':
      return `${literal(clause)}\n\nUse ${what} only.`;
  }
}

const describedLabels = (labels: readonly { name: string; description?: string }[]): string[] =>
  labels.flatMap(({ name, description }) =>
    description === undefined ? [] : [`- ${literal(name)}: ${literal(description)}`],
  );

/** Escapes text, so that a template renders it verbatim. */
const literal = (text: string): string => text.replaceAll('{{', '{{{{');

// ------------------------------------------------------------------------------------------------- inline

/** Requests that contain their text: one node per job, with the text in each prompt. */
function addInlineJobs(draft: Draft, request: string): void {
  const task = readTask([{ role: 'user', content: request }], { structured: false });
  const material = task.documents
    .map(({ name, text }, index) => {
      const called = name === '' ? `text ${index + 1}` : name.replaceAll('"', "'");
      return `<document name="${literal(called)}">\n${literal(text)}\n</document>`;
    })
    .join('\n\n');
  for (const job of task.jobs) {
    const asked = inlineJob(task, job);
    const out = outputShape(asked);
    const id = freeId(draft, NAMES[job]);
    const prompt = `${instructionOf(asked, task.documents.length > 1)}\n\n${material}`;
    if (job === 'figures' && draft.tools.has(CALCULATE)) {
      const part = figurePart(id, prompt, draft.model);
      draft.nodes.push(...part.nodes);
      draft.output.set(id, part.output);
      continue;
    }
    draft.nodes.push({ id, use: 'llm', in: { prompt }, ...draft.model, ...defined({ out }) });
    const field = out === undefined ? '.text' : job === 'key-terms' ? '.terms' : '';
    draft.output.set(id, `{{${id}${field}}}`);
  }
}

function inlineJob(task: Task, job: JobType): Asked {
  const count = job === 'key-terms' ? task.terms : task.sentences;
  const clause = job === 'answer' ? task.question : job === 'figures' ? askedFigureOf(task) : task.instruction;
  const { labels, bullets, fields } = task;
  return { job, clause, labels, bullets, fields, each: false, ...defined({ count }) };
}
