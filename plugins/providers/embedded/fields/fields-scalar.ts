/** Enums, numbers and booleans of a schema. */
import type { JsonValue } from 'polyphony/kit';
import { answer } from '../answers.ts';
import { classify, type Label } from '../classification.ts';
import { figuresOfTask } from '../figures/shape.ts';
import { type FoundNumber, numbers } from '../text/entities.ts';
import { contentStems, stem, words } from '../text/language.ts';
import { cuesOf, NEGATIONS } from '../text/lexicon.ts';
import { type Field, type Filled, fieldStems, mentions, nearness, type Source, spoken } from './fields.ts';

/** The value with the most evidence; null where the enum allows it and no value has evidence. */
export function fillEnum(field: Field, values: readonly JsonValue[], { text, task }: Source): Filled | undefined {
  const usable = values.filter((value) => value !== null).slice(0, 200);
  const labels = usable.map((value) => describe(String(value), task.labels, field));
  if (labels.length === 0) return values.includes(null) ? { value: null, confidence: 0.3 } : undefined;
  if (labels.length === 1 && !field.required) return undefined;
  const found = classify(text, labels);
  if (found.supported.length === 0 && values.includes(null)) return { value: null, confidence: 0.4 };
  const at = labels.findIndex(({ name }) => name === found.label);
  return { value: usable[at] ?? usable[0] ?? null, confidence: found.confidence };
}

/** The description that the instruction or the field gives of a value (`billing: invoices and payments`). */
function describe(name: string, labels: readonly Label[], field: Field): Label {
  const given = labels.find((label) => label.name.toLowerCase() === name.toLowerCase())?.description;
  if (given !== undefined) return { name, description: given };
  const pattern = new RegExp(`(?:^|[\\s,;(])${escapePattern(name)}\\s*[:=(–-]\\s*([^;|\\n)]{3,200})`, 'i');
  const described = pattern.exec(field.description)?.[1];
  return described === undefined ? { name } : { name, description: described };
}

const escapePattern = (text: string): string => text.slice(0, 60).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const MONEY_FIELD = /\b(?:price|cost|amount|total|fee|revenue|salary|budget|paid|sum|money|dollars?|euros?|usd|eur)\b/i;
const PERCENT_FIELD = /\b(?:percent|percentage|rate|share|ratio)\b/i;
const UNIT_FIELDS: readonly (readonly [RegExp, RegExp])[] = [
  [/\b(?:age|years?)\b/i, /^years?|^yrs?/i],
  [/\b(?:days?|duration)\b/i, /^days?/i],
  [/\b(?:hours?)\b/i, /^h(?:ours?|rs?)?$/i],
  [/\b(?:minutes?)\b/i, /^min/i],
  [/\b(?:weight|kg|mass)\b/i, /^(?:kg|g|lbs?|pounds?|tons?)$/i],
  [/\b(?:distance|length|height|width)\b/i, /^(?:km|m|cm|mm|miles?|feet|ft|inch(?:es)?)$/i],
];

/** The number nearest to the field's words, or with the field's unit. */
export function fillNumber(field: Field, { text, reading }: Source): Filled | undefined {
  const candidates = numbers(text).filter(({ value }) => fits(value, field));
  if (candidates.length === 0) return undefined;
  const stems = fieldStems(field, reading);
  const places = mentions(text, stems, reading);
  const label = `${spoken(field.name)} ${field.description}`;
  let best: FoundNumber | undefined;
  let highest = 0;
  for (const candidate of candidates) {
    const unitStem = contentStems(candidate.unit, reading.language)[0];
    const named = unitStem !== undefined && stems.has(unitStem) ? 0.6 : 0;
    const score = nearness(text, candidate.at, places) + unitMatch(candidate.unit, label) + named;
    if (score > highest) {
      highest = score;
      best = candidate;
    }
  }
  if (best === undefined || highest < 0.25) {
    const [only] = candidates;
    if (candidates.length !== 1 || only === undefined || !field.required) return undefined;
    return { value: only.value, confidence: 0.35 };
  }
  return { value: best.value, confidence: Math.min(0.9, 0.35 + 0.45 * highest) };
}

function unitMatch(unit: string, label: string): number {
  if (/^[$€£¥]$|^(?:usd|eur|gbp|dollars?|euros?|pounds?)$/i.test(unit)) return MONEY_FIELD.test(label) ? 0.6 : -0.2;
  if (unit === '%') return PERCENT_FIELD.test(label) ? 0.6 : -0.2;
  return UNIT_FIELDS.some(([name, pattern]) => name.test(label) && pattern.test(unit)) ? 0.5 : 0;
}

function fits(value: number, { schema }: Field): boolean {
  const bound = (keyword: string, fallback: number) =>
    typeof schema[keyword] === 'number' ? schema[keyword] : fallback;
  if (schema.type === 'integer' && !Number.isSafeInteger(value)) return false;
  if (value < bound('minimum', Number.NEGATIVE_INFINITY) || value > bound('maximum', Number.POSITIVE_INFINITY))
    return false;
  if (value <= bound('exclusiveMinimum', Number.NEGATIVE_INFINITY)) return false;
  return value < bound('exclusiveMaximum', Number.POSITIVE_INFINITY);
}

const AUXILIARY =
  /^(?:is|are|has|have|had|was|were|can|could|should|needs?|wants?|does|do|contains?|mentions?|requires?|answered|found)\b\s*/;
const PASSIVE =
  /\s(?:requested|needed|required|mentioned|present|asked|wanted|included|detected|available|given|provided|found)$/;
const ANSWERABLE = /^(?:answer|result|answered|answerable|found|has answer|is answerable|is answered|is found)$/;

/** True where a sentence mentions the field and does not negate it; without a mention false, at low confidence. */
export function fillBoolean(field: Field, { text, reading, task }: Source): Filled {
  const name = spoken(field.name);
  if (ANSWERABLE.test(name) && task.jobs.includes('figures')) {
    const found = figuresOfTask(task).figures.length > 0;
    return { value: found, confidence: found ? 0.85 : 0.1 };
  }
  if (task.question !== '' && ANSWERABLE.test(name)) {
    const found = answer(reading, task.question);
    return { value: found.found, confidence: found.found ? found.confidence : 0.5 };
  }
  const core = name.replace(AUXILIARY, '').replace(PASSIVE, '');
  const cues = [core, ...cuesOf(core).cues].map((cue) =>
    words(cue, reading.language).map((word) => stem(word, reading.language)),
  );
  let yes = 0;
  let no = 0;
  for (const { text: sentence } of reading.passages.slice(0, 2000)) {
    const plain = words(sentence, reading.language);
    const stems = plain.map((word) => stem(word, reading.language));
    for (const cue of cues) {
      const at = stems.findIndex(
        (_, start) => cue.length > 0 && cue.every((part, offset) => stems[start + offset] === part),
      );
      if (at === -1) continue;
      if (plain.slice(Math.max(0, at - 3), at).some((word) => NEGATIONS.has(word))) no++;
      else yes++;
    }
  }
  if (yes + no === 0) return described(field, text);
  return { value: yes > no, confidence: Math.min(0.9, 0.55 + 0.35 * (Math.abs(yes - no) / (yes + no))) };
}

/** Without cues in the name the description decides: true when its words occur. */
function described(field: Field, text: string): Filled {
  if (field.description === '') return { value: false, confidence: 0.45 };
  const found = classify(text, [{ name: 'yes', description: field.description }, { name: 'no' }]);
  const strong = found.label === 'yes' && found.confidence >= 0.85;
  return { value: strong, confidence: strong ? 0.55 : 0.45 };
}
