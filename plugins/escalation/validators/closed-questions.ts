/** Checks that a question for yes or no was answered by one of them. */
import type { Check } from './checked-answer.ts';

/** Longer answers argue; whether they decide cannot be told by their words. */
const MAX_ANSWER = 600;
/** Answers to questions that do not name yes and no are judged only when they are this short. */
const MAX_WORDS = 25;
const MAX_QUESTION = 300;

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));

const VERDICTS = words(
  'yes no yeah yep yup nope nah y n true false correct incorrect wrong affirmative negative absolutely definitely certainly ' +
    'indeed surely sure exactly naturally obviously ja nein oui non si sí sim não nao nee jawohl doch',
);
const NEGATIONS = words('not never neither nor none nobody nothing cannot hardly barely without');
/** Words that answer a question of one's own accord, in other words than yes and no. */
const HEDGES = words(
  'depends depending maybe perhaps possibly probably likely unlikely sometimes often usually always partly partially ' +
    'mostly generally technically only unknown unclear uncertain rarely typically very quite fairly extremely somewhat too ' +
    'actually instead rather seems sounds looks good fine great bad different same other better worse try wait take later soon already yet ' +
    'open closed odd even hot cold alive dead positive possible impossible legal illegal safe unsafe allowed forbidden',
);
const AUXILIARIES = words(
  'is are was were do does did has have had can could will would should must may might am ' +
    "isn't aren't wasn't weren't don't doesn't didn't hasn't haven't can't couldn't won't wouldn't shouldn't",
);
/** What such words mean is known only to those who talk, and they answer in many ways. */
const POINTING = words('it this that these those my our your everything everybody everyone he she they');
const PRONOUNS = words("it they he she this that these those you i we it's that's they're he's she's");
/** A question with such a subject is a request, or is answered by an example. */
const ASKING_SUBJECTS = words('you i we someone anyone anybody somebody there');
/** Words of questions that are answered by something other than yes or no. */
const OPEN_WORDS = words(
  'or any anything anyone anywhere some something someone what who whom which where when why how',
);
/** Answers that begin so say when, where or how, as people do instead of yes and no. */
const CIRCUMSTANCES = words(
  'in on at to for by with from as until after before since under over during today tomorrow yesterday tonight now',
);
const SMALL_WORDS = words('the a an of in on at to for by with and from as its their his her be been being than');

