/** An answer on the command line: JSON, or text. */
import type { HumanQuestion } from '../../core/run/engine.ts';
import { validateJson } from '../../kit/json/json-validation.ts';
import { isPlainObject } from '../../language/shorthand.ts';
import { answeredBy } from '../../runs/stored/given-answer.ts';

/**
 * The value that an argument means. The text itself where it is one of the choices or of the type that `out` declares for the
 * answer, and no object where that may be one; otherwise JSON, and what is no JSON is text. A number that JSON would change, such as 1.10, stays as it was written.
 */
export function answerValue(text: string, question: HumanQuestion | undefined): unknown {
  if (question !== undefined && wantsText(question, text)) return text;
  const value = tryJson(text);
  if (value === undefined || (typeof value === 'number' && String(value) !== text.trim())) return text;
  return value;
}

function wantsText(question: HumanQuestion, text: string): boolean {
  if (question.choices !== undefined) return question.choices.includes(text);
  const { out } = question;
  const answer = isPlainObject(out?.properties) ? out.properties.answer : undefined;
  if (out === undefined || !isPlainObject(answer) || Object.keys(answer).length === 0) return false;
  if (answer.type === 'string') return true;
  const fits = (given: unknown): boolean => validateJson(out, answeredBy(question, given), { trusted: true }).ok;
  // Where an object may answer, what is written as one is meant as one, also if it does not fit.
  return fits(text) && !(isPlainObject(tryJson(text)) && fits({}));
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
