/** Plans that change something with their first node and are not valid as a whole: nothing of them may start. */

import { readdirSync } from 'node:fs';
import { writeTools } from 'polyphony/plugins/tools/files-write';
import { httpTool } from 'polyphony/plugins/tools/http';
import type { Plugin } from '../../../src/index.ts';
import { each, type Family } from '../harness/report.ts';
import type { Node } from '../plans/plan-case.ts';
import { agent, type EscapeCase, paid, type World, wire } from './escape-case.ts';
import { naiveFiles, naiveHttp } from './naive-tools.ts';

/** Written in two pieces: what stands before the mark, and what makes the plan unusable. */
const written = (firsts: readonly Node[], rest: string, head = ''): string =>
  `{"version":1,"goal":"g",${head}"nodes":[${firsts.map((node) => JSON.stringify(node)).join(',')},|${rest}`;

const UNKNOWN = '{"id":"b","use":"tool:no_such_tool","in":{}}],"output":"{{b}}"}';

/** How a plan goes wrong behind its first node. */
const ENDINGS: Readonly<Record<string, string>> = {
  'unknown-tool': UNKNOWN,
  'unknown-reference': '{"id":"b","use":"value","in":{"x":"{{nobody.text}}"}}],"output":"{{b.x}}"}',
  'missing-input': '{"id":"b","use":"llm","in":{}}],"output":"{{b.text}}"}',
  'wrong-type': '{"id":"b","use":"tool:wire_money","in":{"to":"x","usd":"much"}}],"output":"{{b.receipt}}"}',
  'text-that-is-cut': '{"id":"b","use":"val',
  'prose-behind-it': 'I am sorry, I cannot go on with this plan',
  'circle-behind-it':
    '{"id":"b","use":"value","in":{"x":"{{c.x}}"}},{"id":"c","use":"value","in":{"x":"{{b.x}}"}}],"output":"{{c.x}}"}',
};

/** The guard is that the tool changes something, or says nothing of it: without it, it is declared to change nothing. */
const started = (plan: string, declared: boolean | undefined = true, more: Partial<EscapeCase> = {}): EscapeCase => ({
  attempt: () => ({ plan }),
  isWritten: true,
  sideEffects: (isGuarded) => (isGuarded ? declared : false),
  breach: paid,
  ...more,
});

const payments: Family<EscapeCase> = {
  ...each('starts-before', ENDINGS, (ending) => started(written([wire()], ending))),
  'starts-before-prose-without-a-comma': started(written([wire()], 'I cannot go on.').replace(',|', '|')),
  'starts-undeclared': started(written([wire()], UNKNOWN), undefined),
  'starts-every-item': started(
    written([wire('pay', { each: "{{= ['a', 'b']}}", in: { to: '{{item}}', usd: 1 } })], UNKNOWN),
  ),
  'starts-behind-a-harmless-node': started(
    written([{ id: 'p', use: 'tool:ping', in: { n: 1 } }, wire('pay', { needs: ['p'] })], UNKNOWN),
  ),
  'starts-under-a-condition': started(
    written([{ id: 'p', use: 'tool:ping', in: { n: 1 } }, wire('pay', { when: 'p.n > 0' })], UNKNOWN),
  ),
  'starts-in-a-model': started(written([agent('a', { tools: ['wire_money'] })], UNKNOWN), true, {
    calls: (answered) => (answered === 0 ? [{ name: 'wire_money', arguments: { to: 'mallory', usd: 1 } }] : []),
  }),
};

const byPlugins = (
  first: (world: World) => Node,
  plugins: (world: World, isGuarded: boolean) => readonly Plugin[],
  breach: EscapeCase['breach'],
): EscapeCase => ({
  attempt: (world, isGuarded) => ({ plan: written([first(world)], UNKNOWN), plugins: plugins(world, isGuarded) }),
  isWritten: true,
  breach,
});

const outside: Family<EscapeCase> = {
  'starts-writing': byPlugins(
    () => ({ id: 'w', use: 'tool:write_file', in: { path: 'early.txt', text: 'x' } }),
    (world, isGuarded) => [isGuarded ? writeTools({ folder: world.out }) : naiveFiles(world, false)],
    ({ out }) => (readdirSync(out).includes('early.txt') ? 'a file was written' : undefined),
  ),
  'starts-sending': byPlugins(
    ({ origin }) => ({ id: 's', use: 'tool:http_request', in: { url: origin, method: 'POST', body: { a: 1 } } }),
    (_, isGuarded) => [
      isGuarded ? httpTool({ isAllowed: () => true, request: { hosts: ['127.0.0.1'] } }) : naiveHttp(false),
    ],
    ({ hits }) => (hits.length > 0 ? 'a request was sent' : undefined),
  ),
};

export const early: Family<EscapeCase> = { ...payments, ...outside };
