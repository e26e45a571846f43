/** Prompts of the operator, by name and version, that plans may use instead of a text of their own. */

/** A name of a prompt: lower-case letters, digits, `_` and `-`, a letter first. It is no path. */
export const PROMPT_NAME = /^[a-z][a-z0-9_-]{0,60}$/;

export interface PromptVersion {
  readonly name: string;
  /** 1 to 1,000,000. */
  readonly version: number;
  /** Its names in double braces stand for inputs. */
  readonly text: string;
  /** The names that stand in the text. */
  readonly inputs: readonly string[];
  /** Its share of the runs that name no version, against the weights of the others; 0: only those that name it. */
  readonly weight: number;
}

/** The versions of each prompt, the newest first. */
export type PromptBook = ReadonlyMap<string, readonly PromptVersion[]>;

/** What a node names in `in.prompt`. */
export interface PromptReference {
  readonly name: string;
  readonly version?: number;
  readonly inputs?: Readonly<Record<string, unknown>>;
}

const FIELDS: ReadonlySet<string> = new Set(['name', 'version', 'inputs']);

/** An object of another shape is a prompt of its own: its JSON. Without a book only what names a version is meant so. */
export function promptReferenceOf(prompt: unknown, hasBook: boolean): PromptReference | undefined {
  if (typeof prompt !== 'object' || prompt === null || Array.isArray(prompt)) return undefined;
  if (!Object.keys(prompt).every((key) => FIELDS.has(key))) return undefined;
  const { name, version, inputs } = prompt as { name?: unknown; version?: unknown; inputs?: unknown };
  if (typeof name !== 'string' || !PROMPT_NAME.test(name)) return undefined;
  if (version === undefined ? !hasBook : typeof version !== 'number') return undefined;
  if (inputs !== undefined && (typeof inputs !== 'object' || inputs === null || Array.isArray(inputs)))
    return undefined;
  return prompt as PromptReference;
}

/**
 * The version for a run that names none: by weight, and the same for the same seed. Without a seed the heaviest, of those
 * the newest.
 *
 * @param versions of one prompt, the newest first, at least one
 */
export function assignedVersion(versions: readonly PromptVersion[], seed: string | undefined): PromptVersion {
  const total = versions.reduce((sum, { weight }) => sum + weight, 0);
  const heaviest = versions.reduce((best, one) => (one.weight > best.weight ? one : best));
  if (seed === undefined || total === 0) return heaviest;
  let left = shareOf(`${seed}/${heaviest.name}`) * total;
  for (const version of versions) {
    left -= version.weight;
    if (left < 0) return version;
  }
  return heaviest;
}

/** FNV-1a, mixed so that ids which differ in their last characters are spread: 0 to 1. */
function shareOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 4_294_967_296;
}

export type PromptPart = { readonly text: string } | { readonly input: string };

/**
 * The text between its inputs. `{{{{` stays as it is, which renders two braces.
 *
 * @returns the offset of braces that name no input, where there are such
 */
export function promptParts(text: string): { readonly parts: readonly PromptPart[]; readonly wrongAt?: number } {
  const parts: PromptPart[] = [];
  let from = 0;
  let at = text.indexOf('{{');
  while (at !== -1) {
    if (text.startsWith('{{{{', at)) {
      at = text.indexOf('{{', at + 4);
      continue;
    }
    const end = text.indexOf('}}', at);
    const input = end === -1 || end - at > 100 ? '' : text.slice(at + 2, end).trim();
    if (!/^[a-z][a-z0-9_]*$/.test(input)) return { parts, wrongAt: at };
    parts.push({ text: text.slice(from, at) }, { input });
    from = end + 2;
    at = text.indexOf('{{', from);
  }
  parts.push({ text: text.slice(from) });
  return { parts };
}
