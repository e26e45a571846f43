/** Edits that replace the name in a reference, used by repairs. */
import { parseTemplate, writtenStep } from '../../language/template.ts';
import { type Edit, editText, setText } from '../document/document.ts';
import { type Fix, shown } from '../document/report.ts';
import { readCondition } from './collect-uses.ts';
import type { NodeAnalysis, PlanAnalysis, Use } from './plan-analysis.ts';

export const formatPath = (head: string, path: readonly (string | number)[]): string =>
  head + path.map(writtenStep).join('');

/** The fix that replaces the name at the place of the use. */
export function renameFix(use: Use, target: string, code: Fix['code'] = 'name.corrected', why = ''): Fix {
  const bare = use.place === 'when' || use.place === 'until' || use.place === 'needs';
  const change = bare ? replaceName : replaceInReferences;
  return {
    code,
    message: `${shown(use.text)} was replaced with ${shown(target)}${why}.`,
    edit: editText(use.pointer, (text) => change(text, use.text, target)),
  };
}

function replaceInReferences(text: string, from: string, to: string): string {
  let changed = '';
  let at = 0;
  for (const segment of parseTemplate(text).segments) {
    if (segment.type === 'text') continue;
    changed += text.slice(at, segment.start) + replaceName(text.slice(segment.start, segment.end), from, to);
    at = segment.end;
  }
  return changed + text.slice(at);
}

const NAME_CHARACTER = /[\p{L}\p{N}_$.]/u;

/** Replaces whole names only: `a.b`, but not the end of `x.a.b` nor the start of `a.bc`. */
function replaceName(text: string, from: string, to: string): string {
  let changed = '';
  let at = 0;
  for (let found = text.indexOf(from); found !== -1; found = text.indexOf(from, at)) {
    const end = found + from.length;
    const inside = NAME_CHARACTER.test(text.charAt(found - 1)) || NAME_CHARACTER.test(text.charAt(end));
    changed += text.slice(at, found) + (inside ? from : to);
    at = end;
  }
  return changed + text.slice(at);
}

/** Gives the node another id, everywhere: also in conditions that do not parse because of the old one. */
export function renameNode({ node, pointer }: NodeAnalysis, target: string, analysis: PlanAnalysis): Edit {
  const { id } = node;
  const uses = [...analysis.nodes.flatMap((other) => other.uses), ...analysis.outputUses];
  const edits = uses
    .filter(({ head }) => head === id)
    .map((use) => renameFix(use, target + use.text.slice(id.length)).edit);
  for (const { node: other, pointer: at } of analysis.nodes) {
    for (const [source, path] of [
      [other.when, `${at}/when`],
      [other.repeat?.until, `${at}/repeat/until`],
    ] as const) {
      const changed = source === undefined || readCondition(source).ok ? source : renamedIn(source, id, target);
      if (changed !== undefined && changed !== source && readCondition(changed).ok) edits.push(setText(path, changed));
    }
  }
  return (document) => {
    setText(`${pointer}/id`, target)(document);
    for (const edit of edits) edit(document);
  };
}

/** Texts in quotes stay as they are, and so do fields of that name. */
const renamedIn = (source: string, from: string, to: string): string =>
  source.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[\w.$]+/g, (part) =>
    part === from || part.startsWith(`${from}.`) ? to + part.slice(from.length) : part,
  );
