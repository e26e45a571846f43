/** Resolves every name of a value to what is known of it, and reports the ones that name nothing. */
import type { IssueCode } from '../document/codes.ts';
import { shown } from '../document/report.ts';
import { nearest, slipOf } from '../document/suggest.ts';
import { checkEach } from './each.ts';
import { arrayOf, type Outline, outlineOf, outlineOfValue, stepInto, typesOfOutline } from './inferred-type.ts';
import type { Study, Subject, Use } from './plan-analysis.ts';
import { formatPath, renameFix } from './rename.ts';
import { shiftOfSelf } from './self-reference.ts';

const INTEGER = outlineOf({ type: 'integer' });
const META = outlineOf({
  type: 'object',
  properties: {
    model: { type: 'string' },
    provider: { type: 'string' },
    rung: { type: 'integer' },
    confidence: { type: 'number' },
    costUsd: { type: ['number', 'null'] },
    ms: { type: 'number' },
    warnings: { type: 'array' },
  },
  additionalProperties: false,
});

/** Resolves every use of the plan, node by node in the order of the run, and keeps what each text refers to. */
export function resolvePlan(study: Study): void {
  for (const subject of study.subjects) resolveSubject(subject, study);
  resolveUses(study.outputUses, undefined, study);
}

/** After those that it refers to. */
export function resolveSubject(subject: Subject, study: Study): void {
  const { node, uses } = subject;
  if (node.each === undefined) resolveUses(uses, subject, study);
  else {
    // What `item` is depends on the reference of the `each` itself.
    resolveUses(
      uses.filter(({ place }) => place === 'each'),
      subject,
      study,
    );
    checkEach(subject, study);
    resolveUses(
      uses.filter(({ place }) => place !== 'each'),
      subject,
      study,
    );
  }
  if (node.use === 'value' && node.out === undefined) setValueOutput(subject, study);
}

/** The output of a `value` step is its rendered input. */
function setValueOutput(subject: Subject, study: Study): void {
  subject.outputOnce = outlineOfValue(subject.node.in ?? {}, (text) => {
    const { segments } = study.template(text);
    const [only] = segments;
    if (segments.length !== 1 || only?.type !== 'reference') return 'text';
    const [first, second] = only.reference.alternatives;
    return first?.type === 'path' && second === undefined ? (subject.outlines.get(first.text) ?? 'any') : 'any';
  });
  subject.output = subject.node.each === undefined ? subject.outputOnce : arrayOf(subject.outputOnce);
}

function resolveUses(uses: readonly Use[], subject: Subject | undefined, study: Study): void {
  for (const use of uses) {
    if (study.report.isFull()) return;
    const outline = resolveUse(use, subject, study);
    subject?.outlines.set(use.text, outline ?? 'any');
  }
}

/** Undefined when the use names nothing; the report then says so. */
function resolveUse(use: Use, subject: Subject | undefined, study: Study): Outline | undefined {
  const start = resolveHead(use, subject, study);
  if (start === undefined) return undefined;
  let outline = start;
  for (const [index, step] of use.path.entries()) {
    const next = index === 0 ? firstStep(use, outline, step, study) : stepInto(outline, step);
    if (next.outline === undefined) {
      reportField(use, index, outline, next.names, study);
      return undefined;
    }
    outline = next.outline;
  }
  return outline;
}

/** Behind the id of a node `meta` is always there. */
function firstStep(use: Use, outline: Outline, step: string | number, study: Study): ReturnType<typeof stepInto> {
  if (step === 'meta' && study.byId.has(use.head)) return { outline: META, names: [] };
  return stepInto(outline, step);
}

function resolveHead(use: Use, subject: Subject | undefined, study: Study): Outline | undefined {
  switch (use.head) {
    case 'input':
      return resolveInput(use, study);
    case 'item':
    case 'index':
      if (subject?.node.each === undefined || use.place === 'each' || use.place === 'when' || use.place === 'needs') {
        return reportScope(
          use,
          'stands for one item, inside a node that has "each" (but not in its each or when)',
          study,
        );
      }
      return use.head === 'item' ? subject.item : INTEGER;
    case 'prev':
      if (subject?.node.repeat === undefined || use.place === 'each' || use.place === 'when' || use.place === 'needs') {
        return reportScope(use, 'is the output of the round before, inside a node that has "repeat"', study);
      }
      return subject.outputOnce;
    case 'self':
      if (subject === undefined || use.place !== 'until') {
        return reportScope(use, 'is the output of the round, and only "repeat.until" sees it', study);
      }
      return subject.outputOnce;
    default:
      return resolveNode(use, subject, study);
  }
}

