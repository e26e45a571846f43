/** polyphony init: a config, a plan to start from, and a line in .gitignore; never overwrites. */
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EXIT, UsageError } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

const CONFIG = `# polyphony.yaml: every field is optional. Keys stay in the environment, never in this file.

# Short names for models.
# aliases:
#   cheap: provider/model

# Doubtful answers climb to a stronger model. The validators cost no call.
escalate:
  evaluator: validators
  below: 0.7
  to: [premium]

# No session may cost more than this.
budgets:
  - { scope: session, usd: 1 }

retry: { retries: 2 }
timeouts: { firstToken: 30000, total: 300000 }
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

export async function initCommand(folder: string, terminal: Terminal): Promise<number> {
  const files = [
    ['polyphony.yaml', CONFIG],
    ['plans/summarise.plan.json', PLAN],
  ] as const;
  const taken = files.map(([name]) => name).filter((name) => existsSync(join(folder, name)));
  if (taken.length > 0)
    throw new UsageError(
      `${taken.join(' and ')} ${taken.length > 1 ? 'are' : 'is'} there already; init overwrites nothing`,
    );
  await mkdir(join(folder, 'plans'), { recursive: true });
  for (const [name, text] of files) {
    await writeFile(join(folder, name), text, { flag: 'wx' });
    terminal.say(`wrote ${name}`);
  }
  await ignoreStore(folder, terminal);
  terminal.say('\ntry: polyphony run plans/summarise.plan.json --input path=README.md');
  return EXIT.done;
}

async function ignoreStore(folder: string, terminal: Terminal): Promise<void> {
  const path = join(folder, '.gitignore');
  const text = existsSync(path) ? await readFile(path, 'utf8') : '';
  if (/^\.polyphony\/?$/m.test(text)) return;
  await appendFile(path, `${text === '' || text.endsWith('\n') ? '' : '\n'}.polyphony/\n`);
  terminal.say('added .polyphony/ to .gitignore');
}
