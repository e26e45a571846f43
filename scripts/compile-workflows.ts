/** Writes each ready-made workflow beside its TypeScript as the .plan.json that it compiles to. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = resolve(import.meta.dirname, '../workflows');

for (const file of readdirSync(folder).filter((name) => name.endsWith('.ts'))) {
  const { default: workflow } = await import(pathToFileURL(join(folder, file)).href);
  const target = file.replace(/\.ts$/, '.plan.json');
  writeFileSync(join(folder, target), `${JSON.stringify(workflow.plan, null, 2)}\n`);
  console.log(`wrote workflows/${target}`);
}
