/**
 * What becomes of plans that models wrote, without another call: how many are valid, and how many mean what their models meant. The
 * models listed links beside each plan; they only judge, and no repair reads them.
 *
 *     node --import tsx test/bench/published-plans.ts FOLDER [--show 100]
 *
 * The folder holds predicted.jsonl and tools.json. Without them nothing is measured.
 */
import { scriptWords } from '../../scripts/script-words.ts';
import { type Judged, judged } from '../validator/judged-plans.ts';
import { arePlansIn, publishedCatalogue, publishedPlans } from '../validator/published-plans.ts';

const write = (text: string): void => void process.stdout.write(`${text}\n`);

const { values, positionals } = scriptWords(import.meta.filename, {
  allowPositionals: true,
  options: { show: { type: 'string' } },
});
const [folder] = positionals;
if (folder === undefined || !arePlansIn(folder))
  write('There are no plans to measure: name the folder that holds predicted.jsonl.');
else report(folder, Number(values.show ?? 0));

function report(from: string, shown: number): void {
  const catalogue = publishedCatalogue({ sideEffects: false }, from);
  const results = publishedPlans(from).map((published) => judged(published, catalogue));
  const repaired = results.filter(({ plan, repaired: repairs }) => plan !== undefined && repairs.length > 0);
  const row = (name: string, count: number, of: number): void =>
    write(
      `${name.padEnd(56)}${String(count).padStart(6)}${((100 * count) / Math.max(1, of)).toFixed(1).padStart(8)} %`,
    );
  row('valid as written', results.filter(({ isValidAsWritten }) => isValidAsWritten).length, results.length);
  row('valid after repair', results.filter(({ plan }) => plan !== undefined).length, results.length);
  row('valid, with the data flow of its links', results.filter(({ isAsLinked }) => isAsLinked).length, results.length);
  row('repaired', repaired.length, results.length);
  row(
    '  of these, with an edge that nobody wrote',
    repaired.filter(({ unwritten }) => unwritten.length > 0).length,
    repaired.length,
  );
  write('\nrepairs by code, in plans');
  for (const [code, count] of counted(results, ({ repaired: repairs }) => repairs.map(({ code }) => code)))
    row(`  ${code}`, count, results.length);
  write('\nerrors that are left by code, in plans');
  for (const [code, count] of counted(results, ({ errors }) => errors)) row(`  ${code}`, count, results.length);
  for (const result of repaired.slice(0, shown)) show(result);
}

function counted(results: readonly Judged[], codesOf: (result: Judged) => readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const result of results)
    for (const code of new Set(codesOf(result))) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}

function show({ published, plan, repaired, isAsLinked, unwritten }: Judged): void {
  write(`\n${published.id} ${published.model}: ${published.plan.goal ?? ''}`);
  for (const node of published.plan.nodes) write(`  ${node.id} ${node.use} ${JSON.stringify(node.in ?? {})}`);
  for (const { code, message } of repaired) write(`  ${code}: ${message}`);
  for (const node of plan?.nodes ?? []) write(`  → ${node.id} ${node.use} ${JSON.stringify(node.in ?? {})}`);
  write(
    `  links ${JSON.stringify(published.links)}: ${isAsLinked ? 'the same' : `other; unwritten: ${unwritten.join(' ') || 'none'}`}`,
  );
}
