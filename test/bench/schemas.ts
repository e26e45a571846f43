/**
 * How long it takes to check a value of ten fields against its schema, compiled before and compiled for it. The floor is what
 * ajv takes, in the same run.
 *
 *   npm run bench -- schemas
 */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { validateJson } from '../../src/kit/json/json-schema.ts';
import { fromShorthand } from '../../src/language/shorthand.ts';
import type { Measurement } from './measurement.ts';

const ROUNDS = 25;
const WARM_UP = 20_000;

const SCHEMA = fromShorthand({
  ...{ id: 'string', label: 'billing|tech|other', confidence: 'number', note: 'string?', tags: 'string[]' },
  ...{ count: 'integer', done: 'boolean', customer: { name: 'string', tier: 'a|b' }, reason: 'string', extra: 'any?' },
});
const VALUE = {
  ...{ id: 'x1', label: 'tech', confidence: 0.5, note: 'hello', tags: ['a', 'b'], count: 3, done: true },
  ...{ customer: { name: 'Ann', tier: 'b' }, reason: 'because of it' },
};

/** Nanoseconds of one call: the median round. */
function measure(calls: number, work: () => boolean): number {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = performance.now();
    for (let call = 0; call < calls; call += 1) if (!work()) throw new Error('the value of the benchmark is not valid');
    times.push(((performance.now() - before) / calls) * 1_000_000);
  }
  times.sort((a, b) => a - b);
  return times[times.length >> 1] ?? Number.NaN;
}

export async function run(): Promise<readonly Measurement[]> {
  const ajv = () => new Ajv2020({ strict: false, allErrors: true, logger: false, validateFormats: false });
  const compiled = ajv().compile(SCHEMA);
  const check = (): boolean => validateJson(SCHEMA, VALUE).ok;
  for (let call = 0; call < WARM_UP; call += 1) if (!check() || !compiled(VALUE)) throw new Error('not valid');
  const warm = measure(5000, check);
  const floor = measure(5000, () => compiled(VALUE));
  const fresh = measure(50, () => validateJson({ ...SCHEMA }, VALUE).ok);
  const generated = measure(5, () => ajv().compile({ ...SCHEMA })(VALUE));
  return [
    { name: 'check ten fields, warm', value: warm, unit: 'ns', details: { floor } },
    {
      name: 'compile the schema of ten fields and check',
      value: fresh / 1000,
      unit: 'µs',
      details: { floor: generated / 1000 },
    },
  ];
}
