/** Names that are right elsewhere: the message says what is to be done, not only that they are unknown. */
import { expect, it } from 'vitest';
import { validate } from '../../src/validator/validate.ts';
import { catalogue } from './catalogue.ts';

const messagesOf = (node: object): string =>
  validate({ version: 1, nodes: [{ id: 'a', use: 'value', in: { n: 1 }, ...node }], output: '{{a}}' }, catalogue())
    .issues.map(({ message }) => message)
    .join('\n');

it.each([
  ['tool:http_request', /off until the config has "tools.request"/],
  ['tool:write_rows', /off until the config has "tools.write"/],
  ['finish', /is a field of a node, beside its "use"/],
  ['tool:unheard_of', /use a step from the catalogue/],
])('the step %s', (use, expected) => {
  expect(messagesOf({ use })).toMatch(expected);
});

it.each([
  [{ limits: { seconds: 0 } }, /limits\/seconds is 0: give more than 0/],
  [{ limits: { retries: 1.5 } }, /limits\/retries is 1.5: give a whole number/],
  [{ onError: { keep: 'yes' } }, /onError\/keep is "yes": give true/],
  [{ onError: { keep: true, value: 1 } }, /is not a field/],
  [{ undo: 'tool:unheard_of' }, /cannot undo node "a": use a tool from the catalogue\.$/m],
])('%j', (node, expected) => {
  expect(messagesOf(node)).toMatch(expected);
});
