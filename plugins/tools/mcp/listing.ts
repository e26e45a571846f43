/**
 * The list of tools as a server gives it, which may be anything: too many pages, too many tools, names and schemas that cannot be
 * used. What cannot be used is left out, with the reason.
 */
import { asRecord, asText, firstOf, type JsonSchema, validateJson, withoutPatterns } from 'polyphony/kit';

export interface ListedTool {
  readonly name: string;
  readonly description: string;
  readonly input: JsonSchema;
  readonly output?: JsonSchema;
  /** The server says that it changes nothing. */
  readonly readOnly: boolean;
  /** The server says that a second call does no more than the first. */
  readonly idempotent: boolean;
  /** Tells a definition from another one of the same name. */
  readonly digest: string;
}

export interface Listing {
  readonly tools: ReadonlyMap<string, ListedTool>;
  /** Why something was left out; at most 20. */
  readonly problems: readonly string[];
}

const MOST = { pages: 20, tools: 200, description: 2000, schema: 32_768, all: 1_048_576, cursor: 4096, problems: 20 };
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;

/** @param page asks for one page; undefined: the first one */
export async function readListing(
  page: (cursor: string | undefined) => Promise<unknown>,
  wanted: ReadonlySet<string> | undefined,
): Promise<Listing> {
  const tools = new Map<string, ListedTool>();
  const problems: string[] = [];
  const tell = (problem: string): void => void (problems.length < MOST.problems && problems.push(problem));
  let left = MOST.all;
  let cursor: string | undefined;
  for (let pages = 1; ; pages += 1) {
    const answer = asRecord(await page(cursor));
    const listed = Array.isArray(answer?.tools) ? answer.tools : [];
    for (const given of listed.slice(0, MOST.tools + 1)) {
      const tool = listedTool(given, wanted, tell);
      if (tool === undefined) continue;
      left -= tool.digest.length;
      if (tools.has(tool.name)) tell(`${tool.name} is listed twice`);
      else if (tools.size < MOST.tools && left >= 0) tools.set(tool.name, tool);
      else {
        tell(`there are more than ${MOST.tools} tools, or more than ${MOST.all} characters of them`);
        return { tools, problems };
      }
    }
    const next = answer?.nextCursor;
    if (typeof next !== 'string' || next === '') return { tools, problems };
    if (next === cursor || next.length > MOST.cursor || pages === MOST.pages) {
      tell(`the list does not end after ${pages} pages`);
      return { tools, problems };
    }
    cursor = next;
  }
}

function listedTool(
  given: unknown,
  wanted: ReadonlySet<string> | undefined,
  tell: (problem: string) => void,
): ListedTool | undefined {
  const tool = asRecord(given);
  const name = asText(tool?.name);
  if (tool === undefined || name === undefined || !NAME.test(name)) {
    tell(`a tool has the name ${shown(tool?.name)}, which cannot be used`);
    return undefined;
  }
  if (wanted !== undefined && !wanted.has(name)) return undefined;
  const input = schemaOf(tool.inputSchema ?? { type: 'object' });
  if (typeof input === 'string') {
    tell(`the input schema of ${name} ${input}`);
    return undefined;
  }
  const output = tool.outputSchema === undefined ? undefined : schemaOf(tool.outputSchema);
  if (typeof output === 'string') tell(`the output schema of ${name} ${output}, so it is not used`);
  const hints = asRecord(tool.annotations);
  const description = firstOf(asText(tool.description) ?? asText(tool.title) ?? name, MOST.description);
  const facts = {
    name,
    description,
    input,
    ...(output === undefined || typeof output === 'string' ? {} : { output }),
    readOnly: hints?.readOnlyHint === true,
    idempotent: hints?.idempotentHint === true,
  };
  return { ...facts, digest: JSON.stringify(facts) };
}

const shown = (value: unknown): string =>
  typeof value === 'string' ? JSON.stringify(firstOf(value, 60)) : 'of another type';

/** The schema, or why it cannot be used. */
function schemaOf(given: unknown): JsonSchema | string {
  const schema = asRecord(given);
  if (schema === undefined || Array.isArray(given)) return 'is no object';
  if (schema.type !== undefined && schema.type !== 'object') return 'is not of an object';
  try {
    const text = JSON.stringify(schema);
    if (text.length > MOST.schema) return `has more than ${MOST.schema} characters`;
    if (text.includes('"__proto__"')) return 'names "__proto__"';
    const safe = withoutPatterns({ ...schema, type: 'object' } as JsonSchema);
    // What cannot be checked safely is refused here, and not at the first call.
    validateJson(safe, {});
    return safe;
  } catch (error) {
    return `cannot be used: ${firstOf(error instanceof Error ? error.message : String(error), 200)}`;
  }
}
