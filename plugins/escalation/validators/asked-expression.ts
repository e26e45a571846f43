/** Checks the answer to a question that is nothing but an arithmetic expression. */
import { close, decimalsOf, evaluate, plain } from './arithmetic.ts';
import type { Check } from './checked-answer.ts';

const MAX_QUESTION = 400;
const MAX_EXPRESSION = 200;
const MAX_ANSWER = 4000;
const MAX_NUMBERS = 200;

/** What may stand before the expression. */
const OPENING =
  /^(?:(?:q|question|quick|hi|hello|hey|please|math|maths)\b[\s:,.!]*)*(?:(?:can|could|would) you (?:please )?(?:tell me )?)?(?:(?:what do you get (?:if|when) you (?:compute|calculate|evaluate)|what(?:'s|’s| is| are| does| do)?|how much (?:is|are|does|do)|calculate|compute|evaluate|solve|work out|find|simplify|tell me|was ist|wie ?viel (?:ist|sind)|berechne|combien (?:font|fait)|cu[aá]nto es)(?:\s+|(?=:)))?(?:what\s+)?(?:the\s+)?(?:(?:value|result|answer|sum|product|difference|quotient|expression|following|calculation)\s*(?:expression|of|to|for)?\s*)?(?:the expression\s*)?[:\s]*/i;
/** What may stand behind it. */
const CLOSING = /^\s*(?:=|equals?|equal to|is|make|makes|come to)?\s*[?.]*\s*(?:=\s*)?\??(?=\s|$)/i;
const INSTRUCTION =
  /^(?:please\s+)?(?:answer|give|reply|respond|return|output|just|only|show|explain|think|write|state|be|do not|don't|no|a\s*:)/i;
/** Instructions after which another number is right. */
const OTHER_FORM = /\d|round|nearest|approx|estimat|hex|binary|octal|base|fraction|percent|word|roman|remainder|mod/i;

const OPERATOR_WORDS = / (?:plus|minus|times|multiplied by|divided by|over) /gi;
const OPERATORS: Readonly<Record<string, string>> = {
  plus: '+',
  minus: '-',
  times: '*',
  'multiplied by': '*',
  'divided by': '/',
  over: '/',
};

export interface AskedExpression {
  readonly expression: string;
  readonly value: number;
  /** "9/11", "4x4", "50-50": may be a name, so that only a bare number counts as its result. */
  readonly mayBeName: boolean;
}

/** The expression that a question consists of, and its value; undefined for all other questions. */
export function askedExpression(question: string): AskedExpression | undefined {
  const whole = question.trim();
  if (whole.length > MAX_QUESTION || !/\d/.test(whole)) return undefined;
  const spoken = whole.slice(OPENING.exec(whole)?.[0].length ?? 0);
  const text = plain(spoken.replace(OPERATOR_WORDS, (word) => ` ${OPERATORS[word.trim().toLowerCase()] ?? word} `));
  let end = 0;
  while (end < text.length && end <= MAX_EXPRESSION && /[\d.+\-*/^()x \t`"]/.test(text.charAt(end))) end += 1;
  const expression = text.slice(0, end).replace(/[`"]/g, ' ').trim().replace(/\.$/, '');
  const rest = text.slice(end).trim();
  if (end > MAX_EXPRESSION || !/[\d)]\s*(?:[-+/^x]|\*\*?)\s*[-\d.(]/.test(expression) || !endsQuestion(rest))
    return undefined;
  const inWords = OPERATOR_WORDS.test(spoken);
  OPERATOR_WORDS.lastIndex = 0;
  if (isAmbiguous(expression, inWords)) return undefined;
  const value = evaluate(expression);
  if (value === undefined) return undefined;
  return { expression, value, mayBeName: !/[\s+*^(]/.test(expression) && !rest.startsWith('=') };
}

function endsQuestion(rest: string): boolean {
  const tail = rest.slice(CLOSING.exec(rest)?.[0].length ?? 0).trim();
  return tail === '' || (INSTRUCTION.test(tail) && !OTHER_FORM.test(tail));
}

/** People read signs before powers, and operators in words, in different orders. */
function isAmbiguous(expression: string, inWords: boolean): boolean {
  const power = expression.includes('^') || expression.includes('**');
  if (power && expression.includes('-')) return true;
  return inWords && /[-+]/.test(expression) && /[*/x]/.test(expression);
}

interface Stated {
  readonly value: number;
  readonly written: string;
}

const NUMBER = /\d+(?:[.,]\d+)*/g;

/** Each number of a text with its sign, fractions as one number; a number that can be read in two ways is there twice. */
function statedNumbers(text: string): Stated[] {
  const numbers: Stated[] = [];
  for (const { 0: written, index } of text.matchAll(NUMBER)) {
    if (numbers.length >= MAX_NUMBERS) break;
    const sign = isNegative(text, index) ? -1 : 1;
    for (const reading of readings(written)) numbers.push({ value: sign * Number(reading), written: reading });
    if (text.charAt(index + written.length) === '%')
      numbers.push({ value: (sign * Number(written)) / 100, written: '0.00' });
  }
  return numbers;
}

const isNegative = (text: string, at: number): boolean =>
  /(?:^|[^\d)\s.])\s*-\s?$/.test(text.slice(Math.max(0, at - 6), at)) &&
  !/\d\s*-\s?$/.test(text.slice(Math.max(0, at - 6), at));

function readings(written: string): string[] {
  const grouped = /^\d{1,3}(?:[.,]\d{3})+$/.test(written) ? [written.replace(/[.,]/g, '')] : [];
  const decimal = /^\d+[.,]?\d*$/.test(written) ? [written.replace(',', '.')] : [];
  return [...decimal, ...grouped];
}

/** Fractions and mixed numbers such as 5/6 and 1 1/2. */
function statedFractions(text: string): number[] {
  const found = text.matchAll(/(?:(\d{1,9})\s+)?(\d{1,9})\s?\/\s?(\d{1,9})/g);
  return [...found]
    .slice(0, MAX_NUMBERS)
    .map(([, whole = '0', top = '', bottom = '']) => Number(whole) + Number(top) / Number(bottom));
}

/** Numbers written in ways that are not read here. */
const OTHER_WRITING =
  /\d\s?e[+-]?\d|10\s?\^|10\s?\*\*|\b(?:hundred|thousand|million|billion|trillion|remainder|rest|modulo|about|approximately|approx|roughly|around|nearly|almost|undefined)\b|[≈~∞½¼¾⅓⅔]|\d\s?[kmb]\b|\br\s?\d/i;
const RESULT = /\b(?:answer|result|total)\s*(?:is|=|:)\s*[*_]*(-?\d[\d.,]*)(?!\s*[-+*/x^=%\d])/gi;

/** Without spaces between groups of digits, and with minus as a sign. */
const answerText = (text: string): string =>
  plain(text.replace(/\\d?frac\{(\d{1,9})\}\{(\d{1,9})\}/g, '$1/$2'))
    .replace(/(?<=\d)[ \u00a0\u202f'’](?=\d{3}(?!\d))/g, '')
    .replace(/\b(?:minus|negative) (?=\d)/gi, '-');

/** The answer without the expression that it repeats. */
function withoutExpression(text: string, expression: string): string {
  const squeezed = text.replace(/(?<=[\d)(+\-*/^x])\s+(?=[-+*/^x(])|(?<=[-+*/^x(])\s+(?=[\d(.])/g, '');
  return squeezed.replaceAll(expression.replace(/\s+/g, ''), ' ');
}

/** A number may be rounded or cut only where the value has more decimals than were written. */
function agrees(value: number, stated: number, written: string): boolean {
  if (Number.isSafeInteger(value) && Number.isSafeInteger(stated)) return value === stated;
  const tolerance = 1e-9 * Math.max(1, Math.abs(value));
  const scale = 10 ** Math.min(decimalsOf(written), 15);
  const isExact = Math.abs(Math.round(value * scale) / scale - value) <= tolerance;
  return isExact ? Math.abs(value - stated) <= tolerance : close(value, stated, written);
}

export const wrongResult: Check = ({ request, response, text, question }) => {
  if (request.output !== undefined || response.finishReason !== 'stop' || text.length > MAX_ANSWER) return undefined;
  if (!/\d/.test(text)) return undefined;
  const asked = askedExpression(question);
  if (asked === undefined || OTHER_WRITING.test(text)) return undefined;
  const { value, expression, mayBeName } = asked;
  const answer = answerText(text);
  if (mayBeName && !/^[\s=*`]*-?\d[\d.,]*[\s.*`]*$/.test(answer)) return undefined;
  const isRight = ({ value: stated, written }: Stated): boolean => agrees(value, stated, written);
  const result = [...answer.matchAll(RESULT)].at(-1)?.[1];
  const named = result === undefined ? [] : statedNumbers(result.replace(/[.,]+$/, ''));
  const rest = withoutExpression(answer, expression);
  const stated = named.length > 0 ? named : statedNumbers(rest);
  const [first] = stated;
  const fraction = statedFractions(rest).some((number) => Math.abs(number - value) < 1e-9);
  if (first === undefined || fraction || stated.some(isRight)) return undefined;
  return {
    penalty: 0.9,
    reason: `the question asks for ${expression}, which is ${Number(value.toPrecision(10))}, not ${first.value}`,
  };
};
