/** Parses a planning request over files: which files it names, and which jobs it asks for on each. */
import { defined } from 'polyphony/kit';
import { asksBullets, BULLET_NOUNS } from '../bullets.ts';
import type { Label } from '../classification.ts';
import { asksEach } from '../each-document.ts';
import { fieldsIn } from '../fields/asked-fields.ts';
import { mayAskFigure } from '../figures/operations.ts';
import { countBefore, type JobType, jobMatches, readIntent } from '../intent.ts';
import { readLabels } from '../labels.ts';
import { refusal } from '../refusal.ts';
import { withoutPlaces } from './question.ts';

export interface FileReference {
  /** A path, or a pattern with wildcards, exactly as written in the request. */
  readonly path: string;
  readonly pattern: boolean;
  readonly at: number;
}

export interface FileJob {
  readonly job: JobType;
  /** The clause of the request for this job, with the paths replaced. */
  readonly clause: string;
  readonly files: readonly FileReference[];
  /** All files as one text instead of one file at a time. */
  readonly together: boolean;
  /** A result for each file, where a question would else be answered from all. */
  readonly each: boolean;
  /** A summary as a list of points. */
  readonly bullets: boolean;
  /** The names of the fields to extract. */
  readonly fields: readonly string[];
  readonly labels: readonly Label[];
  readonly count?: number;
}

const EXTENSIONS =
  'md|mdx|markdown|txt|text|json|jsonl|csv|tsv|html?|xml|ya?ml|toml|ini|cfg|conf|log|rst|adoc|org|tex|eml|srt|vtt|tsx?|jsx?|mjs|cjs|py|rb|go|rs|java|kt|c|h|cpp|hpp|cs|sh|sql|css|php|swift|lua|r';
