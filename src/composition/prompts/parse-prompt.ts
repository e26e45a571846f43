/** One prompt file: its front matter, and the text behind it. */
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { defined } from '../../core/defined.ts';
import { PROMPT_NAME, type PromptVersion, promptParts } from '../../core/plan/prompts.ts';

const input = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,39}$/, 'an input is lower-case letters, digits and _, a letter first');

const FrontMatter = z.strictObject({
  name: z.string().regex(PROMPT_NAME, 'a name is lower-case letters, digits, _ and -, a letter first, at most 61'),
  version: z.int().min(1).max(1_000_000),
  description: z.string().max(1000).optional(),
  inputs: z.union([z.array(input).max(50), z.record(input, z.string().max(200))]).optional(),
  weight: z.number().min(0).max(1_000_000).optional(),
});

type Parsed = { readonly prompt: PromptVersion & { readonly description?: string } } | { readonly problem: string };

const FENCE = /^---[ \t]*\r?\n/;
const END = /\r?\n---[ \t]*(?:\r?\n|$)/;
const LONGEST_FRONT_MATTER = 16_384;

export function parsePrompt(file: string): Parsed {
  const whole = file.startsWith('\ufeff') ? file.slice(1) : file;
  const opening = FENCE.exec(whole);
  const rest = opening === null ? '' : whole.slice(opening[0].length - 1);
  const closing = END.exec(rest.slice(0, LONGEST_FRONT_MATTER));
  if (opening === null || closing === null)
    return { problem: 'it has no front matter: begin with ---, the fields name and version, and --- again' };
  const text = rest.slice(closing.index + closing[0].length).trim();
  if (text === '') return { problem: 'it has no text below the front matter' };
  const fields = fieldsOf(rest.slice(0, closing.index));
  if ('problem' in fields) return fields;
  const parsed = FrontMatter.safeParse(fields.value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { problem: `${issue?.path.join('.') || 'the front matter'}: ${issue?.message}` };
  }
  const { name, version, description, inputs = [], weight = 1 } = parsed.data;
  const names = Array.isArray(inputs) ? inputs : Object.keys(inputs);
  const problem = problemOf(text, names);
  if (problem !== undefined) return { problem };
  return { prompt: { name, version, text, inputs: names, weight, ...defined({ description }) } };
}

function fieldsOf(text: string): { readonly value: unknown } | { readonly problem: string } {
  const document = parseDocument(text, { uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) return { problem: `the front matter is no YAML: ${error.message.split('\n')[0]}` };
  try {
    // No file needs aliases, and they can expand without limit.
    return { value: document.toJS({ maxAliasCount: 0 }) };
  } catch {
    return { problem: 'the front matter has YAML aliases: write the values out' };
  }
}

/** The text and the inputs have to name each other. */
function problemOf(text: string, inputs: readonly string[]): string | undefined {
  const { parts, wrongAt } = promptParts(text);
  if (wrongAt !== undefined) {
    const shown = JSON.stringify(text.slice(wrongAt, wrongAt + 30));
    return `the braces at ${shown} hold no input: write {{name}}, or four opening braces for two`;
  }
  const used = new Set(parts.flatMap((part) => ('input' in part ? [part.input] : [])));
  const undeclared = [...used].find((name) => !inputs.includes(name));
  if (undeclared !== undefined) return `the text names {{${undeclared}}}, which is not among the inputs: add it there`;
  const unused = inputs.find((name) => !used.has(name));
  return unused === undefined ? undefined : `the input ${unused} is not in the text: write {{${unused}}}, or remove it`;
}
