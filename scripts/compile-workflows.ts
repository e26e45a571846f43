/**
 * Writes each ready-made workflow, and each plan of examples/plans that has its TypeScript beside it, as the .plan.json that it
 * compiles to, and draws each ready-made workflow into docs/images/workflows. Tests fail when one of them is out of date.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { planText } from './examples/plan-text.ts';
import { scriptWords } from './script-words.ts';
import { openPool, pictureOf } from './workflow-pictures.ts';

scriptWords(import.meta.filename, {});
const root = resolve(import.meta.dirname, '..');
const folders: readonly (readonly [folder: string, write: (plan: unknown) => string])[] = [
  ['workflows', (plan) => `${JSON.stringify(plan, null, 2)}\n`],
  ['examples/plans', planText],
];

for (const [folder, write] of folders) {
  for (const file of readdirSync(join(root, folder)).filter((name) => name.endsWith('.ts'))) {
    const { default: workflow } = await import(pathToFileURL(join(root, folder, file)).href);
    const target = `${folder}/${file.replace(/\.ts$/, '.plan.json')}`;
    writeFileSync(join(root, target), write(workflow.plan));
    console.log(`wrote ${target}`);
  }
}

const pictures = join(root, 'docs/images/workflows');
mkdirSync(pictures, { recursive: true });
const polyphony = await openPool();
for (const file of readdirSync(join(root, 'workflows')).filter((name) => name.endsWith('.ts'))) {
  const { default: workflow } = await import(pathToFileURL(join(root, 'workflows', file)).href);
  writeFileSync(join(pictures, file.replace(/\.ts$/, '.svg')), await pictureOf(polyphony, workflow.plan));
}
await polyphony.close();
console.log('drew docs/images/workflows');
