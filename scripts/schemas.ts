/** Writes the JSON Schemas of the config and of the plan into schemas/, for editors. A test fails when they are out of date. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { publishedSchemas } from './schemas/published-schemas.ts';
import { scriptWords } from './script-words.ts';

scriptWords(import.meta.filename, {});
const folder = resolve(import.meta.dirname, '../schemas');

mkdirSync(folder, { recursive: true });
for (const [file, schema] of Object.entries(publishedSchemas())) {
  writeFileSync(join(folder, file), `${JSON.stringify(schema, null, 2)}\n`);
  console.log(`wrote schemas/${file}`);
}
