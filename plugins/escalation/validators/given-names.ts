/** Checks that the names of a short answer about a short given text occur in it. */
import type { Check, CheckedAnswer } from './checked-answer.ts';

const MIN_TEXT = 20;
const MAX_SOURCE = 6000;
const MAX_ANSWER = 120;
const MAX_ANSWER_WORDS = 15;

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));

/** Words that are capitalised at the start of an answer and name nobody. */
const NO_NAMES = words(
  'the a an it its he she they his her their them this that these those there in on at by to from with of for and or but as i we you my our your ' +
    'yes no not nobody none nothing noone everyone everybody everything someone somebody anyone both neither either all each many most several some ' +
    'unknown unclear unspecified unnamed according based answer answers name names because since when while after before if so then also only just ' +
    'one two three four five six seven eight nine ten mr mrs ms miss dr prof professor doctor sir lady lord king queen president captain ' +
    'mother father mom mum dad mommy daddy brother sister son daughter parents children child husband wife uncle aunt cousin grandmother ' +
    'grandfather grandma grandpa friend friends neighbor neighbour teacher teachers student students people person man woman men women boy girl ' +
    'nurse nurses doctors police staff employees workers customers narrator author speaker writer home outside inside here nowhere everywhere ' +
    'upstairs downstairs north south east west monday tuesday wednesday thursday friday saturday sunday january february march april may june july ' +
    'august september october november december is was were are did does do has had have him who whom where which what given text passage sorry ' +
    'unfortunately however probably perhaps maybe apparently unanswerable undisclosed anonymous impossible cannot insufficient option downtown ' +
    'abroad overseas siblings relatives founder owner winner team company',
);
/** A text that names a city need not name its country. */
const COUNTRIES = words(
  'africa america american argentina asia australia austria bavaria belgium brazil britain bulgaria california canada chile china colombia croatia cuba ' +
    'denmark egypt england ethiopia europe finland france germany ghana greece hungary iceland india indonesia iran iraq ireland israel italy ' +
    'japan kenya korea mexico morocco netherlands nigeria norway pakistan peru philippines poland portugal romania russia scandinavia scotland ' +
    'serbia singapore slovakia slovenia spain states sweden switzerland texas thailand tunisia turkey ukraine uruguay venezuela vietnam wales zealand',
);
const SMALL_WORDS = words(
  'the a an of in on at to for by with and or from as is are was were be been do does did has have had can could will would should it its his her ' +
    'their this that these those who whom whose where which what name person man woman city town place friend company firm team club school university hotel river street according text passage article story ' +
    'paragraph document context following above based given question answer there into about mentioned him she he they them',
);

/** Forms of verbs that do not begin like the verb. */
const BASES: ReadonlyMap<string, string> = new Map(
  (
    'met:meet bought:buy went:go gone:go saw:see seen:see gave:give took:take wrote:write told:tell found:find won:win lost:lose sold:sell made:make ' +
    'taught:teach left:leave spoke:speak ate:eat sent:send paid:pay built:build came:come knew:know ran:run broke:break chose:choose held:hold ' +
    'kept:keep brought:bring thought:think flew:fly sang:sing stole:steal caught:catch fed:feed led:lead drove:drive got:get lent:lend fell:fall ' +
    'hid:hide rode:ride began:begin born:bear said:say stood:stand sat:sit slept:sleep swam:swim wore:wear threw:throw'
  )
    .split(' ')
    .map((pair) => pair.split(':') as [string, string]),
);

const stem = (word: string): string => (BASES.get(word) ?? word).slice(0, 4);

const WORD = /[\p{L}\p{M}]+(?:-[\p{L}\p{M}]+)*/gu;
const folded = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '');
const wordsOf = (text: string): string[] => folded(text).match(WORD) ?? [];
const isCapitalised = (word: string): boolean => /^\p{Lu}/u.test(word);
const namesOf = (found: readonly string[]): string[] =>
  found.filter((word) => word.length > 1 && isCapitalised(word) && !NO_NAMES.has(word.toLowerCase()));

const ASKS_FOR_NAME =
  /^(?:and |so |then )?(?:(?:to|with|for|from|by|in) )?(?:who|whom|whose|where|(?:which|what) (?:is the name of |was the name of )?(?:person|man|woman|boy|girl|city|town|village|place|friend|colleague|character|student|teacher|company|firm|team|club|school|university|hotel|river|street|name|is the name|was the name))\b/i;
/** Asks about the text as a thing, or for more than it says. */
const BEYOND_THE_TEXT =
  /\byour (?:own )?knowledge\b|\boutside\b|\b(?:author|audience|reminds?|similar|famous|translate|guess|invent|suggest|recommend|imagine)\b/i;
