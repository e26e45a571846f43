/**
 * Runs the plans of examples/plans by the command, as a user would. What a plan needs stands beside it:
 *
 *   name.plan.json       the plan
 *   name.ts              the TypeScript that it is written in; `npm run workflows` writes the plan
 *   name.input.json      the input of the run
 *   name.models.json     answers of scripted models, see scripted-models.ts; without it the embedded engine answers
 *   name.answers.json    what a person answers, or the payload of an event, by the id of the question or of the node that
 *                        waits: { "review": "yes" }; a list where a node asks several times, or where its items ask
 *   name.config.json     a config, such as `{ "tools": { "http": true } }`
 *   name.output.json     what the output must hold; without it the output must only not be empty
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
export const PLANS = join(root, 'examples/plans');

/** The names of all plans, without `.plan.json`. */
export const planExamples = (folder = PLANS): readonly string[] =>
  readdirSync(folder)
    .flatMap((file) => (file.endsWith('.plan.json') ? [file.slice(0, -'.plan.json'.length)] : []))
    .sort();

const PARTS = ['plan', 'input', 'models', 'answers', 'config', 'output'];

/** Files beside the plans that belong to none, such as one with a misspelt name. */
export function strayFiles(folder = PLANS): readonly string[] {
  const names = new Set(planExamples(folder));
  return readdirSync(folder).filter((file) => {
    if (file.endsWith('.ts')) return !names.has(file.slice(0, -'.ts'.length));
    const [, name = '', part = ''] = /^(.+)\.(\w+)\.json$/.exec(file) ?? [];
    return !(names.has(name) && PARTS.includes(part));
  });
}

/** The value of a file beside the plan; undefined when there is none. */
export function partOf(name: string, part: string, folder = PLANS): unknown {
  const path = join(folder, `${name}.${part}.json`);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

export interface Called {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Calls the command in a working folder, with these variables beside those of a user who has no key. */
export type Command = (
  given: readonly string[],
  options: { readonly folder: string; readonly environment: Readonly<Record<string, string>> },
) => Promise<Called>;

interface Question {
  /** `cases[0]/review` in a nested run. */
  readonly id: string;
  readonly nodeId: string;
  readonly item?: number;
  readonly wait?: { readonly event?: string };
}

export interface ExampleRun {
  readonly status: string;
  readonly output: unknown;
  readonly waiting?: readonly Question[];
  readonly error?: { readonly message: string };
}

const MOST_ANSWERS = 50;

/** Runs one plan in a folder of its own, which holds a copy of examples/, and answers what it asks. */
/** @param scriptedModels the plugin of scripted models, in a form that the command can load */
export async function runPlanExample(
  name: string,
  command: Command,
  plans = PLANS,
  scriptedModels = join(import.meta.dirname, 'scripted-models.ts'),
): Promise<ExampleRun> {
  const folder = mkdtempSync(join(tmpdir(), 'polyphony-example-'));
  try {
    cpSync(join(root, 'examples'), join(folder, 'examples'), { recursive: true });
    cpSync(plans, join(folder, 'examples/plans'), { recursive: true });
    const isScripted = partOf(name, 'models', plans) !== undefined;
    return await answered(name, command, folder, plans, isScripted ? scriptedModels : undefined);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function answered(
  name: string,
  command: Command,
  folder: string,
  plans: string,
  models: string | undefined,
): Promise<ExampleRun> {
  const config = join(folder, 'config.json');
  const plugins = models === undefined ? [] : [models];
  writeFileSync(config, JSON.stringify({ ...(partOf(name, 'config', plans) as object | undefined), plugins }));
  const script: Record<string, string> =
    models !== undefined ? { SCRIPTED_ANSWERS: join(plans, `${name}.models.json`) } : {};
  const options = { folder, environment: script };
  const input = partOf(name, 'input', plans) === undefined ? [] : ['-i', `@examples/plans/${name}.input.json`];
  const shared = ['--config', config, '--json'];
  let run = documentOf(await command([...shared, 'run', `examples/plans/${name}.plan.json`, ...input], options));
  const given = (partOf(name, 'answers', plans) ?? {}) as Record<string, unknown>;
  for (let count = 0; run.status === 'suspended' && count < MOST_ANSWERS; count += 1) {
    const asks = run.waiting?.find((one) => Object.hasOwn(given, one.id) || Object.hasOwn(given, one.nodeId));
    if (asks === undefined) return run;
    const answer = nextAnswer(given, asks);
    const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
    const say =
      asks.wait?.event === undefined
        ? ['answer', run.runId, asks.id, text]
        : ['event', asks.wait.event, text, '--run', run.runId];
    const said = await command([...shared, 'runs', ...say], options);
    // An event tells what became of it; the run itself goes on with a resume.
    run = documentOf(say[0] === 'answer' ? said : await command([...shared, 'runs', 'show', run.runId], options));
  }
  return run;
}

/** A list holds one answer for each time that the node asks, of which the last one stays, or one for each item. */
function nextAnswer(given: Record<string, unknown>, { id, nodeId, item }: Question): unknown {
  const isNamed = Object.hasOwn(given, id);
  const all = given[isNamed ? id : nodeId];
  if (!Array.isArray(all)) return all;
  if (item !== undefined && !isNamed) return all[item] ?? all.at(-1);
  return all.length > 1 ? all.shift() : all[0];
}

function documentOf({ out, err, code }: Called): ExampleRun & { readonly runId: string } {
  try {
    return JSON.parse(out) as ExampleRun & { readonly runId: string };
  } catch {
    throw new Error(`The command ended with ${code} and printed no document: ${out}${err}`);
  }
}
