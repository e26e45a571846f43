import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ISSUE_CODES, REPAIR_CODES } from '../../src/validator/document/codes.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/plan-issues.md'), 'utf8');
const [issues = '', repairs = ''] = page.split('## Repairs');
const rows = (text: string) =>
  [...text.matchAll(/^\| `([a-z_.]+)` \| ([^|]*) \|/gm)].map((row) => [row[1] ?? '', row[2] ?? ''] as const);

describe('docs/reference/plan-issues.md', () => {
  it('lists every issue and no other, with its severity', () => {
    const listed = Object.fromEntries(rows(issues).map(([code, severity]) => [code, severity.split(';')[0]]));
    expect(listed).toEqual(ISSUE_CODES);
  });

  it('lists every repair and no other', () => {
    expect(rows(repairs).map(([code]) => code)).toEqual(Object.keys(REPAIR_CODES));
  });
});