const OFFER =
  /(?:\byes or no|\byes\s?\/\s?no|\bno or yes|\by\s?\/\s?n|\btrue or false|\btrue\s?\/\s?false|["'“‘]yes["'”’] or ["'“‘]no["'”’]|\bja oder nein|\boui ou non|\bs[íi] o no)(?![\p{L}\p{N}])/iu;
const INSTRUCTION =
  /\b(?:answer|answers|reply|respond|response|say|only|just|simply|please|antworte|antworten|réponds|répondez|responde)\b[^.?!\n]{0,40}$/iu;
const MORE_IS_WANTED = /\b(?:not|don't|do not|more than|beyond|rather than|instead of)\b[^.?!\n]{0,30}$/i;
const OTHER_OPTIONS =
  /\b(?:if|unless|otherwise|or|unknown|unsure|maybe|depends|unclear|n\/a|wenn|falls|sonst|sinon|json)\b/i;

interface Asked {
  /** Whether the request names yes and no as the answers it wants. */
  readonly offered: boolean;
  readonly words: readonly string[];
}

const wordsOf = (text: string): string[] =>
  text
    .toLowerCase()
    .replaceAll('’', "'")
    .match(/[\p{L}\p{N}]+(?:'\p{L}+)?/gu) ?? [];

/** The last sentence with a question mark. */
function questionIn(text: string, mark: number): string {
  const before = text.slice(Math.max(0, mark - MAX_QUESTION), mark);
  let start = before.length;
  while (start > 0 && !startsSentence(before, start)) start -= 1;
  return before.slice(start);
}

function startsSentence(text: string, at: number): boolean {
  const previous = text.charAt(at - 1);
  if (previous === '\n') return true;
  return (previous === ' ' || previous === '\t') && '.!?:"”»)'.includes(text.charAt(at - 2) || ' ');
}

/** Whether the request tells to answer with yes or no, and with nothing else. */
function offersYesOrNo(text: string): boolean {
  const found = OFFER.exec(text);
  if (found === null) return false;
  const before = text.slice(Math.max(0, found.index - 80), found.index);
  const after = text.slice(found.index + found[0].length).slice(0, MAX_QUESTION);
  if (MORE_IS_WANTED.test(before)) return false;
  const rest = after.includes('?') ? '' : after;
  const bare = /[?(\n:]\s*["'“]?$/.test(before) && /^["'”]?[\s).?!:]*$/.test(rest);
  return (
    (bare || (before.trim() === '' && after.startsWith(':')) || INSTRUCTION.test(before)) &&
    !OTHER_OPTIONS.test(rest) &&
    !/\b(?:if|unless)\b/i.test(ofSentence(before))
  );
}

const ofSentence = (before: string): string =>
  before.slice(Math.max(before.lastIndexOf('?'), before.lastIndexOf('.'), before.lastIndexOf('\n')) + 1);

const GREETINGS = words('hi hello hey please so and but well ok okay now also quick question q');
const withoutGreeting = (asked: string[]): string[] => asked.slice(asked.findIndex((word) => !GREETINGS.has(word)));
/** What may follow a question that ends the request. */
const ANSWER_LABEL = /^(?:[^\p{L}\p{N}]|\b(?:a|answer)\b(?=\s*:))*$/iu;

/** Work on a text that may itself contain a question. */
const TEXT_WORK =
  /^\W*(?:please )?(?:translate|rewrite|rephrase|paraphrase|write|summari[sz]e|correct|fix|proofread|complete|continue|repeat|list)\b/i;

function closedQuestion(question: string, instructions: string): Asked | undefined {
  const mark = question.lastIndexOf('?');
  const asked = mark === -1 ? [] : withoutGreeting(wordsOf(questionIn(question, mark)));
  const [first = '', subject = ''] = asked;
  if (OPEN_WORDS.has(first) || TEXT_WORK.test(question)) return undefined;
  if (offersYesOrNo(question)) return { offered: true, words: asked };
  const closed =
    AUXILIARIES.has(first) &&
    asked.length >= 3 &&
    !ASKING_SUBJECTS.has(subject) &&
    (!POINTING.has(subject) || offersYesOrNo(instructions)) &&
    !asked.some((word) => OPEN_WORDS.has(word)) &&
    question.indexOf('?') === mark &&
    ANSWER_LABEL.test(question.slice(mark + 1));
  return closed ? { offered: offersYesOrNo(instructions), words: asked } : undefined;
}

const carriesMeaning = (word: string): boolean =>
  !SMALL_WORDS.has(word) && !AUXILIARIES.has(word) && !PRONOUNS.has(word);

/** Words with the same beginning count as the same word: "boils" and "boil". */
const stem = (word: string): string => word.slice(0, 4);

/** "It does", "Canberra is": the question's own verb is the verdict. */
const repeatsVerb = (answer: readonly string[]): boolean => answer.length > 1 && AUXILIARIES.has(answer.at(-1) ?? '');

function decides(answer: readonly string[], { offered, words: asked }: Asked): boolean {
  const isVerdict = (word: string): boolean => VERDICTS.has(word) || NEGATIONS.has(word) || word.endsWith("n't");
  if (
    answer.some(isVerdict) ||
    repeatsVerb(answer) ||
    /^(?:of course|(?:that'?s |that is )?right|ok)/.test(answer.join(' '))
  )
    return true;
  const meant = asked.filter(carriesMeaning);
  if (isOnlySubject(answer, asked, meant)) return false;
  const said = new Set(answer.map(stem));
  if (meant.length > 0 && meant.every((word) => said.has(stem(word)))) return true;
  if (offered) return false;
  const [first = ''] = answer;
  if (answer.length > MAX_WORDS || answer.some((word) => HEDGES.has(word))) return true;
  return PRONOUNS.has(first) || CIRCUMSTANCES.has(first) || meant.some((word) => said.has(stem(word)));
}

/** The subject of the question alone decides nothing; any other word of it may be the verdict in other words. */
function isOnlySubject(answer: readonly string[], asked: readonly string[], meant: readonly string[]): boolean {
  const told = answer.filter((word) => !SMALL_WORDS.has(word));
  if (told.length === 0 || POINTING.has(asked[1] ?? '') || (told.length === meant.length && told.length > 1))
    return false;
  return told.every((word, at) => stem(word) === stem(meant[at] ?? ''));
}

const BOTH = /^\W*yes\W*(?:or|and)?\W*no\W*$/i;
/** Of scripts whose words for yes and no are not known here, and signs such as a tick, nothing is said. */
const OTHER_SCRIPT = /[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]/u;

export const neitherYesNorNo: Check = ({ request, response, text, question, instructions }) => {
  if (request.output !== undefined || response.finishReason === 'tool-calls') return undefined;
  if (text.length > MAX_ANSWER) return undefined;
  const asked = closedQuestion(question, instructions);
  if (asked === undefined || OTHER_SCRIPT.test(text) || text.includes('```')) return undefined;
  const answer = wordsOf(text);
  if (answer.length === 0) return undefined;
  const both = asked.offered && BOTH.test(text);
  if (!both && decides(answer, asked)) return undefined;
  return {
    penalty: 0.5,
    reason: `the question is answered by yes or no, but the answer says ${both ? 'both' : 'neither'}`,
  };
};
