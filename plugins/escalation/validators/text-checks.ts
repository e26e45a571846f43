/** Checks of any answer in prose: it exists, is complete and agrees with the given text. */
import { firstOf } from 'polyphony/kit';
import type { Check } from './checked-answer.ts';

const REFUSAL =
  /^\W*(?:i(?:'m| am) (?:sorry|afraid|unable|not able)|sorry,|i (?:can(?:no|')t|won't|do not|don't) (?:help|assist|answer|provide|comply|know|have)|as an ai|unfortunately, i|(?:es )?tut mir leid|je suis désolé|lo siento)/i;
const UNSURE =
  /\b(?:cannot|can't|could not|impossible to|not possible to|unable to) (?:be )?(?:determine|find|calculate|answer|say|tell|know|directly)|\bnot enough information\b|\binsufficient (?:information|data)\b|\b(?:is|are|was|were) (?:unknown|unclear|not (?:specified|given|provided|stated|mentioned))\b|\bi(?:'m| am) not (?:entirely )?(?:sure|certain)\b|\bi don't know\b/i;

export const empty: Check = ({ text, response }) =>
  text.trim() === '' && response.output === undefined ? { penalty: 1, reason: 'the answer is empty' } : undefined;

export const truncated: Check = ({ response }) =>
  response.finishReason === 'length' ? { penalty: 0.7, reason: 'the answer was cut at its length limit' } : undefined;

/** Prose that stops within a sentence, at a word in small letters ("A" may be a choice); lists, tables and code may end without punctuation. */
export const unfinished: Check = ({ text, request, response }) => {
  if (request.output !== undefined || response.finishReason === 'length') return undefined;
  const last = text.trimEnd().slice(-400);
  const open = /(?:<<[^>]*|[=+*/,(]|\b(?:and|or|the|a|an|of|to|is|with|for))$/.test(last);
  if (open) return { penalty: 0.6, reason: 'the answer stops within a sentence' };
  const prose =
    text.length > 200 &&
    /[.!?]\s+[A-Z]/.test(text) &&
    !/^\s*(?:[-*#|>]|\d+[.)])/.test(last.slice(last.lastIndexOf('\n') + 1));
  return prose && /\p{L}$/u.test(last) ? { penalty: 0.2, reason: 'the answer ends without a full stop' } : undefined;
};

export const refused: Check = ({ text, response }) => {
  if (response.refusal !== undefined || response.finishReason === 'content-filter') {
    return { penalty: 1, reason: 'the model refused' };
  }
  return REFUSAL.test(text.slice(0, 200)) ? { penalty: 0.8, reason: 'the answer reads like a refusal' } : undefined;
};

export const unsure: Check = ({ text, request }) =>
  request.output === undefined && UNSURE.test(text)
    ? { penalty: 0.45, reason: 'the answer says that it does not know' }
    : undefined;

/** Repeated sentences, as in a model that loops. */
export const repetitive: Check = ({ text }) => {
  const sentences = text.split(/[.!?\n]+\s*/).filter((sentence) => sentence.length > 20);
  const repeated = sentences.length - new Set(sentences).size;
  if (repeated < 2 || repeated / sentences.length < 0.25) return undefined;
  return { penalty: Math.min(0.9, repeated / sentences.length + 0.2), reason: `${repeated} sentences are repetitions` };
};

const MIN_SOURCE = 400;

/** Quotations must occur in the given text, where a text was given. */
export const inventedQuotes: Check = ({ text, source }) => {
  if (source.length < MIN_SOURCE) return undefined;
  const quotes = [...text.matchAll(/["“«]([^"“”«»\n]{25,400})["”»]/g)].slice(0, 50).map(([, words = '']) => words);
  if (quotes.length === 0) return undefined;
  const within = squeezed(source);
  const invented = quotes.filter((words) => !within.includes(squeezed(words)));
  if (invented.length === 0) return undefined;
  const reason = `"${firstOf(invented[0] ?? '', 60)}" is not in the given text`;
  return { penalty: 0.3 + 0.4 * (invented.length / quotes.length), reason };
};

const ABOUT_THE_TEXT =
  /\b(?:summar\w+|extract\w*|according to|based on|the (?:following|above|given) (?:text|document|article|report|passage))\b/i;

/** Figures with three digits or decimals must occur in the given text, unless the answer computes them. */
export const inventedFigures: Check = ({ text, source, equations, question }) => {
  const fromMaterial = source.length - question.length >= MIN_SOURCE || ABOUT_THE_TEXT.test(question);
  if (source.length < MIN_SOURCE || equations.length > 0 || !fromMaterial) return undefined;
  const figures = [...new Set(plainFigures(text))].filter((figure) => figure.replace(/\D/g, '').length >= 3);
  const given = new Set(plainFigures(source));
  const invented = figures.filter((figure) => !given.has(figure));
  if (figures.length === 0 || invented.length === 0) return undefined;
  const reason = `${invented.slice(0, 3).join(', ')} not in the given text`;
  return { penalty: 0.2 + 0.4 * (invented.length / figures.length), reason };
};

const plainFigures = (text: string): string[] =>
  (text.match(/\d[\d.,]*/g) ?? [])
    .slice(0, 2000)
    .map((figure) => figure.replace(/,(?=\d{3})/g, '').replace(/[.,]+$/, ''));

const squeezed = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
