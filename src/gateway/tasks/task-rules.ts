/** The rules of a task, asked of a request: plain comparisons, the same answer every time. */
import type { TaskConfig, TaskRuleConfig } from '../../core/config.ts';
import { wordsOf } from '../../kit/retrieval/words.ts';
import { needsOf } from '../calls/requirements.ts';
import { mainLanguage } from '../routing/figures/card-figures.ts';
import { type AskedText, lastOfUser } from './asked-text.ts';

type Tasks = Readonly<Record<string, TaskConfig>>;

/** The first task, in the order of the config, one of whose rules fits. */
export function taskByRule(tasks: Tasks, asked: AskedText): string | undefined {
  for (const [name, { when = [] }] of Object.entries(tasks)) {
    if (when.some((rule) => fits(rule, asked))) return name;
  }
  return undefined;
}

/** What costs least is asked first. */
function fits(rule: TaskRuleConfig, asked: AskedText): boolean {
  const { request } = asked;
  const { tools, json, attachments, minTokens, maxTokens, words, languages } = rule;
  if (tools !== undefined && tools !== (request.tools !== undefined && request.tools.length > 0)) return false;
  if (json !== undefined && json !== (request.output !== undefined)) return false;
  if (attachments !== undefined && !attachments.some((kind) => holds(asked, kind))) return false;
  if (minTokens !== undefined && needsOf(request).size.exactTokens() < minTokens) return false;
  if (maxTokens !== undefined && needsOf(request).size.exactTokens() > maxTokens) return false;
  if (words !== undefined && !phrasesOf(words).some((phrase) => asked.spaced.includes(phrase))) return false;
  return languages === undefined || languages.map(mainLanguage).includes(asked.language ?? '');
}

function holds({ request }: AskedText, kind: string): boolean {
  const content = lastOfUser(request)?.content;
  return typeof content === 'object' && content.some(({ type }) => type === kind);
}

const known = new WeakMap<readonly string[], readonly string[]>();

/** As words between spaces. A phrase without a letter or digit fits nothing. */
function phrasesOf(words: readonly string[]): readonly string[] {
  const before = known.get(words);
  if (before !== undefined) return before;
  const phrases = words.map((given) => [...wordsOf(given)].join(' ')).filter((phrase) => phrase !== '');
  const spaced = phrases.map((phrase) => ` ${phrase} `);
  known.set(words, spaced);
  return spaced;
}
