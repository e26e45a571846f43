/** polyphony init: writes a config, a plan with a text to try it on, and a line in .gitignore; never overwrites. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { safeJson } from '../../drawing/plain-text.ts';
import { defineCommand, examples } from '../command.ts';
import { EXIT, UsageError } from '../input/exit-code.ts';

const CONFIG = `# polyphony.yaml: every field is optional. Keys stay in the environment, never in this file.

# Short names for models.
# aliases:
#   cheap: provider/model

# Answers with low confidence escalate to a stronger model. The validators need no extra call.
escalate:
  evaluator: validators
  below: 0.7
  to: [premium]

# No session may cost more than this.
budgets:
  - { scope: session, usd: 1 }

retry: { retries: 2 }
timeouts: { firstTokenMs: 30000, totalMs: 300000 }
`;

const PLAN = `{
  "version": 1,
  "goal": "Summarise a file and name its key terms",
  "input": { "path": "string" },
  "nodes": [
    { "id": "page", "use": "tool:read_file", "in": { "path": "{{input.path}}" } },
    { "id": "summary", "use": "llm", "in": { "prompt": "Summarise the following text in three sentences.\\n\\n{{page.text}}" } },
    { "id": "terms", "use": "llm", "in": { "prompt": "List the key terms of the following text.\\n\\n{{page.text}}" }, "out": { "terms": "string[]" } }
  ],
  "output": { "summary": "{{summary.text}}", "terms": "{{terms.terms}}" }
}
`;

const TEXT = `A plan is a list of nodes, and each node is one step of the work. A node names what runs in \`use\`: a model, a tool,
another workflow, or a question to a person. References in double braces carry the output of one node into the input of
a later one. Nodes that do not refer to each other run at the same time. When a run is interrupted its journal keeps
every finished node, so that resuming it pays for nothing twice. A budget stops a run before it costs more than it may.
`;

const FILES = [
  ['polyphony.yaml', CONFIG],
  ['plans/summarise.plan.json', PLAN],
  ['plans/plans.md', TEXT],
] as const;

export const command = defineCommand({
  define: (init) =>
    init.addHelpText(
      'after',
      examples('polyphony init && polyphony run plans/summarise.plan.json -i path=plans/plans.md'),
    ),
  handle: async (terminal, options) => {
    const folder = process.cwd();
    const taken = FILES.map(([name]) => name).filter((name) => existsSync(join(folder, name)));
    if (taken.length > 0) {
      const [verb, them] = taken.length > 1 ? ['exist', 'them'] : ['exists', 'it'];
      throw new UsageError(
        `${taken.join(', ')} already ${verb}, and init overwrites nothing: move ${them} away, or run init in another folder`,
      );
    }
    const { folderFor, write } = await import('../input/read-file.ts');
    const { thisCommand } = await import('../input/command-name.ts');
    for (const [name, text] of FILES) {
      const path = join(folder, name);
      await folderFor(path);
      await write(path, text, { flag: 'wx' });
    }
    const ignored = await ignoreStore(folder);
    const hint = `${thisCommand()} run plans/summarise.plan.json --input path=plans/plans.md`;
    const wrote = FILES.map(([name]) => name);
    if (options.json) terminal.print(safeJson({ wrote, ignored, next: hint }, 2));
    else {
      for (const name of wrote) terminal.say(`wrote ${name}`);
      if (ignored) terminal.say('added .polyphony/ to .gitignore');
      terminal.say(`\ntry: ${hint}`);
    }
    return EXIT.done;
  },
});

const LARGEST_GITIGNORE = 1024 * 1024;

/** False when it was ignored already. */
async function ignoreStore(folder: string): Promise<boolean> {
  const { readable, write } = await import('../input/read-file.ts');
  const path = join(folder, '.gitignore');
  const text = existsSync(path) ? await readable(path, LARGEST_GITIGNORE, 'a .gitignore') : '';
  if (/^\/?\.polyphony\/?\s*$/m.test(text)) return false;
  await write(path, `${text === '' || text.endsWith('\n') ? '' : '\n'}.polyphony/\n`, { flag: 'a' });
  return true;
}