const NAMED_TEXT =
  /^\W*(?:text|passage|context|article|story|document|paragraph|excerpt|note|report|email|message)\s*:|\baccording to\b|\bbased on\b|\b(?:in|from|this|following|above) (?:the )?(?:text|passage|article|story|document|paragraph|excerpt|note|report)\b|["“«][^"“”«»]{40,}["”»]/im;

const LEADING_CLAUSE = /^(?:according to|based on|in|from|question|q)\b[^,:]{0,60}[,:]\s*/i;

interface Asked {
  readonly sentence: string;
  readonly given: string;
}

/** The question, and the text that was given with it: in the same message, or else in earlier ones. */
function askedAbout({ question, given }: CheckedAnswer): Asked | undefined {
  const mark = question.lastIndexOf('?');
  if (mark === -1) return undefined;
  const before = question.slice(0, mark);
  const start = Math.max(...['\n', '. ', '! ', '? ', ': ', '" ', '” ', ') '].map((end) => endOf(before, end)));
  const own = `${before.slice(0, start)}\n${question.slice(mark + 1)}`;
  return {
    sentence: before.slice(start).trim().replace(LEADING_CLAUSE, ''),
    given: own.trim().length >= MIN_TEXT ? own : `${given}\n${own}`,
  };
}

function endOf(text: string, end: string): number {
  const at = text.lastIndexOf(end);
  return at === -1 ? 0 : at + end.length;
}

/** Whether the question is answered by the text: it speaks of the same things. */
function concernsText({ sentence, given }: Asked, textNames: readonly string[], question: string): boolean {
  const inText = new Set(wordsOf(given).map((word) => stem(word.toLowerCase())));
  const asked = wordsOf(sentence);
  const meant = asked.map((word) => word.toLowerCase()).filter((word) => word.length > 2 && !SMALL_WORDS.has(word));
  const found = meant.filter((word) => inText.has(stem(word))).length;
  if (meant.length === 0 || !namesOf(asked.slice(1)).every((name) => inText.has(stem(name.toLowerCase()))))
    return false;
  if (NAMED_TEXT.test(question)) return found * 2 >= meant.length;
  const inQuestion = new Set(asked);
  const offersName = textNames.some((name) => !inQuestion.has(name));
  return offersName && !FIRST_PERSON.test(given) && found * 3 >= meant.length * 2 && given.indexOf('?') === -1;
}

/** Bobby is Bob, Obama's is Obama, Teachers may be those who teach; UN may stand for words. */
function isKnown(name: string, known: ReadonlySet<string>): boolean {
  const lower = name.toLowerCase();
  return (
    name === name.toUpperCase() ||
    known.has(lower) ||
    known.has(name.slice(0, 3)) ||
    (lower.length > 3 && known.has(`${lower.slice(0, 4)}…`))
  );
}

/** The words of the text: as they are, in lower case, and the beginnings of the longer ones. */
function knownNames(source: string): ReadonlySet<string> {
  const known = new Set<string>();
  for (const word of wordsOf(source).flatMap((whole) => (whole.includes('-') ? [whole, ...whole.split('-')] : whole))) {
    const lower = word.toLowerCase();
    known.add(word).add(lower);
    if (lower.length >= 4) known.add(`${lower.slice(0, 4)}…`);
  }
  return known;
}

export const inventedNames: Check = (subject) => {
  const { request, response, text, source, question } = subject;
  if (request.output !== undefined || response.finishReason !== 'stop') return undefined;
  if (text.length > MAX_ANSWER || source.length > MAX_SOURCE || source.length < MIN_TEXT) return undefined;
  const names = namesOf(wordsOf(text));
  if (names.length === 0 || wordsOf(text).length > MAX_ANSWER_WORDS || NON_LATIN.test(text)) return undefined;
  const asked = askedAbout(subject);
  if (asked === undefined || !ASKS_FOR_NAME.test(asked.sentence)) return undefined;
  const { given } = asked;
  if (names.some((name) => COUNTRIES.has(name.toLowerCase())) && /^(?:and |so |then )?where\b/i.test(asked.sentence))
    return undefined;
  if (given.trim().length < MIN_TEXT || !ENGLISH.test(given) || NON_LATIN.test(given) || BEYOND_THE_TEXT.test(source))
    return undefined;
  const known = knownNames(source);
  if (names.some((name) => isKnown(name, known)) || !concernsText(asked, namesOf(wordsOf(given)), question))
    return undefined;
  return { penalty: 0.5, reason: `"${names.join(' ')}" is not in the given text` };
};

/** People tell of themselves before they ask for what they do not know. */
const FIRST_PERSON = /\b(?:I|[Ww]e|[Mm]y|[Oo]ur)\b/;
const ENGLISH = /\b(?:the|a|and|was|is|to|of|with|in|at|for|from|by|on|has|had|his|her)\b/;
/** Names are written in other ways in other scripts. */
const NON_LATIN = /[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]/u;
