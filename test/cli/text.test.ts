import { describe, expect, it } from 'vitest';
import { commandName, quoted } from '../../src/cli/input/command-name.ts';
import { answerText, issueLines, tableText } from '../../src/cli/screen/result-text.ts';
import { createTerminal, paintFor } from '../../src/cli/screen/terminal.ts';
import { supportedNode } from '../../src/system/node-version.ts';
import { STEERING } from '../drawing/steering.ts';

const plain = paintFor(false);
const EVIL = 'x\u001b[2J\u009b31m\u202Ey';

describe('what is shown of results', () => {
  it('is written as one would write it down', () => {
    expect(answerText('text', plain)).toBe('text');
    expect(answerText({ a: 1, list: ['x', { b: true }], none: null, empty: [] }, plain)).toBe(
      'a 1\nlist\n  - x\n  - b true\nnone –\nempty\n  (nothing)',
    );
  });

  it('never steers the terminal: not from values, names, deep JSON, issues or tables', () => {
    const shown = [
      answerText({ [EVIL]: EVIL, deep: [[[[EVIL]]]] }, plain),
      issueLines(
        [{ code: 'ref.self', severity: 'error', path: `/nodes/${EVIL}`, message: EVIL, suggest: [EVIL] }],
        plain,
      ),
      tableText([['a'], [EVIL]], plain),
    ].join('\n');
    expect(shown).toContain('x[2J31my');
    expect(shown).not.toMatch(STEERING);
  });

  it('lines up wide characters', () => {
    expect(
      tableText(
        [
          ['name', 'n'],
          ['日本', '1'],
          ['abcd', '2'],
        ],
        plain,
      ),
    ).toBe('name  n\n日本  1\nabcd  2');
  });
});

describe('the terminal', () => {
  const stream = (isTTY: boolean) => ({ isTTY, columns: 80, rows: 24, write: () => true });
  const made = (isTTY: boolean, environment: Record<string, string>) =>
    createTerminal({ stdout: stream(false), stderr: stream(isTTY), environment });

  it.each([
    [true, {}, true, true],
    [true, { NO_COLOR: '1' }, true, false],
    [true, { NO_COLOR: '' }, true, true],
    [true, { TERM: 'dumb' }, false, false],
    [true, { CI: 'true' }, false, true],
    [false, {}, false, false],
    [false, { FORCE_COLOR: '1' }, false, true],
    [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, false, false],
  ])('terminal %s with %j: live %s, colour %s', (isTTY, environment, live, colour) => {
    expect(made(isTTY, environment)).toMatchObject({ live, colour });
  });
});

describe('hints that can be pasted back', () => {
  it.each([
    [{ npm_lifecycle_event: 'start' }, '/x/src/cli/main.ts', 'npm start --'],
    [{}, '/x/src/cli/main.ts', 'npm start --'],
    [{ npm_lifecycle_event: 'npx' }, '/x/node_modules/.bin/polyphony', 'npx polyphony'],
    [{}, '/usr/local/bin/polyphony', 'polyphony'],
    [{}, 'dist/src/cli/main.js', 'node dist/src/cli/main.js'],
  ])('%j %s → %s', (environment, script, name) => expect(commandName(environment, script)).toBe(name));

  it('quotes what a shell would take for more than a word', () => {
    expect(quoted('run_1')).toBe('run_1');
    expect(quoted("it's $(rm)")).toBe("'it'\\''s $(rm)'");
    expect(quoted('')).toBe("''");
  });

  it.each([
    ['v20.18.0', false],
    ['v20.19.0', true],
    ['v21.7.0', false],
    ['v22.12.0', false],
    ['v22.13.0', true],
    ['v24.0.0', true],
  ])('Node %s is supported: %s', (version, supported) => expect(supportedNode(version)).toBe(supported));
});
