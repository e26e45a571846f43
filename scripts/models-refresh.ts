/**
 * Builds catalogue/models.json and NOTICE from a folder of measured facts:
 *
 *   npm run models:refresh -- --from <folder> [--into <folder>] [--open]
 *
 * The same files give the same bytes. catalogue/sources.json says what the terms of each source allow, and catalogue/hosts.json
 * what the pages of vendors say of keeping requests and of regions. With --open only values whose every source is open.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildCatalogue, catalogueText, noticesText } from './models/build-catalogue.ts';
import { readHosts } from './models/read-hosts.ts';
import { readMeasures, readSources } from './models/read-measures.ts';
import { scriptWords } from './script-words.ts';

const root = resolve(import.meta.dirname, '..');
const { values } = scriptWords(import.meta.filename, {
  options: { from: { type: 'string' }, into: { type: 'string' }, open: { type: 'boolean' } },
});
if (values.from === undefined) {
  console.error('Name the folder of the measures: npm run models:refresh -- --from <folder>');
  process.exit(2);
}
const into = resolve(values.into ?? root);
const catalogue = buildCatalogue(
  readMeasures(resolve(values.from)),
  readSources(join(root, 'catalogue/sources.json')),
  readHosts(join(root, 'catalogue/hosts.json')),
  values.open === true ? 'open' : 'usual',
);
mkdirSync(join(into, 'catalogue'), { recursive: true });
writeFileSync(join(into, 'catalogue/models.json'), catalogueText(catalogue));
writeFileSync(join(into, 'NOTICE'), noticesText(catalogue));
const { models, cards, hosts, version } = catalogue;
const count = (of: object): number => Object.keys(of).length;
console.log(`version ${version}: ${count(models)} models, ${count(cards)} cards, ${count(hosts)} hosts`);