const QUOTED = /[`"'“„«「]([^`"'“”„«»「」\s][^`"'“”„«»「」\n]{0,200})[`"'”“»」]/gu;
/** Letters of every script, with their accents: what names of files consist of, beside punctuation. */
const W = '\\p{L}\\p{N}\\p{M}_';
const BEFORE = `(?<![${W}/.*?+@:-])`;
/** Japanese and Chinese put their particles directly behind a name. */
const AFTER = '(?![\\w\\p{Script=Latin}/*])';
const PATH = new RegExp(
  `${BEFORE}((?:~|\\.{1,2})?/?(?:[${W}.*?@+-]+/)*[${W}*?][${W}.*?+-]*\\.(?:${EXTENSIONS}))${AFTER}`,
  'giu',
);
const ROOTED = new RegExp(`${BEFORE}((?:~|\\.{1,2})?/(?:[${W}.*?@+-]+/)*[${W}.*?@+-]*[${W}*])(?![${W}/*])`, 'gu');
const GLOB = new RegExp(
  `(?<![${W}/.*?+@-])((?:[${W}.*?@+-]{1,80}/){0,12}(?:\\*{1,2}|[${W}.-]{1,80}\\*[${W}.*-]{0,80})(?:/[${W}.*?-]{1,80}){0,12})(?=[\\s,;:!?、。]|$)`,
  'gu',
);
const FOLDER =
  /\b(?:every|each|all|the)\s+(?:of\s+)?(?:the\s+)?(?:\.?(?<type>md|txt|json|csv|html|markdown|text|log)\s+)?(?:files?|documents?|texts?|notes?|reviews?|tickets?|e-?mails?)\s+(?:in|under|from|inside|of)\s+(?:the\s+)?(?:(?:folder|directory)\s+)?[`"']?(?<folder>(?:\.{1,2}\/)?[\w.-]+(?:\/[\w.-]+)*)\/?[`"']?(?:\s+(?:folder|directory))?/giu;
const WHOLE_FOLDER =
  /\b(?:everything (?:in|under|from|inside)|(?:(?:the|this|all of the) )?(?:(?:whole|entire) )?(?:folder|directory))\s+(?:(?:the )?(?:folder|directory) )?[`"']?(?!(?:and|or|of|with|in|into|as|is|are|for|to|by|that|which|where|the|it|this|them)\b)(?<folder>(?:\.{1,2}\/)?[\w.-]+(?:\/[\w.-]+)*)\/?[`"']?/giu;
const WELL_KNOWN = /(?<![\w/.-])(README|LICEN[SC]E|CHANGELOG|CONTRIBUTING|NOTICE|AUTHORS|COPYING)(?![\w./*-])/gu;
const NOT_FILES =
  /^(?:node|vue|next|react|express|three|d3|nuxt|angular|ember|backbone|moment|chart|socket|deno|bun)\.js$/i;
const TYPES: Readonly<Record<string, string>> = { markdown: 'md', text: 'txt' };
const ACTION =
  /(?:^|[.!?;:]\s*|,\s*|\b(?:and|then|please|also)\s+)(save|store|append|send|e-?mail|post|upload|delete|remove|move|rename|copy|download|fetch|run|execute|install|search the web)\b/iu;

/** The files that a text names, in order, each once. Never a name that the text does not contain. */
export function fileReferences(text: string): FileReference[] {
  const found: (FileReference & { readonly end: number })[] = [];
  const add = (path: string, at: number, length: number) => {
    const clean = path.replace(/[.,;:]+$/, '');
    const overlaps = found.some((other) => at < other.end && other.at < at + length);
    if (clean === '' || overlaps || NOT_FILES.test(clean)) return;
    found.push({ path: clean, pattern: /[*?]/.test(clean), at, end: at + length });
  };
  for (const match of [...text.matchAll(FOLDER), ...text.matchAll(WHOLE_FOLDER)]) {
    const { type, folder = '' } = match.groups ?? {};
    if (
      folder.includes('*') ||
      new RegExp(`\\.(?:${EXTENSIONS})$`, 'i').test(folder) ||
      text.charAt(match.index + match[0].length) === '*'
    )
      continue;
    add(
      `${folder}/*${type === undefined ? '' : `.${TYPES[type.toLowerCase()] ?? type.toLowerCase()}`}`,
      match.index,
      match[0].length,
    );
  }
  for (const match of text.matchAll(QUOTED)) {
    const path = match[1] ?? '';
    if (/^[^\s]+[./*][^\s]*$/.test(path) || new RegExp(`\\.(?:${EXTENSIONS})$`, 'i').test(path))
      add(path, match.index, match[0].length);
  }
  for (const pattern of [PATH, ROOTED, GLOB])
    for (const match of text.matchAll(pattern)) {
      // `3 * 4` is a product, not a file pattern.
      const isProduct = match[1] === '*' && /\d\s*$/.test(text.slice(Math.max(0, match.index - 9), match.index));
      if (!isProduct) add(match[1] ?? '', match.index, match[0].length);
    }
  for (const match of text.matchAll(WELL_KNOWN)) add(`${match[1] ?? ''}*`, match.index, match[0].length);
  const ordered = found.sort((a, b) => a.at - b.at);
  return ordered.filter(({ path }, index) => ordered.findIndex((other) => other.path === path) === index);
}

/** The jobs of a request with the files of each. @throws unsupported for what needs more than reading and extraction */
export function readFileJobs(request: string): FileJob[] {
  refuseBeyond(request);
  const files = fileReferences(request);
  const matches = jobMatches(request);
  if (matches.length === 0)
    throw refusal('The request names files, but it asks for nothing that this planner can do with them.');
  const each = asksEach(request);
  return matches.map(({ job: named, at }, index) => {
    const from = index === 0 ? 0 : at;
    const to = matches[index + 1]?.at ?? request.length;
    const own = files.filter((file) => file.at >= from && file.at < to);
    const before = files.filter((file) => file.at < to);
    const chosen = own.length > 0 ? own : before.length > 0 ? before : files;
    const clause = withoutPaths(request.slice(from, to), files)
      .replace(/(?:[\s,;]|\band\b|\bthen\b)+$/i, '')
      .trim();
    const job =
      named === 'answer' && mayAskFigure(clause) && chosen.every(({ path }) => TABLES.test(path)) ? 'figures' : named;
    const count = countBefore(
      clause,
      job === 'key-terms'
        ? 'terms?|key|keywords?|topics?|tags?'
        : `sentences?|sätzen?|satz|phrases?|frases|frasi|zinnen|${BULLET_NOUNS}`,
    );
    const together =
      /\b(?:together|overall|combined|as a whole|(?:one|single|joint) (?:summary|list|text)|into one)\b/i.test(clause);
    const given = readLabels(clause);
    const labels = given.length > 0 ? given : readLabels(withoutPaths(request, files));
    return {
      job,
      clause: job === 'answer' || job === 'figures' ? questionIn(clause) : clause,
      files: chosen,
      together,
      each: each && job !== 'compare',
      bullets: job === 'summarise' && asksBullets(clause, count),
      fields: job === 'fields' ? fieldsIn(request) : [],
      labels,
      ...defined({ count }),
    };
  });
}

/** Files that are tables by their name. */
const TABLES = /\.(?:csv|tsv)$/i;

/** The question without its introduction (`Read a.md and tell me …`). */
function questionIn(whole: string): string {
  const clause = withoutPlaces(whole);
  const introduced =
    /\b(?:tell me|find out|answer|say|know|ask the text)\b:?\s+(?=(?:what|who|when|where|why|how|which|whose|if|whether)\b)(.+)$/isu.exec(
      clause,
    )?.[1];
  const question = introduced ?? clause;
  // `When was it built? a.md` and `Using a.md, answer: may I …?` name the text next to the question.
  return question
    .replace(/\?\s*(?:\(?(?:see|in|from)\s+)?the texts?\W*$/iu, '?')
    .replace(/^(?:(?:using|from|given|see|read|in|based on|according to)\s+)?the texts?\s*[,:;–-]\s*/iu, '')
    .replace(/^(?:please\s+)?answer(?:\s+(?:this|the question))?\s*[:,]\s*/iu, '');
}

function refuseBeyond(request: string): void {
  const { beyond } = readIntent(request);
  // "Extract name, email and phone" names fields, not deeds.
  const found = fieldsIn(request).length > 0 ? undefined : ACTION.exec(request)?.[1];
  const action = beyond ?? found;
  if (action !== undefined)
    throw refusal(`The request asks to "${action.toLowerCase()}", which this planner cannot put into a plan.`);
}

/** The text with "the text" in place of every path, so that paths do not count as words of a question. */
function withoutPaths(text: string, files: readonly FileReference[]): string {
  return [...files]
    .sort((a, b) => b.path.length - a.path.length)
    .reduce(
      (rest, { path }) =>
        rest
          .replaceAll(`\`${path}\``, path)
          .replaceAll(path, 'the text')
          .replaceAll(path.replace(/\*$/, ''), 'the text'),
      text,
    )
    .replace(/\b(?:the|file|files|every file in|all files in|(?:of )?the files in) the text\b/gi, 'the text')
    .replace(/\bthe text(?:(?:,| and|, and| or) the text)+/gi, 'the texts');
}
