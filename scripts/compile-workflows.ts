/**
 * Writes each ready-made workflow, and each plan of examples/plans that has its TypeScript beside it, as the .plan.json that it
 * compiles to. Tests fail when one of them is out of date.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { planText } from './examples/plan-text.ts';

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
