/** What a plan needs before it may run: from whom, and for what. */

/** What becomes of side effects: a person is asked, they are allowed, or the plan is refused. */
export type SideEffectsApproval = 'ask' | 'allow' | 'deny';

/** Which plans a person has to approve. The run waits for the answer as for that of a `human` node. */
export interface Approval {
  /**
   * Ask before a plan runs that is expected to cost more than this, in US dollars, and one whose cost is unknown.
   *
   * @default never
   */
  readonly aboveUsd?: number;
  /**
   * Whether nodes with side effects may run: `ask`, `allow` or `deny`.
   *
   * @default 'allow' for plans and workflows that the caller wrote; for plans that a model wrote `ask` on a terminal, else `deny`
   */
  readonly sideEffects?: SideEffectsApproval;
}

/** As a run gives it: a field that is there but undefined takes that of the config away. */
export type GivenApproval = { readonly [Field in keyof Approval]?: Approval[Field] | undefined };

/** Node ids of the questions that are put before a plan begin so. */
export const PLAN_APPROVAL = 'plan_approval';

/** Of a plan and of each of its revisions. More nodes that look like them are nodes like any other. */
export const MOST_PLAN_QUESTIONS = 4;
/** What the questions, and the nodes that wait for them, may add to the bytes of a plan. */
export const PLAN_QUESTIONS_BYTES = 65_536;

/** The question that was put before a plan. It is no part of what was written, so it does not count towards the bounds of plans. */
export function isPlanQuestion(node: unknown): boolean {
  if (!isRecord(node) || node.use !== 'human' || typeof node.id !== 'string' || !isRecord(node.in)) return false;
  const { mustApprove, data } = node.in;
  return node.id.startsWith(PLAN_APPROVAL) && mustApprove === true && isRecord(data) && data.approval === 'plan';
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