function resolveInput(use: Use, study: Study): Outline | undefined {
  if (use.place === 'needs') {
    return reportScope(use, 'is there from the start: needs name nodes', study);
  }
  if (study.input !== undefined) return study.input;
  const rule = 'the plan declares no input: add "input": { … } to the plan, or write the value here';
  study.report.add(isCondition(use) ? 'condition.type' : 'ref.unknown_input', use.pointer, `${quoted(use)}: ${rule}.`);
  return undefined;
}

function reportScope(use: Use, rule: string, study: Study): undefined {
  study.report.add('ref.scope', use.pointer, `${quoted(use)}: "${use.head}" ${rule}.`, { got: use.text });
  return undefined;
}

function resolveNode(use: Use, subject: Subject | undefined, study: Study): Outline | undefined {
  const target = study.byId.get(use.head);
  if (target === undefined) return reportUnknownNode(use, subject, study);
  if (subject !== undefined && target === subject) {
    const fix = shiftOfSelf(use, subject, study);
    const rule = 'a node cannot use its own output: name an earlier node, or use "repeat" with {{prev}}';
    study.report.add('ref.self', use.pointer, `${quoted(use)} refers to its own node: ${rule}.`, {
      got: use.text,
      fix,
    });
    return undefined;
  }
  if (subject !== undefined && target.position > subject.position) {
    const rule = `"${use.head}" comes after "${subject.node.id}": references point backwards only, so move it before`;
    study.report.add('ref.forward', use.pointer, `${quoted(use)}: ${rule}.`, { got: use.text });
    return undefined;
  }
  return target.output;
}

const quoted = (use: Use): string => shown(use.text);
const isCondition = (use: Use): boolean => use.place === 'when' || use.place === 'until';

function reportUnknownNode(use: Use, subject: Subject | undefined, study: Study): undefined {
  const names = headsFor(use, subject, study);
  const code: IssueCode = isCondition(use) ? 'condition.type' : 'ref.unknown_node';
  const viaInput = use.place === 'needs' ? undefined : inputField(use, study);
  const sameUse = study.subjects.filter(({ node }) => node.use === use.head || node.use === `tool:${use.head}`);
  const suggest = [
    ...(viaInput === undefined ? [] : [viaInput]),
    ...sameUse.map(({ node }) => node.id),
    ...nearest(use.head, names),
  ];
  const slip = slipOf(use.head, names);
  const target = slip === undefined ? viaInput : formatPath(slip, use.path);
  study.report.add(code, use.pointer, `${quoted(use)}: no node has the id ${shown(use.head)}.`, {
    got: use.text,
    expected: names.slice(0, 50),
    suggest: [...new Set(suggest)].slice(0, 3),
    fix: target === undefined ? undefined : renameFix(use, target),
  });
  return undefined;
}

/** Names that may stand where the use stands. */
function headsFor(use: Use, subject: Subject | undefined, study: Study): string[] {
  const earlier = study.subjects.filter(
    (other) => other.node.id !== '' && (subject === undefined || other.position < subject.position),
  );
  const names = earlier.map(({ node }) => node.id);
  if (use.place === 'needs') return names;
  if (study.input !== undefined) names.push('input');
  if (subject?.node.each !== undefined && use.place === 'in') names.push('item', 'index');
  return names;
}

/** `ticket` where `input.ticket` was meant. */
function inputField(use: Use, study: Study): string | undefined {
  if (study.input === undefined || study.input === 'any') return undefined;
  const { outline } = stepInto(study.input, use.head);
  return outline === undefined ? undefined : formatPath('input', [use.head, ...use.path]);
}

function reportField(use: Use, index: number, outline: Outline, names: readonly string[], study: Study): void {
  const step = use.path[index];
  const owner = formatPath(use.head, use.path.slice(0, index));
  const types = typesOfOutline(outline)?.join(' or ');
  const code = isCondition(use) ? 'condition.type' : use.head === 'input' ? 'ref.unknown_input' : 'ref.unknown_field';
  const has = names.length > 0 ? `it has ${names.slice(0, 20).join(', ')}` : `it is ${types ?? 'something else'}`;
  const what = typeof step === 'number' ? `no item [${step}]` : `no field ${shown(step)}`;
  const slip = typeof step === 'string' ? slipOf(step, names) : undefined;
  const target = slip === undefined ? undefined : formatPath(use.head, use.path.with(index, slip));
  study.report.add(code, use.pointer, `${quoted(use)}: ${shown(owner).slice(1, -1)} has ${what}; ${has}.`, {
    got: use.text,
    ...(names.length > 0 ? { expected: names.slice(0, 50) } : { expected: types }),
    suggest: typeof step === 'string' ? nearest(step, names) : [],
    fix: target === undefined ? undefined : renameFix(use, target),
  });
}
