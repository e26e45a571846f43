/** Checks the names of a node: its id, its step, the fields of its output. */
import { REFERENCE_HEADS } from '../../core/plan/plan.ts';
import { CEL_RESERVED } from '../../language/condition.ts';
import { sameName } from '../../language/spelling/same-word.ts';
import { nearest } from '../../language/suggest.ts';
import type { NodeAnalysis, PlanAnalysis } from '../analysis/plan-analysis.ts';
import { renameNode } from '../analysis/rename.ts';
import { isRecord } from '../document/document.ts';
import { correction, type Report, shown } from '../document/report.ts';
import { remedyOf } from '../document/unknown-use.ts';

const OBJECT_NAMES: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));
const HEADS: ReadonlySet<string> = new Set(REFERENCE_HEADS);

/** Why the id is reserved; undefined when a node may have it. */
export function reservedAs(id: string): string | undefined {
  if (HEADS.has(id)) return 'references reserve that name';
  if (CEL_RESERVED.has(id)) return 'conditions reserve that name';
  return OBJECT_NAMES.has(id) ? 'every object has a property of that name' : undefined;
}

export function checkId(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { node, pointer } = nodeAnalysis;
  if (node.id === '') return;
  const reserved = reservedAs(node.id);
  if (reserved !== undefined) {
    const message = `No node may be called "${node.id}", because ${reserved}: choose another id.`;
    const target = freeId(node.id, analysis);
    analysis.report.add('id.reserved', `${pointer}/id`, message, {
      got: node.id,
      suggest: [target],
      // What refers to `input` or `item` may mean that and not the node.
      fix: HEADS.has(node.id)
        ? undefined
        : {
            code: 'id.renamed',
            message: `Node "${node.id}" was renamed to "${target}", because ${reserved}.`,
            edit: renameNode(nodeAnalysis, target, analysis),
          },
    });
  }
  const first = analysis.byId.get(node.id);
  if (first === undefined || first === nodeAnalysis) return;
  const message = `The id "${node.id}" is already used by ${first.pointer}: give every node a unique id.`;
  analysis.report.add('id.duplicate', `${pointer}/id`, message, { got: node.id });
}

/** No two nodes of a plan have it. */
function freeId(id: string, { byId }: PlanAnalysis): string {
  let count = 1;
  while (byId.has(`${id}_${count}`)) count += 1;
  return `${id}_${count}`;
}

const PREFIXES = ['tool:', 'workflow:'] as const;

export function checkUse({ node, pointer, step }: NodeAnalysis, analysis: PlanAnalysis): void {
  if (node.use === '' || step !== undefined) return;
  const { steps } = analysis.catalogue;
  const names = [...steps.keys()];
  const prefix = prefixOf(node.use);
  // Compared without the prefix that they share: a common `tool:` does not make names similar.
  const rivals = names.filter((name) => name.startsWith(prefix));
  const wanted = withoutPrefix(node.use);
  const target = meantStep(node.use, names, analysis);
  const bare = new Map(rivals.map((name) => [withoutPrefix(name), name]));
  const near = nearest(wanted, bare.keys()).map((name) => bare.get(name) ?? name);
  const same = names.filter((name) => withoutPrefix(name) === wanted);
  const suggest = [...new Set([...(target === undefined ? [] : [target]), ...same, ...near])].slice(0, 3);
  const message = `No step is called ${shown(node.use)}: ${remedyOf(node.use) ?? 'use a step from the catalogue'}.`;
  analysis.report.add('use.unknown', `${pointer}/use`, message, {
    got: node.use,
    suggest,
    expected: suggest.length > 0 ? undefined : names.slice(0, 50),
    fix: target === undefined ? undefined : correction(node.use, target, `${pointer}/use`),
  });
}

const prefixOf = (name: string): string => PREFIXES.find((known) => name.startsWith(known)) ?? '';
const withoutPrefix = (name: string): string => name.slice(prefixOf(name).length);

/**
 * The only step that the name is another spelling of. A missing prefix is added, because it says only what kind of step it is; one
 * that is there is kept, except before the exact name of a step that has none and changes nothing, such as `llm`.
 */
function meantStep(use: string, names: readonly string[], { catalogue, naming }: PlanAnalysis): string | undefined {
  const prefix = prefixOf(use);
  const wanted = withoutPrefix(use);
  const isHarmless = (name: string): boolean => catalogue.steps.get(name)?.sideEffects === false;
  const isRival = (name: string): boolean =>
    prefix === '' || prefixOf(name) === prefix || (name === wanted && isHarmless(name));
  const rivals = names.filter(isRival);
  const target = naming.respelt(wanted, rivals.map(withoutPrefix), true);
  if (target === undefined) return undefined;
  const [only, second] = rivals.filter((name) => withoutPrefix(name) === target);
  if (only === undefined || second !== undefined) return undefined;
  return isHarmless(only) || sameName(wanted, target) === 'form' ? only : undefined;
}

/** `out` may not declare `meta`, which every node has. */
export function checkOut({ node, pointer }: NodeAnalysis, report: Report): void {
  if (node.out === undefined) return;
  const properties = isRecord(node.out.properties) ? node.out.properties : node.out;
  if (!Object.hasOwn(properties, 'meta')) return;
  const path = properties === node.out ? `${pointer}/out/meta` : `${pointer}/out/properties/meta`;
  const message =
    'No output field may be called "meta", because every node already has one (model, cost, time): rename the field.';
  report.add('id.reserved', path, message, { got: 'meta' });
}
