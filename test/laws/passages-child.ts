/**
 * The process that the law of passages kills: makes an index and embeds it, on a database in a file.
 *
 *   node passages-child.js <database> <log> <run id> <life> <documents>
 */
import { appendFileSync } from 'node:fs';
import { searchTools } from '../../plugins/tools/files-search.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { embedding, passagesPlan } from './passages-plan.ts';

const [database = '', log = '', runId = '', life = '', documents = '0'] = process.argv.slice(2);

const plugin = embedding((texts) => {
  appendFileSync(log, `${JSON.stringify({ life: Number(life), texts })}\n`);
  process.stdout.write('embedded\n');
});
const stores = sqliteStores({ path: database });
const polyphony = await createPolyphony({ plugins: [plugin, searchTools()], stores, defaults: false });
const input = {
  question: 'which one?',
  documents: Array.from({ length: Number(documents) }, (_, at) => ({ source: `note ${at}`, text: `The note ${at}.` })),
};
const isKnown = (await polyphony.runs.list()).length > 0;
const begin = () => polyphony.start(passagesPlan, input, { runId });
const run = isKnown ? await polyphony.runs.resume(runId) : await begin();
const result = await run.result();
appendFileSync(log, `${JSON.stringify({ life: Number(life), result })}\n`);
await polyphony.close();
